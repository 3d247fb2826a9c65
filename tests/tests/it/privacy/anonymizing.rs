//! Making a person anonymous in one tenant.

use pulse_tests::PASSWORD;
use pulse_types::PrivacyRequestId;
use serde_json::{Value, json};

use super::{MARKS, PATIENCE, Stage, traces};

const ANONYMIZE: &str =
    "mutation ($id: ID!) { anonymizeUser(input: { userId: $id }) { userId requestedAt } }";

impl Stage {
    /// The person also belongs to the other tenant, and does something there.
    async fn at_home_elsewhere(&self) -> Value {
        let add =
            "mutation ($email: String!) { addMember(input: { email: $email, role: ADMIN }) { __typename } }";
        self.platform.data(&self.beta.owner.token, add, json!({ "email": self.person.email })).await;
        let signed_in = self.sign_in_to_beta().await;
        let create = "mutation { createEntity(input: { key: \"own\", type: \"package\", name: \"own\" }) { entity { id } } }";
        self.platform.data(signed_in["accessToken"].as_str().unwrap(), create, json!({})).await
    }

    async fn sign_in_to_beta(&self) -> Value {
        let sign_in =
            "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken user { name } } }";
        let input = json!({ "email": self.person.email, "password": PASSWORD, "organizationSlug": "beta" });
        let answer = self.platform.graphql(None, sign_in, json!({ "input": input })).await;
        answer.json["data"]["signIn"].clone()
    }

    async fn anonymizing(&self) -> PrivacyRequestId {
        let mut connection = self.platform.database.connect().await.unwrap();
        let sql = "SELECT id FROM platform.privacy_requests WHERE kind = 'anonymize'";
        PrivacyRequestId::from_uuid(sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap())
    }
}

#[tokio::test]
async fn one_tenant_has_no_trace_of_an_anonymous_person_and_all_others_have_theirs() {
    let stage = Stage::new().await;
    stage.at_home_elsewhere().await;
    stage.verified().await;
    let id = stage.person.id.as_str();
    let values = [id, MARKS[0], MARKS[1], MARKS[2]];
    let before = traces::in_tenant(&stage.platform, &stage.alpha.id, &values).await;
    for table in [
        "platform.log",
        "platform.audit",
        "platform.dead_letters",
        "accounts.memberships",
        "analytics.events",
    ] {
        assert!(before.iter().any(|found| found.ends_with(table)), "nothing was in {table}: {before:#?}");
    }
    let elsewhere = traces::in_tenant(&stage.platform, &stage.beta.id, &values).await;
    assert!(!elsewhere.is_empty());
    let totals = stage.totals().await;

    let done = stage.platform.data(&stage.alpha.admin.token, ANONYMIZE, json!({ "id": id })).await;
    assert_eq!(done["anonymizeUser"]["userId"], id);
    let signed_out = async {
        while stage.platform.graphql(Some(&stage.person.token), "{ me { id } }", json!({})).await.status
            != 401
        {}
    };
    tokio::time::timeout(PATIENCE, signed_out).await.expect("tokens for the tenant are refused");
    stage.until(stage.anonymizing().await, "completed").await;

    assert_eq!(traces::in_tenant(&stage.platform, &stage.alpha.id, &values).await, Vec::<String>::new());
    assert_eq!(traces::in_tenant(&stage.platform, &stage.beta.id, &values).await, elsewhere);
    assert!(stage.verified().await > 5);
    assert_eq!(stage.totals().await, totals);
    // The account is there, and works elsewhere.
    assert_eq!(stage.sign_in_to_beta().await["user"]["name"], MARKS[2]);
    // Nobody of whom the tenant knows.
    let again = stage.platform.graphql(Some(&stage.alpha.admin.token), ANONYMIZE, json!({ "id": id })).await;
    assert_eq!(again.code(), Some("NOT_FOUND"), "{again:?}");
}

#[tokio::test]
async fn somebody_else_who_may_makes_anonymous_and_nobody_the_last_owner() {
    let stage = Stage::new().await;
    let ask = async |token: &str, id: &str| {
        let answer = stage.platform.graphql(Some(token), ANONYMIZE, json!({ "id": id })).await;
        answer.code().map(str::to_owned)
    };
    let (owner, admin) = (&stage.alpha.owner, &stage.alpha.admin);
    assert_eq!(ask(&admin.token, &admin.id).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(ask(&admin.token, &owner.id).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(ask(&admin.token, &stage.beta.owner.id).await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(ask(&stage.beta.owner.token, &stage.person.id).await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(ask(&stage.alpha.member.token, &stage.person.id).await.as_deref(), Some("FORBIDDEN"));
    // Whoever has left is known still.
    let leave = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";
    stage.platform.data(&owner.token, leave, json!({ "id": stage.person.id })).await;
    assert_eq!(ask(&admin.token, &stage.person.id).await, None);
    stage.until(stage.anonymizing().await, "completed").await;
}
