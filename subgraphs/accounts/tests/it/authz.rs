//! Every root field, as an anonymous caller and as one without any permission.

use pulse_types::Permissions;
use serde_json::{Value, json};

use crate::harness::{Accounts, PASSWORD};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

type Field = (&'static str, String, Option<&'static str>, Option<&'static str>);

/// Each root field, with the code that an anonymous caller gets, and the one that a signed-in caller without
/// permissions gets. `None` is no error.
fn open_fields() -> Vec<Field> {
    let (nobody, forbidden) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"));
    vec![
        ("me", "{ me { id } }".into(), None, None),
        ("organizations", "{ organizations { nodes { id } } }".into(), nobody, None),
        ("organization", "{ organization { id } }".into(), nobody, forbidden),
        (
            "register",
            format!(
                r#"mutation {{ register(input: {{ email: "new@example.com", password: "{PASSWORD}", name: "New" }}) {{ user {{ id }} }} }}"#
            ),
            None,
            Some("CONFLICT"),
        ),
        (
            "signIn",
            format!(
                r#"mutation {{ signIn(input: {{ email: "ada@example.com", password: "{PASSWORD}" }}) {{ user {{ id }} }} }}"#
            ),
            None,
            None,
        ),
        (
            "refreshSession",
            r#"mutation { refreshSession(input: { refreshToken: "none" }) { user { id } } }"#.into(),
            nobody,
            nobody,
        ),
        (
            "switchOrganization",
            format!(
                r#"mutation {{ switchOrganization(input: {{ organizationId: "{ID}" }}) {{ accessToken }} }}"#
            ),
            nobody,
            Some("NOT_FOUND"),
        ),
        (
            "createOrganization",
            r#"mutation { createOrganization(input: { slug: "new", name: "New" }) { organization { id } } }"#
                .into(),
            nobody,
            None,
        ),
    ]
}

/// The same of what is done by mail: a token says who somebody is, whoever has it.
fn mail_fields() -> Vec<Field> {
    let (nobody, forbidden, bad) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"), Some("BAD_USER_INPUT"));
    let field = |name: &'static str, input: &str, selection: &str| {
        let input = if input.is_empty() { String::new() } else { format!("(input: {{ {input} }})") };
        (name, format!("mutation {{ {name}{input} {{ {selection} }} }}"))
    };
    let wrong = r#"password: "not the password""#;
    let new = format!(r#"newPassword: "{PASSWORD}""#);
    let rows = [
        (field("verifyEmail", r#"token: "x""#, "email"), bad, bad),
        (field("confirmEmailChange", r#"token: "x""#, "email"), bad, bad),
        (field("resetPassword", &format!(r#"token: "x", {new}"#), "reset"), bad, bad),
        (field("signInWithLink", r#"token: "x""#, "accessToken"), bad, bad),
        (field("beginPasskey", wrong, "ceremony"), nobody, forbidden),
        (
            field("finishPasskey", r#"ceremony: "x", credential: {}, name: "x""#, "passkey { id }"),
            nobody,
            bad,
        ),
        (
            field("renamePasskey", &format!(r#"passkeyId: "{ID}", name: "x""#), "passkey { id }"),
            nobody,
            Some("NOT_FOUND"),
        ),
        (field("removePasskey", &format!(r#"passkeyId: "{ID}""#), "passkeyId"), nobody, Some("NOT_FOUND")),
        (field("beginPasskeySignIn", "", "ceremony"), None, None),
        (field("signInWithPasskey", r#"ceremony: "x", credential: {}"#, "accessToken"), bad, bad),
        (field("verifySecondFactor", r#"challenge: "x", code: "000000""#, "accessToken"), bad, bad),
        (field("beginTotp", wrong, "secret"), nobody, forbidden),
        (field("confirmTotp", r#"code: "000000""#, "recoveryCodes"), nobody, Some("CONFLICT")),
        (field("removeTotp", r#"code: "000000""#, "removed"), nobody, Some("CONFLICT")),
        (field("replaceRecoveryCodes", r#"code: "000000""#, "recoveryCodes"), nobody, Some("CONFLICT")),
        (field("requestPasswordReset", r#"email: "ada@example.com""#, "accepted"), None, None),
        (field("requestSignInLink", r#"email: "ada@example.com""#, "accepted"), None, None),
        (field("requestEmailVerification", "", "accepted"), nobody, None),
        (
            field("requestEmailChange", &format!(r#"email: "x@example.com", {wrong}"#), "accepted"),
            nobody,
            forbidden,
        ),
        (field("changePassword", &format!("{wrong}, {new}"), "changed"), nobody, forbidden),
        (field("endSession", &format!(r#"sessionId: "{ID}""#), "sessionId"), nobody, Some("NOT_FOUND")),
        (field("endOtherSessions", "", "sessionIds"), nobody, None),
    ];
    rows.into_iter()
        .map(|((name, query), anonymous, powerless)| (name, query, anonymous, powerless))
        .collect()
}

/// The same of those that need a permission, or a person.
fn guarded_fields() -> Vec<Field> {
    let (nobody, forbidden) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"));
    vec![
        (
            "updateOrganization",
            r#"mutation { updateOrganization(input: { name: "New" }) { organization { id } } }"#.into(),
            nobody,
            forbidden,
        ),
        (
            "addMember",
            r#"mutation { addMember(input: { email: "ada@example.com", role: VIEWER }) { membership { role } } }"#.into(),
            nobody,
            forbidden,
        ),
        (
            "changeMemberRole",
            format!(r#"mutation {{ changeMemberRole(input: {{ userId: "{ID}", role: VIEWER }}) {{ membership {{ role }} }} }}"#),
            nobody,
            forbidden,
        ),
        (
            "removeMember",
            format!(r#"mutation {{ removeMember(input: {{ userId: "{ID}" }}) {{ userId }} }}"#),
            nobody,
            forbidden,
        ),
        ("updateMe", r#"mutation { updateMe(input: { name: "New" }) { user { id } } }"#.into(), nobody, None),
        ("signOut", "mutation { signOut { sessionId } }".into(), nobody, None),
    ]
}

/// The same of API keys and service accounts.
fn machine_fields() -> Vec<Field> {
    let id = format!(r#"id: "{ID}""#);
    let new = r#"name: "X", scopes: ["entity:read"]"#.to_owned();
    let fields = [
        ("apiKey", format!("{{ apiKey({id}) {{ id }} }}")),
        ("apiKeys", "{ apiKeys { totalCount } }".to_owned()),
        ("serviceAccount", format!("{{ serviceAccount({id}) {{ id }} }}")),
        ("serviceAccounts", "{ serviceAccounts { totalCount } }".to_owned()),
    ];
    let mutations = [
        ("createApiKey", &new, "secret"),
        ("updateApiKey", &id, "apiKey { id }"),
        ("rotateApiKey", &id, "secret"),
        ("revokeApiKey", &id, "apiKey { id }"),
        ("createServiceAccount", &new, "clientSecret"),
        ("updateServiceAccount", &id, "serviceAccount { id }"),
        ("rotateServiceAccountSecret", &id, "clientSecret"),
        ("deleteServiceAccount", &id, "id"),
    ];
    let mutations = mutations.map(|(name, input, selection)| {
        (name, format!("mutation {{ {name}(input: {{ {input} }}) {{ {selection} }} }}"))
    });
    let all = fields.into_iter().chain(mutations);
    all.map(|(name, query)| (name, query, Some("UNAUTHENTICATED"), Some("FORBIDDEN"))).collect()
}

/// The same of what is inside an organization.
fn unit_fields() -> Vec<Field> {
    let id = format!(r#"id: "{ID}""#);
    let people = format!(r#"{id}, userIds: ["{ID}"]"#);
    let mutations = [
        ("createUnit", r#"kind: TEAM, name: "X""#, "unit { id }"),
        ("updateUnit", &format!(r#"{id}, name: "X""#), "unit { id }"),
        ("moveUnit", &id, "unit { id }"),
        ("deleteUnit", &id, "deletedIds"),
        ("addUnitMembers", &people, "addedIds"),
        ("removeUnitMembers", &people, "removedIds"),
    ];
    let mutations = mutations.map(|(name, input, selection)| {
        (name, format!("mutation {{ {name}(input: {{ {input} }}) {{ {selection} }} }}"))
    });
    let all = [("unit", format!("{{ unit({id}) {{ id }} }}"))].into_iter().chain(mutations);
    all.map(|(name, query)| (name, query, Some("UNAUTHENTICATED"), Some("FORBIDDEN"))).collect()
}

/// The same of signing in by other issuers, and of naming them.
fn issuer_fields() -> Vec<Field> {
    let (nobody, forbidden, bad) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"), Some("BAD_USER_INPUT"));
    let page = format!(r#"providerId: "{ID}", redirectUri: "http://localhost:3000/sign-in/callback""#);
    let returned = r#"code: "x", state: "x", browserSecret: "x""#.to_owned();
    let (id, domain) = (format!(r#"id: "{ID}""#), r#"domain: "x.example""#.to_owned());
    let new = r#"name: "X", issuer: "https://issuer.example", clientId: "x""#.to_owned();
    let mutations = [
        ("startSignIn", &page, "expiresAt", Some("NOT_FOUND"), Some("NOT_FOUND")),
        ("completeSignIn", &returned, "accessToken", bad, bad),
        ("startLink", &page, "expiresAt", nobody, bad),
        ("linkIdentity", &returned, "identity { id }", nobody, bad),
        ("unlinkIdentity", &format!(r#"identityId: "{ID}""#), "identityId", nobody, Some("NOT_FOUND")),
        (
            "signOutAtIssuer",
            &r#"redirectUri: "https://elsewhere.example/""#.to_owned(),
            "sessionId",
            nobody,
            bad,
        ),
        ("createIdentityProvider", &new, "identityProvider { id }", nobody, forbidden),
        ("updateIdentityProvider", &id, "identityProvider { id }", nobody, forbidden),
        ("testIdentityProvider", &id, "signingKeys", nobody, forbidden),
        ("deleteIdentityProvider", &id, "id", nobody, forbidden),
        ("claimEmailDomain", &domain, "emailDomain { domain }", nobody, forbidden),
        ("verifyEmailDomain", &domain, "emailDomain { domain }", nobody, forbidden),
        ("releaseEmailDomain", &domain, "domain", nobody, forbidden),
    ];
    let mutations = mutations.map(|(name, input, selection, anonymous, powerless)| {
        let query = format!("mutation {{ {name}(input: {{ {input} }}) {{ {selection} }} }}");
        (name, query, anonymous, powerless)
    });
    let queries = [
        ("signInProviders", r#"{ signInProviders(email: "ada@example.com") { id } }"#.to_owned(), None, None),
        ("identityProviders", "{ identityProviders { id } }".to_owned(), nobody, forbidden),
        ("emailDomains", "{ emailDomains { domain } }".to_owned(), nobody, forbidden),
    ];
    queries.into_iter().chain(mutations).collect()
}

/// The same of what is stored about persons.
fn privacy_fields() -> Vec<Field> {
    let (nobody, forbidden) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"));
    let consent = |name: &str, input: &str| {
        format!("mutation {{ {name}(input: {{ {input} }}) {{ consent {{ id }} }} }}")
    };
    let of_user = |name: &str, selection: &str| {
        format!(r#"mutation {{ {name}(input: {{ userId: "{ID}" }}) {{ {selection} }} }}"#)
    };
    vec![
        ("giveConsent", consent("giveConsent", r#"purpose: "terms", version: "1""#), nobody, None),
        ("withdrawConsent", consent("withdrawConsent", r#"purpose: "terms""#), nobody, None),
        ("exportMyData", "mutation { exportMyData { export { id } } }".to_owned(), nobody, None),
        ("dataExport", format!(r#"{{ dataExport(id: "{ID}") {{ id }} }}"#), nobody, None),
        ("exportUserData", of_user("exportUserData", "export { id }"), nobody, forbidden),
        ("eraseUser", of_user("eraseUser", "userId"), nobody, forbidden),
        ("anonymizeUser", of_user("anonymizeUser", "userId"), nobody, forbidden),
        (
            "undoErasure",
            r#"mutation { undoErasure(input: { token: "x" }) { userId } }"#.to_owned(),
            Some("BAD_USER_INPUT"),
            Some("BAD_USER_INPUT"),
        ),
    ]
}

/// The same of who may do what.
fn access_fields() -> Vec<Field> {
    let (nobody, forbidden) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"));
    let id = format!(r#"id: "{ID}""#);
    let grant = format!(r#"userId: "{ID}", effect: ALLOW, permission: "entity:read""#);
    let mutations = [
        ("createRole", r#"name: "X", permissions: ["entity:read"]"#.to_owned(), "role { id }"),
        ("updateRole", id.clone(), "role { id }"),
        ("deleteRole", id.clone(), "id"),
        ("assignRole", format!(r#"userId: "{ID}", template: VIEWER"#), "assignment { id }"),
        ("unassignRole", id.clone(), "id"),
        ("grantAccess", grant, "grant { id }"),
        ("revokeAccess", id, "id"),
    ];
    let mutations = mutations.map(|(name, input, selection)| {
        (name, format!("mutation {{ {name}(input: {{ {input} }}) {{ {selection} }} }}"), nobody, forbidden)
    });
    let queries = [
        ("permissions", "{ permissions { name } }".to_owned(), nobody, None),
        ("roles", "{ roles { totalCount } }".to_owned(), nobody, forbidden),
        ("roleAssignments", "{ roleAssignments { totalCount } }".to_owned(), nobody, forbidden),
        ("grants", "{ grants { totalCount } }".to_owned(), nobody, forbidden),
        // One's own everybody may have explained.
        (
            "explainAccess",
            r#"{ explainAccess(permission: "entity:read") { allowed } }"#.to_owned(),
            nobody,
            None,
        ),
    ];
    queries.into_iter().chain(mutations).collect()
}

/// The same of invitations, settings, features and preferences.
fn settings_fields() -> Vec<Field> {
    let (nobody, forbidden, bad) = (Some("UNAUTHENTICATED"), Some("FORBIDDEN"), Some("BAD_USER_INPUT"));
    let id = format!(r#"id: "{ID}""#);
    let invitee = r#"email: "x@example.com", role: VIEWER"#;
    let mutations = [
        ("inviteMember", invitee.to_owned(), "invitation { id }", nobody, forbidden),
        ("inviteMembers", format!("people: [{{ {invitee} }}]"), "invitations { id }", nobody, forbidden),
        ("revokeInvitation", id.clone(), "invitation { id }", nobody, forbidden),
        ("resendInvitation", id.clone(), "invitation { id }", nobody, forbidden),
        ("acceptInvitation", r#"token: "x""#.to_owned(), "membership { role }", nobody, bad),
        ("declineInvitation", r#"token: "x""#.to_owned(), "declined", bad, bad),
        ("updateSettings", "weekStart: SUNDAY".to_owned(), "settings { version }", nobody, forbidden),
        ("updateBranding", "theme: DARK".to_owned(), "settings { version }", nobody, forbidden),
        ("uploadLogo", r#"data: "x""#.to_owned(), "settings { version }", nobody, forbidden),
        ("createFeatureFlag", r#"key: "x""#.to_owned(), "featureFlag { id }", nobody, forbidden),
        ("updateFeatureFlag", id.clone(), "featureFlag { id }", nobody, forbidden),
        ("deleteFeatureFlag", id, "id", nobody, forbidden),
        ("updatePreferences", "theme: DARK".to_owned(), "preferences { version }", nobody, None),
        (
            "patchClientPreferences",
            r#"namespace: "web", patch: {}"#.to_owned(),
            "client { version }",
            nobody,
            None,
        ),
        ("clearClientPreferences", r#"namespace: "web""#.to_owned(), "namespace", nobody, None),
    ];
    let mutations = mutations.map(|(name, input, selection, anonymous, powerless)| {
        let query = format!("mutation {{ {name}(input: {{ {input} }}) {{ {selection} }} }}");
        (name, query, anonymous, powerless)
    });
    let queries = [
        ("invitations", "{ invitations { totalCount } }", nobody, forbidden),
        ("invitation", r#"{ invitation(token: "x") { role } }"#, bad, bad),
        ("myInvitations", "{ myInvitations { id } }", nobody, None),
        ("settings", "{ settings { version } }", nobody, forbidden),
        ("effectiveSettings", "{ effectiveSettings { timeZone } }", nobody, forbidden),
        ("brandingOf", r#"{ brandingOf(slug: "x") { theme } }"#, None, None),
        ("featureFlags", "{ featureFlags { id } }", nobody, forbidden),
        ("flags", "{ flags { key } }", nobody, forbidden),
        ("flag", r#"{ flag(key: "x") { isOn } }"#, nobody, forbidden),
        ("preferences", "{ preferences { version } }", nobody, None),
    ];
    let queries =
        queries.map(|(name, query, anonymous, powerless)| (name, query.to_owned(), anonymous, powerless));
    queries.into_iter().chain(mutations).collect()
}

fn all_fields() -> impl Iterator<Item = Field> {
    let people = open_fields().into_iter().chain(mail_fields()).chain(issuer_fields());
    let guarded = guarded_fields().into_iter().chain(machine_fields()).chain(access_fields());
    people.chain(settings_fields()).chain(privacy_fields()).chain(guarded).chain(unit_fields())
}

fn code(response: &Value) -> Option<&str> {
    response["errors"][0]["extensions"]["code"].as_str()
}

#[tokio::test]
async fn each_root_field_refuses_whom_it_must() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (_, ada) = accounts.found(&ada, "acme").await;
    let mut powerless = ada.caller.clone();
    powerless.permissions = Permissions::none();
    for (name, query, anonymous, signed_in) in all_fields() {
        let response = accounts.run(&accounts.anonymous(), &query, json!({})).await;
        assert_eq!(code(&response), anonymous, "{name} as nobody: {response}");
        let response = accounts.run(&powerless, &query, json!({})).await;
        assert_eq!(code(&response), signed_in, "{name} without permissions: {response}");
    }
}

#[tokio::test]
async fn the_table_above_has_every_root_field() {
    let roots = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
    let accounts = Accounts::new().await;
    let data = accounts.data(&accounts.anonymous(), roots, json!({})).await;
    let listed: Vec<&str> = all_fields().map(|(name, ..)| name).collect();
    for root in ["queryType", "mutationType"] {
        for field in data["__schema"][root]["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            assert!(name.starts_with('_') || listed.contains(&name), "{name} is not in the table");
        }
    }
}
