use insta::assert_snapshot;
use pulse_types::Permission;
use serde_json::{Value, json};

use crate::harness::{Accounts, PASSWORD, Person, email, show, without};

const INVITE: &str = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
    invitation { id email role state unitIds version inviter { name } } } }";
const INVITE_MANY: &str = "mutation ($input: InviteMembersInput!) { inviteMembers(input: $input) {
    invitations { email role state } } }";
const ACCEPT: &str = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
    organization { slug viewerRole } membership { role } } }";
const DECLINE: &str =
    "mutation ($input: DeclineInvitationInput!) { declineInvitation(input: $input) { declined } }";
const PREVIEW: &str =
    "query ($token: String!) { invitation(token: $token) { organizationName role inviterName } }";
const MINE: &str = "{ myInvitations { id organizationName role inviterName } }";
const LIST: &str = "query ($states: [InvitationState!]) { invitations(filter: { states: $states }) {
    totalCount nodes { email state } } }";
const REVOKE: &str = "mutation ($id: ID!) { revokeInvitation(input: { id: $id }) { invitation { state } } }";
const RESEND: &str =
    "mutation ($id: ID!) { resendInvitation(input: { id: $id }) { invitation { version state } } }";
const REGISTER: &str = "mutation ($input: RegisterInput!) { register(input: $input) {
    accessToken user { emailVerified } organization { slug viewerRole } } }";

/// An owner who acts in an organization of its own, after all letters of before were sent.
async fn owner(accounts: &Accounts) -> Person {
    let owner = accounts.register("Ada").await;
    let owner = accounts.found(&owner, "acme").await.1;
    accounts.letters().await;
    owner
}

async fn invite(accounts: &Accounts, by: &Person, name: &str, role: &str) -> Value {
    accounts.run(&by.caller, INVITE, json!({ "input": { "email": email(name), "role": role } })).await
}

/// Invites somebody who can be, and reads the letter.
async fn invited(accounts: &Accounts, by: &Person, name: &str, role: &str) -> String {
    let invited = invite(accounts, by, name, role).await;
    assert_eq!(invited.get("errors"), None, "{invited}");
    let letters = accounts.letters().await;
    letters.iter().find(|letter| letter.subject == "You are invited").unwrap().token()
}

/// Somebody whose address is known to be its own.
async fn confirmed(accounts: &Accounts, name: &str) -> Person {
    let person = accounts.register(name).await;
    let letters = accounts.letters().await;
    let letter = letters.iter().find(|letter| letter.to == email(name)).unwrap();
    let verify = "mutation ($token: String!) { verifyEmail(input: { token: $token }) { email } }";
    accounts.data(&accounts.anonymous(), verify, json!({ "token": letter.token() })).await;
    person
}

async fn accept(accounts: &Accounts, who: &Person, token: &str) -> Value {
    accounts.run(&who.caller, ACCEPT, json!({ "input": { "token": token } })).await
}

fn message(response: &Value) -> &str {
    response["errors"][0]["message"].as_str().unwrap_or_default()
}

const GONE: &str = "this invitation is good no more: ask whoever invited you for a new one";

#[tokio::test]
async fn somebody_who_has_registered_accepts_once() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let bea = confirmed(&accounts, "Bea").await;
    let answer = invite(&accounts, &owner, "Bea", "MEMBER").await;
    assert_snapshot!(show(&answer), @r#"{"data":{"inviteMember":{"invitation":{"id":"[id]","email":"bea@example.com","role":"MEMBER","state":"OPEN","unitIds":[],"version":1,"inviter":{"name":"Ada"}}}}}"#);
    let letter = accounts.letter().await;
    assert_eq!((letter.to.as_str(), letter.subject.as_str()), ("bea@example.com", "You are invited"));
    let token = letter.token();
    let preview = accounts.run(&accounts.anonymous(), PREVIEW, json!({ "token": token })).await;
    assert_snapshot!(show(&preview), @r#"{"data":{"invitation":{"organizationName":"The acme","role":"MEMBER","inviterName":"Ada"}}}"#);
    let mine = accounts.run(&bea.caller, MINE, json!({})).await;
    assert_snapshot!(show(&mine), @r#"{"data":{"myInvitations":[{"id":"[id]","organizationName":"The acme","role":"MEMBER","inviterName":"Ada"}]}}"#);
    let (one, two) = tokio::join!(accept(&accounts, &bea, &token), accept(&accounts, &bea, &token));
    assert_snapshot!(show(&one), @r#"{"data":{"acceptInvitation":{"organization":{"slug":"acme","viewerRole":"MEMBER"},"membership":{"role":"MEMBER"}}}}"#);
    assert_eq!(one, two);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships WHERE role = 'member'").await, 1);
    let events = "SELECT count(*) FROM platform.outbox
                   WHERE (subject, kind) IN (('accounts.membership', 'created'), ('accounts.invitation', 'updated'))";
    // Ada's membership, Bea's, and the invitation's end.
    assert_eq!(accounts.count(events).await, 3);
    assert_eq!(
        accounts.count("SELECT count(*) FROM accounts.history WHERE subject = 'accounts.invitation'").await,
        1
    );
    let list = accounts.data(&owner.caller, LIST, json!({ "states": ["ACCEPTED"] })).await;
    assert_eq!(list["invitations"]["totalCount"], 1);
    assert_eq!(message(&accounts.run(&accounts.anonymous(), PREVIEW, json!({ "token": token })).await), GONE);
}

#[tokio::test]
async fn inviting_answers_the_same_whether_the_address_has_a_user() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    confirmed(&accounts, "Bea").await;
    let known = show(&invite(&accounts, &owner, "Bea", "VIEWER").await);
    let unknown = show(&invite(&accounts, &owner, "Cid", "VIEWER").await);
    assert_eq!(known.replace("bea@", "x@"), unknown.replace("cid@", "x@"));
    let to: Vec<_> = accounts.letters().await.into_iter().map(|letter| letter.body).collect();
    assert_eq!(to.len(), 2);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.invitations WHERE hash IS NOT NULL").await, 2);
}

#[tokio::test]
async fn somebody_registers_by_the_letter_and_is_a_member_at_once() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let token = invited(&accounts, &owner, "Bea", "ADMIN").await;
    let register = async |name: &str, token: &str| {
        let input =
            json!({ "email": email(name), "password": PASSWORD, "name": name, "invitationToken": token });
        accounts.run(&accounts.anonymous(), REGISTER, json!({ "input": input })).await
    };
    let other = register("Cid", &token).await;
    assert_snapshot!(show(&other), @r#"{"errors":[{"message":"this invitation was sent to another address: use the one that it was sent to","extensions":{"code":"FORBIDDEN","field":"input.invitationToken"},"path":["register"]}],"data":null}"#);
    assert_eq!(message(&register("Bea", "pulse_in_unknown").await), GONE);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.users").await, 1);
    let joined = register("Bea", &token).await;
    assert_snapshot!(show(&joined), @r#"{"data":{"register":{"accessToken":"[access token]","user":{"emailVerified":null},"organization":{"slug":"acme","viewerRole":"ADMIN"}}}}"#);
    let caller = accounts.caller(&joined["data"]["register"]["accessToken"]);
    assert!(caller.require(&Permission::MEMBER_MANAGE).is_ok());
    assert!(accounts.letters().await.is_empty());
    let confirmed = "SELECT count(*) FROM accounts.users WHERE email_verified_at IS NOT NULL";
    assert_eq!(accounts.count(confirmed).await, 1);
    let of_persons = "SELECT count(*) FROM platform.outbox WHERE subject IN ('accounts.user', 'accounts.session') AND tenant IS NOT NULL";
    assert_eq!(accounts.count(of_persons).await, 0);
}

#[tokio::test]
async fn an_invitation_is_for_its_address_alone() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let token = invited(&accounts, &owner, "Bea", "MEMBER").await;
    let eve = confirmed(&accounts, "Eve").await;
    assert_snapshot!(show(&accept(&accounts, &eve, &token).await), @r#"{"errors":[{"message":"this invitation was sent to another address: use the one that it was sent to","extensions":{"code":"FORBIDDEN"},"path":["acceptInvitation"]}],"data":null}"#);
    let bea = accounts.register("Bea").await;
    assert_eq!(accounts.data(&bea.caller, MINE, json!({})).await["myInvitations"], json!([]));
    assert_snapshot!(show(&accept(&accounts, &bea, &token).await), @r#"{"errors":[{"message":"confirm your email address first: ask for the letter by `requestEmailVerification`","extensions":{"code":"FORBIDDEN"},"path":["acceptInvitation"]}],"data":null}"#);
    let anonymous = accounts.run(&accounts.anonymous(), ACCEPT, json!({ "input": { "token": token } })).await;
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let by_id = json!({ "input": { "id": invitation_id(&accounts, &owner).await } });
    assert_eq!(message(&accounts.run(&eve.caller, ACCEPT, by_id).await), GONE);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships").await, 1);
}

async fn invitation_id(accounts: &Accounts, owner: &Person) -> String {
    let data = accounts.data(&owner.caller, "{ invitations { nodes { id } } }", json!({})).await;
    data["invitations"]["nodes"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn revoked_declined_expired_and_renewed_letters_are_worth_nothing() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let bea = confirmed(&accounts, "Bea").await;
    let first = invited(&accounts, &owner, "Bea", "MEMBER").await;
    let again = invited(&accounts, &owner, "Bea", "VIEWER").await;
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.invitations").await, 1);
    assert_eq!(message(&accept(&accounts, &bea, &first).await), GONE);
    let id = json!({ "id": invitation_id(&accounts, &owner).await });
    assert_snapshot!(show(&accounts.run(&owner.caller, REVOKE, id.clone()).await), @r#"{"data":{"revokeInvitation":{"invitation":{"state":"REVOKED"}}}}"#);
    assert_eq!(message(&accept(&accounts, &bea, &again).await), GONE);
    assert_snapshot!(show(&accounts.run(&owner.caller, RESEND, id).await), @r#"{"errors":[{"message":"your organization has no such open invitation","extensions":{"code":"NOT_FOUND","field":"input.id"},"path":["resendInvitation"]}],"data":null}"#);

    let token = invited(&accounts, &owner, "Bea", "MEMBER").await;
    let decline = accounts.run(&accounts.anonymous(), DECLINE, json!({ "input": { "token": token } })).await;
    assert_snapshot!(show(&decline), @r#"{"data":{"declineInvitation":{"declined":true}}}"#);
    assert_eq!(message(&accept(&accounts, &bea, &token).await), GONE);

    accounts.pass(3_600);
    let token = invited(&accounts, &owner, "Bea", "MEMBER").await;
    accounts.pass(7 * 86_400);
    assert_eq!(message(&accept(&accounts, &bea, &token).await), GONE);
    let list = accounts.data(&owner.caller, LIST, json!({ "states": ["EXPIRED", "OPEN"] })).await;
    assert_eq!(
        list["invitations"],
        json!({ "totalCount": 1, "nodes": [{ "email": "bea@example.com", "state": "EXPIRED" }] })
    );
    let open = accounts
        .data(&owner.caller, "{ invitations(filter: { states: [EXPIRED] }) { nodes { id } } }", json!({}))
        .await;
    let id = json!({ "id": open["invitations"]["nodes"][0]["id"] });
    assert_eq!(
        accounts.data(&owner.caller, RESEND, id).await["resendInvitation"]["invitation"]["state"],
        "OPEN"
    );
    let token = accounts.letter().await.token();
    assert_eq!(accept(&accounts, &bea, &token).await.get("errors"), None);
}

#[tokio::test]
async fn who_may_not_invite_any_more_has_invited_nobody() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let admin = accounts.member(&owner, "Zoe", "ADMIN").await;
    let bea = confirmed(&accounts, "Bea").await;
    let token = invited(&accounts, &admin, "Bea", "MEMBER").await;
    let change = "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: MEMBER }) { membership { role } } }";
    accounts.data(&owner.caller, change, json!({ "id": admin.id.to_string() })).await;
    assert_eq!(message(&accept(&accounts, &bea, &token).await), GONE);
    // Somebody who may takes it over.
    let id = json!({ "id": invitation_id(&accounts, &owner).await });
    accounts.data(&owner.caller, RESEND, id).await;
    let token = accounts.letter().await.token();
    assert_eq!(accept(&accounts, &bea, &token).await.get("errors"), None);
}

#[tokio::test]
async fn units_are_joined_where_the_inviter_could_still_add_people() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let admin = accounts.member(&owner, "Zoe", "ADMIN").await;
    let bea = confirmed(&accounts, "Bea").await;
    let create =
        "mutation ($name: String!) { createUnit(input: { kind: TEAM, name: $name }) { unit { id } } }";
    let mut units = Vec::new();
    for name in ["blue", "green"] {
        let made = accounts.data(&owner.caller, create, json!({ "name": name })).await;
        units.push(made["createUnit"]["unit"]["id"].as_str().unwrap().to_owned());
    }
    let input = json!({ "email": email("Bea"), "role": "VIEWER", "unitIds": units });
    accounts.data(&admin.caller, INVITE, json!({ "input": input })).await;
    let token = accounts.letter().await.token();
    let deny = json!({
        "userId": admin.id.to_string(), "permission": "unit:manage", "resource": format!("unit:{}", units[1]),
        "effect": "DENY",
    });
    let grant = "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { grant { id } } }";
    accounts.data(&owner.caller, grant, json!({ "input": deny })).await;
    assert_eq!(accept(&accounts, &bea, &token).await.get("errors"), None);
    let joined = "SELECT count(*) FROM accounts.unit_members JOIN accounts.units ON units.id = unit WHERE name = 'blue'";
    assert_eq!(accounts.count(joined).await, 1);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.unit_members").await, 1);
}

#[tokio::test]
async fn registering_by_a_letter_is_safe_to_repeat() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let token = invited(&accounts, &owner, "Bea", "MEMBER").await;
    let register = async |key: &str| {
        let input = json!({ "email": email("Bea"), "password": PASSWORD, "name": "Bea", "invitationToken": token,
            "idempotencyKey": key });
        accounts.run(&accounts.anonymous(), REGISTER, json!({ "input": input })).await
    };
    let (first, again) = (register("once").await, register("once").await);
    assert_eq!(first.get("errors"), None, "{first}");
    assert_eq!(again.get("errors"), None, "{again}");
    assert_eq!(again["data"]["register"]["organization"], first["data"]["register"]["organization"]);
    assert!(register("twice").await.get("errors").is_some());
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.users").await, 2);
}

#[tokio::test]
async fn inviting_needs_the_permission_and_the_role() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let admin = accounts.member(&owner, "Zoe", "ADMIN").await;
    let member = accounts.member(&owner, "Mia", "MEMBER").await;
    let refused = invite(&accounts, &admin, "Bea", "OWNER").await;
    assert_snapshot!(show(&refused), @r#"{"errors":[{"message":"you need the permission organization:manage in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["inviteMember"]}],"data":null}"#);
    assert_eq!(
        invite(&accounts, &member, "Bea", "VIEWER").await["errors"][0]["extensions"]["code"],
        "FORBIDDEN"
    );
    let blind = without(&owner.caller, &Permission::MEMBER_MANAGE);
    assert_eq!(accounts.run(&blind, LIST, json!({})).await["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let there = invite(&accounts, &owner, "Mia", "ADMIN").await;
    assert_snapshot!(show(&there), @r#"{"errors":[{"message":"this person is a member already: change the role instead","extensions":{"code":"CONFLICT","field":"input.email"},"path":["inviteMember"]}],"data":null}"#);
    let wrong = json!({ "input": { "email": "nobody", "role": "VIEWER" } });
    assert_snapshot!(show(&accounts.run(&owner.caller, INVITE, wrong).await), @r#"{"errors":[{"message":"this is not an email address: expected something like name@example.com","extensions":{"code":"BAD_USER_INPUT","field":"input.email"},"path":["inviteMember"]}],"data":null}"#);
    let unit =
        json!({ "input": { "email": email("Bea"), "role": "VIEWER", "unitIds": [owner.id.to_string()] } });
    assert_snapshot!(show(&accounts.run(&owner.caller, INVITE, unit).await), @r#"{"errors":[{"message":"your organization has no such sub-organization or team","extensions":{"code":"NOT_FOUND","field":"input.unitIds"},"path":["inviteMember"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.invitations").await, 0);
    let stranger = accounts.register("Eve").await;
    let (_, stranger) = accounts.found(&stranger, "elsewhere").await;
    invited(&accounts, &owner, "Bea", "MEMBER").await;
    let id = json!({ "id": invitation_id(&accounts, &owner).await });
    assert_eq!(
        message(&accounts.run(&stranger.caller, REVOKE, id).await),
        "your organization has no such open invitation"
    );
    assert_eq!(accounts.data(&stranger.caller, LIST, json!({})).await["invitations"]["totalCount"], 0);
}

#[tokio::test]
async fn several_are_invited_all_or_none_and_once_under_a_key() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let people = |names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| json!({ "email": email(name), "role": "VIEWER" })).collect()
    };
    let run = async |people: Vec<Value>, key: Option<&str>| {
        let input = json!({ "people": people, "idempotencyKey": key });
        accounts.run(&owner.caller, INVITE_MANY, json!({ "input": input })).await
    };
    let twice = run(people(&["Bea", "Cid", "bea"]), None).await;
    assert_snapshot!(show(&twice), @r#"{"errors":[{"message":"this address is in the list twice","extensions":{"code":"BAD_USER_INPUT","field":"input.people[2].email"},"path":["inviteMembers"]}],"data":null}"#);
    let member = run(people(&["Bea", "Ada"]), None).await;
    assert_eq!(member["errors"][0]["extensions"]["field"], "input.people[1].email");
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.invitations").await, 0);
    let many: Vec<Value> =
        (0..51).map(|n| json!({ "email": format!("p{n}@example.com"), "role": "VIEWER" })).collect();
    assert_eq!(message(&run(many, None).await), "invite 1 to 50 people at once, these are 51");
    let first = run(people(&["Cid", "Bea"]), Some("k")).await;
    assert_snapshot!(show(&first), @r#"{"data":{"inviteMembers":{"invitations":[{"email":"cid@example.com","role":"VIEWER","state":"OPEN"},{"email":"bea@example.com","role":"VIEWER","state":"OPEN"}]}}}"#);
    assert_eq!(run(people(&["Cid", "Bea"]), Some("k")).await, first);
    assert_eq!(accounts.letters().await.len(), 2);
}

#[tokio::test]
async fn letters_and_open_invitations_are_limited() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let fifty = |from: usize| -> Value {
        let one = |n: usize| json!({ "email": format!("p{n}@example.com"), "role": "VIEWER" });
        json!({ "input": { "people": (from..from + 50).map(one).collect::<Vec<_>>() } })
    };
    for from in [0, 50] {
        accounts.data(&owner.caller, INVITE_MANY, fifty(from)).await;
    }
    let more = invite(&accounts, &owner, "Bea", "VIEWER").await;
    assert_eq!(more["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    accounts.pass(3_600);
    // One address gets few letters, whatever the tenant may send.
    for _ in 0..3 {
        assert_eq!(invite(&accounts, &owner, "Bea", "VIEWER").await.get("errors"), None);
    }
    assert_eq!(invite(&accounts, &owner, "Bea", "VIEWER").await.get("errors"), None);
    assert_eq!(
        invite(&accounts, &owner, "Bea", "VIEWER").await["errors"][0]["extensions"]["code"],
        "RATE_LIMITED"
    );
    let fill = "WITH filled AS (
        INSERT INTO accounts.invitations (org_id, id, email, role, state, inviter, created_at, updated_at, expires_at)
        SELECT org_id, gen_random_uuid(), 'q' || n || '@example.com', role, state, inviter, created_at, updated_at, expires_at
          FROM (SELECT * FROM accounts.invitations LIMIT 1) AS one, generate_series(1, 899) AS n RETURNING 1)
        SELECT count(*) FROM filled";
    assert_eq!(accounts.count(fill).await, 899);
    let refused = invite(&accounts, &owner, "Cid", "VIEWER").await;
    assert_snapshot!(show(&refused), @r#"{"errors":[{"message":"an organization has at most 1000 open invitations: revoke some, or wait until some are answered","extensions":{"code":"CONFLICT"},"path":["inviteMember"]}],"data":null}"#);
}

#[tokio::test]
async fn an_invitation_names_teams_and_goes_on_without_those_that_are_gone() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let bea = confirmed(&accounts, "Bea").await;
    let make = "WITH made AS (INSERT INTO accounts.units (org_id, id, kind, name, created_at, updated_at)
        SELECT org_id, gen_random_uuid(), 'team', 'Team ' || n, created_at, created_at FROM accounts.organizations, generate_series(1, 2) AS n
        RETURNING 1) SELECT count(*) FROM made";
    assert_eq!(accounts.count(make).await, 2);
    let mut connection = accounts.database.connect().await.unwrap();
    let units: Vec<String> = sqlx::query_scalar("SELECT id::text FROM accounts.units ORDER BY id")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let input = json!({ "email": email("Bea"), "role": "VIEWER", "unitIds": units });
    let invited = accounts.data(&owner.caller, INVITE, json!({ "input": input })).await;
    assert_eq!(invited["inviteMember"]["invitation"]["unitIds"], json!(units));
    sqlx::query("DELETE FROM accounts.units WHERE name = 'Team 1'").execute(&mut connection).await.unwrap();
    let id = accounts.data(&bea.caller, MINE, json!({})).await["myInvitations"][0]["id"].clone();
    let accepted = accounts.run(&bea.caller, ACCEPT, json!({ "input": { "id": id } })).await;
    assert_eq!(accepted.get("errors"), None, "{accepted}");
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.unit_members").await, 1);
}

#[tokio::test]
async fn a_member_who_accepts_keeps_the_role() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let bea = confirmed(&accounts, "Bea").await;
    let token = invited(&accounts, &owner, "Bea", "VIEWER").await;
    let add = crate::harness::add("Bea", "ADMIN");
    accounts.data(&owner.caller, crate::harness::ADD_MEMBER, add).await;
    let accepted = accept(&accounts, &bea, &token).await;
    assert_eq!(accepted["data"]["acceptInvitation"]["membership"]["role"], "ADMIN");
    let both = accounts.run(&bea.caller, ACCEPT, json!({ "input": {} })).await;
    assert_eq!(
        message(&both),
        "give `token`, which is in the letter, or `id`, which is in `myInvitations`; not both"
    );
}
