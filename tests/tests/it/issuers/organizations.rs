//! An organization's own issuer: it speaks for that organization alone, about people in its own domains.

use pulse_tests::{Answer, Tenant, TestPlatform};
use serde_json::{Value, json};

use super::fake::FakeIssuer;
use super::real::{RealIssuer, claims};
use super::{CLIENT, SECRET, payload, platform, refusal, sign_in};

const CREATE: &str = "mutation ($input: CreateIdentityProviderInput!) {
    createIdentityProvider(input: $input) { identityProvider { id hasClientSecret version } } }";
const UPDATE: &str = "mutation ($input: UpdateIdentityProviderInput!) {
    updateIdentityProvider(input: $input) { identityProvider { version enabled } } }";
const TEST: &str = "mutation ($id: ID!) { testIdentityProvider(input: { id: $id }) { tokenEndpoint signingKeys namesItself } }";
const CLAIM: &str = "mutation ($input: ClaimEmailDomainInput!) {
    claimEmailDomain(input: $input) { emailDomain { proof verifiedAt identityProviderId } } }";
const VERIFY: &str = "mutation ($domain: String!) { verifyEmailDomain(input: { domain: $domain }) { emailDomain { verifiedAt } } }";
const OFFERS: &str = "query ($email: String) { signInProviders(email: $email) { id name } }";

/// A platform, where domains publish what the fake issuer says, and the real one is an organization's.
struct Stage {
    platform: TestPlatform,
    proofs: FakeIssuer,
    issuer: RealIssuer,
    tenant: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let (proofs, issuer) = (FakeIssuer::start().await, RealIssuer::start().await);
        let platform = platform(&proofs.url, |_| {}).await;
        let tenant = Tenant::found(&platform, "acme").await;
        Self { platform, proofs, issuer, tenant }
    }

    /// Names the real issuer as the tenant's.
    async fn provider(&self, tenant: &Tenant, more: Value) -> String {
        let mut input = json!({
            "name": "Acme", "issuer": self.issuer.url, "clientId": CLIENT, "clientSecret": SECRET,
            "scopes": ["profile", "email", "groups"],
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let answer =
            self.platform.graphql(Some(&tenant.owner.token), CREATE, json!({ "input": input })).await;
        let provider = &payload(&answer, "createIdentityProvider")["identityProvider"];
        assert_eq!(provider["hasClientSecret"], true);
        provider["id"].as_str().unwrap().to_owned()
    }

    async fn claim(&self, tenant: &Tenant, domain: &str, provider: &str) -> Answer {
        let input = json!({ "domain": domain, "identityProviderId": provider });
        self.platform.graphql(Some(&tenant.owner.token), CLAIM, json!({ "input": input })).await
    }

    async fn verify(&self, tenant: &Tenant, domain: &str) -> Answer {
        self.platform.graphql(Some(&tenant.owner.token), VERIFY, json!({ "domain": domain })).await
    }

    /// The domain leads to the issuer, and is shown to be the tenant's.
    async fn own(&self, tenant: &Tenant, domain: &str, provider: &str) {
        let answer = self.claim(tenant, domain, provider).await;
        let proof = payload(&answer, "claimEmailDomain")["emailDomain"]["proof"].as_str().unwrap().to_owned();
        self.proofs.say(|says| says.proof = format!("other=1\n{proof}\n"));
        payload(&self.verify(tenant, domain).await, "verifyEmailDomain");
    }

    async fn sign_in(&self, provider: &str, login: &str) -> Answer {
        sign_in(&self.platform, provider, login).await
    }

    /// The role of somebody in the tenant, by address.
    async fn role(&self, email: &str) -> Option<String> {
        let mut connection = self.platform.database.connect().await.unwrap();
        let role = "SELECT m.role FROM accounts.memberships m JOIN accounts.users u USING (user_id)
                     WHERE u.email = $1 AND m.org_id = $2::uuid";
        let role = sqlx::query_scalar(role).bind(email).bind(&self.tenant.id);
        role.fetch_optional(&mut connection).await.unwrap()
    }
}

fn in_groups(email: &str, groups: &[&str]) -> Value {
    let mut claims = claims(email, "Somebody");
    claims["groups"] = json!(groups);
    claims
}

fn by_groups() -> Value {
    let mapping = |value: &str, role: &str| json!({ "value": value, "role": role });
    json!({ "roleClaim": "groups", "roleMappings": [mapping("chiefs", "ADMIN"), mapping("staff", "MEMBER")] })
}

#[tokio::test]
async fn people_of_a_shown_domain_join_in_the_role_of_their_groups() {
    let stage = Stage::new().await;
    let provider = stage.provider(&stage.tenant, by_groups()).await;
    let tested = stage.platform.data(&stage.tenant.owner.token, TEST, json!({ "id": provider })).await;
    let expected = json!({
        "tokenEndpoint": format!("{}/token", stage.issuer.url), "signingKeys": 1, "namesItself": true,
    });
    assert_eq!(tested["testIdentityProvider"], expected);
    stage.issuer.knows("ada", in_groups("ada@acme.test.example", &["staff"])).await;

    // Until the domain is shown it counts for nothing.
    let domain = "acme.test.example";
    payload(&stage.claim(&stage.tenant, domain, &provider).await, "claimEmailDomain");
    assert_eq!(refusal(&stage.verify(&stage.tenant, domain).await), ("CONFLICT", "input.domain"));
    let offers = |email: &'static str| stage.platform.graphql(None, OFFERS, json!({ "email": email }));
    assert_eq!(offers("ada@acme.test.example").await.json["data"]["signInProviders"][0]["id"], "main");
    assert_eq!(refusal(&stage.sign_in(&provider, "ada").await), ("FORBIDDEN", ""));
    stage.own(&stage.tenant, domain, &provider).await;
    let found = offers("Ada@ACME.test.example").await;
    assert_eq!(
        found.json["data"]["signInProviders"],
        json!([{ "id": provider, "name": "Acme" }, { "id": "main", "name": "Main" }])
    );

    let answer = stage.sign_in(&provider, "ada").await;
    let session = payload(&answer, "completeSignIn");
    assert_eq!(session["organization"]["slug"], "acme");
    assert_eq!(stage.role("ada@acme.test.example").await.as_deref(), Some("member"));
    // At each sign-in the role is what the groups say then; who has none of them is out.
    stage.issuer.knows("ada", in_groups("ada@acme.test.example", &["staff", "chiefs"])).await;
    payload(&stage.sign_in(&provider, "ada").await, "completeSignIn");
    assert_eq!(stage.role("ada@acme.test.example").await.as_deref(), Some("admin"));
    stage.issuer.knows("ada", in_groups("ada@acme.test.example", &["guests"])).await;
    let answer = stage.sign_in(&provider, "ada").await;
    assert_eq!(refusal(&answer), ("FORBIDDEN", ""));
    assert!(answer.message().contains("gives you a role"), "{}", answer.message());

    let mut connection = stage.platform.database.connect().await.unwrap();
    let facts =
        "SELECT action FROM platform.audit WHERE org_id = $1::uuid AND actor = $2::uuid ORDER BY action";
    let facts =
        sqlx::query_scalar(facts).bind(&stage.tenant.id).bind(session["user"]["id"].as_str().unwrap());
    let facts: Vec<String> = facts.fetch_all(&mut connection).await.unwrap();
    let expected = [
        "identity:link",
        "member:change_role",
        "member:join",
        "session:create",
        "session:create",
        "user:create",
    ];
    assert_eq!(facts, expected);
}

#[tokio::test]
async fn an_organizations_issuer_speaks_for_no_other_domain_and_no_other_organization() {
    let stage = Stage::new().await;
    let provider = stage.provider(&stage.tenant, json!({ "defaultRole": "VIEWER" })).await;
    stage.own(&stage.tenant, "acme.test.example", &provider).await;
    let rival = Tenant::found(&stage.platform, "rival").await;
    let theirs = stage.provider(&rival, json!({ "defaultRole": "VIEWER" })).await;

    // The domain is shown: nobody else's issuer gets its people, whatever it says.
    stage.issuer.knows("ada", claims("ada@acme.test.example", "Ada")).await;
    let answer = stage.claim(&rival, "acme.test.example", &theirs).await;
    let proof = payload(&answer, "claimEmailDomain")["emailDomain"]["proof"].as_str().unwrap().to_owned();
    stage.proofs.say(|says| says.proof = proof);
    assert_eq!(refusal(&stage.verify(&rival, "acme.test.example").await), ("CONFLICT", "input.domain"));
    assert_eq!(refusal(&stage.sign_in(&theirs, "ada").await), ("FORBIDDEN", ""));
    // Nor does it say who somebody is whom it knows by an address elsewhere.
    stage.issuer.knows("owner", claims("owner@rival.example", "Owner")).await;
    let answer = stage.sign_in(&provider, "owner").await;
    assert_eq!(refusal(&answer), ("FORBIDDEN", ""));
    assert!(answer.message().contains("rival.example"), "{}", answer.message());

    // What it begins stays in the organization, wherever else the person belongs.
    let answer = stage.sign_in(&provider, "ada").await;
    let session = payload(&answer, "completeSignIn");
    let token = session["accessToken"].as_str().unwrap();
    let add = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";
    let input = json!({ "email": "ada@acme.test.example", "role": "ADMIN" });
    stage.platform.data(&rival.owner.token, add, json!({ "input": input })).await;
    let switch = "mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken } }";
    let answer = stage.platform.graphql(Some(token), switch, json!({ "id": rival.id })).await;
    assert_eq!(refusal(&answer), ("FORBIDDEN", "input.organizationId"));
    let link = "mutation ($input: StartLinkInput!) { startLink(input: $input) { browserSecret } }";
    let input = json!({ "input": { "providerId": "main", "redirectUri": super::PAGE } });
    let answer = stage.platform.graphql(Some(token), link, input).await;
    assert_eq!(refusal(&answer), ("FORBIDDEN", ""));
    // Another organization's owner neither sees nor changes it.
    let update = json!({ "input": { "id": provider, "enabled": false } });
    let answer = stage.platform.graphql(Some(&rival.owner.token), UPDATE, update.clone()).await;
    assert_eq!(refusal(&answer), ("NOT_FOUND", "input.id"));
    let answer = stage.platform.graphql(Some(&stage.tenant.admin.token), UPDATE, update.clone()).await;
    assert_eq!(answer.code(), Some("FORBIDDEN"));
    // Switched off, it signs in nobody.
    payload(
        &stage.platform.graphql(Some(&stage.tenant.owner.token), UPDATE, update).await,
        "updateIdentityProvider",
    );
    let input = json!({ "input": { "providerId": provider, "redirectUri": super::PAGE } });
    let answer = stage.platform.graphql(None, super::START, input).await;
    assert_eq!(refusal(&answer), ("NOT_FOUND", "input.providerId"));
}

#[tokio::test]
async fn the_last_owner_stays_one_and_a_known_account_is_linked_by_its_shown_domain() {
    let stage = Stage::new().await;
    let provider = stage.provider(&stage.tenant, by_groups()).await;
    stage.own(&stage.tenant, "acme.example", &provider).await;
    let mut connection = stage.platform.database.connect().await.unwrap();
    let confirm = "UPDATE accounts.users SET email_verified_at = now()";
    sqlx::raw_sql(confirm).execute(&mut connection).await.unwrap();
    for (login, before, after) in [("owner", "owner", "owner"), ("viewer", "viewer", "member")] {
        let email = format!("{login}@acme.example");
        stage.issuer.knows(login, in_groups(&email, &["staff"])).await;
        assert_eq!(stage.role(&email).await.as_deref(), Some(before));
        let answer = stage.sign_in(&provider, login).await;
        assert_eq!(payload(&answer, "completeSignIn")["user"]["email"], json!(email));
        assert_eq!(stage.role(&email).await.as_deref(), Some(after));
    }
}

#[tokio::test]
async fn a_secret_is_sealed_and_an_issuer_inside_is_refused() {
    let stage = Stage::new().await;
    let provider = stage.provider(&stage.tenant, json!({})).await;
    let mut connection = stage.platform.database.connect().await.unwrap();
    let stored = "SELECT client_secret FROM accounts.identity_providers WHERE id = $1::uuid";
    let stored: String = sqlx::query_scalar(stored).bind(&provider).fetch_one(&mut connection).await.unwrap();
    assert!(stored.starts_with("sealed.1.") && !stored.contains(SECRET), "{stored}");
    for (issuer, field) in [
        ("https://10.0.0.7/", "input.issuer"),
        ("https://[::1]/", "input.issuer"),
        ("ftp://issuer.example/", "input.issuer"),
        ("https://login.microsoftonline.com/common/v2.0", "input.issuer"),
    ] {
        let input = json!({ "input": { "name": "X", "issuer": issuer, "clientId": "x" } });
        let answer = stage.platform.graphql(Some(&stage.tenant.owner.token), CREATE, input).await;
        assert_eq!(refusal(&answer), ("BAD_USER_INPUT", field), "{issuer}");
    }
}
