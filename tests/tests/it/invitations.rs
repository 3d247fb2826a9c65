//! Somebody who is invited comes in, through the gateway.

use std::path::Path;
use std::time::Duration;

use pulse_tests::{PASSWORD, Tenant, TestPlatform};
use serde_json::json;
use tokio::time::{interval, timeout};

/// Waits for the letter to this address, and takes the token out of its link.
async fn token(folder: &Path, to: &str) -> String {
    let found = async {
        let mut again = interval(Duration::from_millis(20));
        loop {
            again.tick().await;
            for file in std::fs::read_dir(folder).unwrap() {
                let letter = std::fs::read_to_string(file.unwrap().path()).unwrap_or_default();
                let letter = letter.replace("=\r\n", "").replace("=3D", "=");
                let is_wanted = letter.contains(&format!("To: {to}")) && letter.contains("You are invited");
                if let Some((_, rest)) = letter.split_once("#token=").filter(|_| is_wanted) {
                    return rest.split_whitespace().next().unwrap().to_owned();
                }
            }
        }
    };
    timeout(Duration::from_secs(20), found).await.expect("the letter is sent")
}

#[tokio::test]
async fn whoever_registers_by_a_letter_is_a_member_with_its_team_at_once() {
    let mail = tempfile::tempdir().unwrap();
    let folder = mail.path().to_owned();
    let platform = TestPlatform::with_settings(|settings| settings.accounts.mail.folder = folder).await;
    let tenant = Tenant::found(&platform, "alpha").await;
    let mut connection = platform.database.connect().await.unwrap();
    let team = "INSERT INTO accounts.units (org_id, id, kind, name, created_at, updated_at)
                VALUES ($1::uuid, gen_random_uuid(), 'team', 'Lab', now(), now()) RETURNING id::text";
    let team: String = sqlx::query_scalar(team).bind(&tenant.id).fetch_one(&mut connection).await.unwrap();

    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { state } } }";
    let input = json!({ "email": "guest@elsewhere.example", "role": "MEMBER", "unitIds": [team] });
    platform.data(&tenant.admin.token, invite, json!({ "input": input })).await;
    let token = token(mail.path(), "guest@elsewhere.example").await;

    let preview =
        "query ($token: String!) { invitation(token: $token) { organizationName role inviterName } }";
    let preview = platform.graphql(None, preview, json!({ "token": token })).await;
    let shown = &preview.json["data"]["invitation"];
    assert_eq!(
        *shown,
        json!({ "organizationName": "alpha", "role": "MEMBER", "inviterName": tenant.admin.email })
    );

    let register = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken user { emailVerified } } }";
    let input = json!({ "email": "guest@elsewhere.example", "password": PASSWORD, "name": "Guest", "invitationToken": token });
    let registered = platform.graphql(None, register, json!({ "input": input })).await;
    assert_eq!(registered.json.get("errors"), None, "{registered:?}");
    let guest = registered.json["data"]["register"]["accessToken"].as_str().unwrap();
    let organization = platform.data(guest, "{ organization { slug viewerRole } }", json!({})).await;
    assert_eq!(organization["organization"], json!({ "slug": "alpha", "viewerRole": "MEMBER" }));
    let inside = "SELECT count(*) FROM accounts.unit_members m JOIN accounts.users u USING (user_id) WHERE u.name = 'Guest'";
    let inside: i64 = sqlx::query_scalar(inside).fetch_one(&mut connection).await.unwrap();
    assert_eq!(inside, 1);
}

#[tokio::test]
async fn anybody_sees_how_an_organization_looks_before_signing_in() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    let upload =
        "mutation { uploadLogo(input: { data: \"iVBORw0KGgoAAAANSUhEUg==\" }) { settings { version } } }";
    platform.data(&tenant.admin.token, upload, json!({})).await;
    let of = async |slug: &str| {
        let query = "query ($slug: String!) { brandingOf(slug: $slug) { displayName logoUrl theme } }";
        let mut answer = platform.graphql(None, query, json!({ "slug": slug })).await;
        answer.json["data"]["brandingOf"].take()
    };
    assert_eq!(of("nobody").await, json!({ "displayName": null, "logoUrl": null, "theme": "SYSTEM" }));
    let logo = of("alpha").await["logoUrl"].as_str().unwrap().to_owned();
    let served = platform.get(&logo).await;
    assert_eq!(served.status.as_u16(), 200);
    assert_eq!(served.headers["content-type"], "image/png");
}
