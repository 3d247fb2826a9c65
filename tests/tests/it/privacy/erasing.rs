//! Erasing a person.

use pulse_audit::verify;
use pulse_sealing::Sealer;
use pulse_tests::{ApiKey, ENCRYPTION_KEY, Fingerprint};
use pulse_types::{PrivacyRequestId, Secret};
use serde_json::{Value, json};

use super::{MARKS, PATIENCE, Stage, traces};

const ERASE: &str = "mutation ($id: ID!) { eraseUser(input: { userId: $id }) { userId erasedAt undoToken } }";
const UNDO: &str = "mutation ($token: String!) { undoErasure(input: { token: $token }) { userId } }";

impl Stage {
    /// The time of grace is over.
    async fn due(&self) -> PrivacyRequestId {
        let mut connection = self.platform.database.connect().await.unwrap();
        let sql = "UPDATE platform.privacy_requests SET due_at = now() WHERE kind = 'erase' AND status = 'waiting' RETURNING id";
        let id: uuid::Uuid = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        self.execute(
            "INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, ready, created_at)
             VALUES (gen_random_uuid(), 'platform.privacy_begin', '{}', 0, 3, now(), true, now())",
        )
        .await;
        PrivacyRequestId::from_uuid(id)
    }

    pub(super) async fn totals(&self) -> Value {
        let now = self.platform.store.clock().now();
        let day = |days| (now + chrono::TimeDelta::days(days)).date_naive().to_string() + "T00:00:00Z";
        let query = "query ($from: DateTime!, $to: DateTime!) {
            timeSeries(input: { from: $from, to: $to, interval: DAY, groupBy: { by: NAME } }) { groups { key total } }
            events { totalCount } entities { totalCount } }";
        let variables = json!({ "from": day(-1), "to": day(2) });
        self.platform.data(&self.alpha.owner.token, query, variables).await
    }

    /// Every chain is whole; how many facts are without their person. Waits for what is still to be chained.
    pub(super) async fn verified(&self) -> u64 {
        let sealer = Sealer::try_new(&Secret::new(ENCRYPTION_KEY), &[]).unwrap();
        let mut connection = self.platform.database.connect().await.unwrap();
        let chained = async {
            loop {
                let sql = "SELECT (SELECT count(*) FROM platform.audit) = (SELECT count(*) FROM platform.audit_chain)";
                if sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, chained).await.expect("every fact is chained");
        let report = verify(&self.platform.store, &sealer, None, |_| {}).await.unwrap();
        assert_eq!(report.broken, None);
        assert!(report.chains >= 3 && report.links > 20, "{report:?}");
        report.erased
    }
}

#[tokio::test]
async fn not_a_trace_of_an_erased_person_is_left_and_nothing_else_is_gone() {
    let stage = Stage::new().await;
    stage.export().await;
    assert_eq!(stage.verified().await, 0);
    let id = stage.person.id.clone();
    let values: Vec<_> = MARKS.into_iter().chain([id.as_str()]).collect();
    let before = traces::of(&stage.platform, &values).await;
    for value in &values {
        assert!(before.iter().any(|place| place.starts_with(value)), "{value} was nowhere: {before:#?}");
    }
    for place in [
        "platform.log",
        "platform.audit",
        "platform.jobs_ended",
        "platform.dead_letters",
        "analytics.events",
        ".json",
    ] {
        assert!(before.iter().any(|found| found.contains(place)), "nothing was in {place}: {before:#?}");
    }
    let totals = stage.totals().await;
    let beta = Fingerprint::of_tenant(&stage.platform, &stage.beta).await;

    stage.platform.data(&stage.person.token, ERASE, json!({ "id": id })).await;
    let request = stage.due().await;
    stage.until(request, "completed").await;

    assert_eq!(traces::of(&stage.platform, &values).await, Vec::<String>::new());
    assert!(stage.verified().await > 5);
    // Looking took so long that connections were closed; another process also has nothing in memory.
    let stage = Stage { platform: stage.platform.another().await, ..stage };
    assert_eq!(stage.totals().await, totals);
    assert_eq!(Fingerprint::of_tenant(&stage.platform, &stage.beta).await, beta);
    let mut connection = stage.platform.database.connect().await.unwrap();
    let sql = "SELECT owner FROM platform.privacy_receipts WHERE request = $1 ORDER BY owner";
    let receipts: Vec<String> =
        sqlx::query_scalar(sql).bind(request.uuid()).fetch_all(&mut connection).await.unwrap();
    assert_eq!(
        receipts,
        ["accounts", "analytics", "entities", "operations", "platform", "registry", "vectors"]
    );
    // Everybody else is who they were.
    let members =
        "{ organization: me { organizations { nodes { members(first: 20) { nodes { email } } } } } }";
    let data = stage.platform.data(&stage.alpha.owner.token, members, json!({})).await;
    let nodes = &data["organization"]["organizations"]["nodes"][0]["members"]["nodes"];
    assert_eq!(nodes.as_array().map(Vec::len), Some(5), "{data}");
    // The address is free again.
    let answer = stage.try_sign_in().await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn whoever_is_to_be_erased_is_signed_out_at_once_and_comes_back_when_it_is_taken_back() {
    let stage = Stage::new().await;
    let input = json!({ "name": "theirs", "scopes": ["entity:read"] });
    let key = ApiKey::create(&stage.platform, &stage.person.token, input).await;
    // Until an access token or an API key gets this status.
    let until = async |credential: &str, status: u16| {
        let asked = async {
            let query = "{ entityTypes { totalCount } }";
            while stage.platform.graphql(Some(credential), query, json!({})).await.status != status {}
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| panic!("{credential} never gets {status}"));
    };
    until(&key.secret, 200).await;
    let data = stage.platform.data(&stage.person.token, ERASE, json!({ "id": stage.person.id })).await;
    let token = super::text(&data["eraseUser"]["undoToken"]);
    until(&stage.person.token, 401).await;
    until(&key.secret, 401).await;
    let code = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    assert_eq!(code(&stage.try_sign_in().await), "UNAUTHENTICATED");
    let again =
        stage.platform.graphql(Some(&stage.alpha.owner.token), ERASE, json!({ "id": stage.person.id })).await;
    assert_eq!(again.code(), Some("CONFLICT"), "{again:?}");

    let forged = token.replacen(token.chars().next().unwrap(), "_", 1);
    let answer = stage.platform.graphql(None, UNDO, json!({ "token": forged })).await;
    assert_eq!(answer.code(), Some("BAD_USER_INPUT"));
    let answer = stage.platform.graphql(None, UNDO, json!({ "token": token })).await;
    assert_eq!(answer.json["data"]["undoErasure"]["userId"], stage.person.id, "{answer:?}");
    until(&key.secret, 200).await;
    let back = stage.sign_in().await;
    assert_eq!(stage.platform.data(&back.token, "{ me { name } }", json!({})).await["me"]["name"], MARKS[2]);
    let answer = stage.platform.graphql(None, UNDO, json!({ "token": token })).await;
    assert_eq!(answer.code(), Some("BAD_USER_INPUT"));
}

#[tokio::test]
async fn nobody_is_erased_whom_others_have_a_say_in() {
    let stage = Stage::new().await;
    let erase = async |token: &str, id: &str| {
        let answer = stage.platform.graphql(Some(token), ERASE, json!({ "id": id })).await;
        answer.code().map(ToOwned::to_owned)
    };
    // The only owner, by themselves; an owner, by an admin; a member of another organization too.
    let owner = &stage.alpha.owner;
    assert_eq!(erase(&owner.token, &owner.id).await.as_deref(), Some("CONFLICT"));
    assert_eq!(erase(&stage.alpha.admin.token, &owner.id).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(erase(&owner.token, &stage.beta.viewer.id).await.as_deref(), Some("CONFLICT"));
    assert_eq!(erase(&owner.token, &stage.beta.member.id).await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(erase(&stage.alpha.member.token, &stage.alpha.viewer.id).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(erase(&stage.alpha.admin.token, &stage.alpha.member.id).await, None);
}

#[tokio::test]
async fn an_erasure_is_done_with_the_fact_that_it_was_or_not_at_all() {
    let stage = Stage::new().await;
    stage
        .execute(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON platform.audit FOR EACH ROW WHEN (NEW.action = 'privacy:erased')
             EXECUTE FUNCTION public.refuse()",
        )
        .await;
    stage.platform.data(&stage.person.token, ERASE, json!({ "id": stage.person.id })).await;
    let request = stage.due().await;
    let mut connection = stage.platform.database.connect().await.unwrap();
    let failed = async {
        let sql = "SELECT EXISTS (SELECT FROM platform.jobs WHERE kind = 'platform.privacy_finish' AND error IS NOT NULL)";
        while !sqlx::query_scalar::<_, bool>(sql).fetch_one(&mut connection).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, failed).await.expect("the fact is refused");
    let sql =
        "SELECT r.status || ' ' || (SELECT count(*) FROM platform.privacy_receipts WHERE owner = 'platform')
                 FROM platform.privacy_requests r WHERE r.id = $1 AND r.person IS NOT NULL";
    let left: String = sqlx::query_scalar(sql).bind(request.uuid()).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, "running 0");
    stage
        .execute(
            "DROP TRIGGER refuse ON platform.audit;
             UPDATE platform.jobs SET run_at = now(), ready = true WHERE kind = 'platform.privacy_finish'",
        )
        .await;
    stage.until(request, "completed").await;
    let sql = "SELECT count(*) FROM platform.audit WHERE action = 'privacy:erased' AND key = $1";
    let facts: i64 = sqlx::query_scalar(sql).bind(request.uuid()).fetch_one(&mut connection).await.unwrap();
    assert_eq!(facts, 1);
}
