//! The audit as a file, through the gateway: whole, provably so, and for whom it is.

use std::time::Duration;

use pulse_audit::{CheckedExport, ExportFault, check_export};
use pulse_sealing::Sealer;
use pulse_tests::{ENCRYPTION_KEY, Tenant, TestPlatform};
use pulse_types::Secret;
use serde_json::{Value, json};

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_mins(2);

const EXPORT: &str = "mutation ($input: ExportAuditEventsInput!) { exportAuditEvents(input: $input) { export { id status } } }";
const ASK: &str =
    "query ($id: ID!) { auditExport(id: $id) { status facts size expiresAt downloadPath requesterId } }";

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        Self { platform, alpha }
    }

    /// From yesterday until now.
    fn range(&self) -> Value {
        let now = self.platform.store.clock().now();
        json!({ "from": now - chrono::TimeDelta::days(1), "to": now })
    }

    fn input(&self, more: &Value) -> Value {
        let mut input = self.range();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "input": input })
    }

    /// A completed export, as the API tells of it.
    async fn completed(&self, more: Value) -> Value {
        let token = &self.alpha.admin.token;
        let data = self.platform.data(token, EXPORT, self.input(&more)).await;
        let id = data["exportAuditEvents"]["export"]["id"].clone();
        let done = async {
            loop {
                let export = self.platform.data(token, ASK, json!({ "id": id })).await["auditExport"].take();
                match export["status"].as_str() {
                    Some("WAITING") => tokio::task::yield_now().await,
                    Some("COMPLETED") => break export,
                    _ => panic!("{export}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, done).await.expect("it is written")
    }

    async fn file(&self, export: &Value) -> String {
        let path = export["downloadPath"].as_str().unwrap();
        let answer = self.platform.get_as(&self.alpha.admin.token, path).await;
        assert_eq!(answer.status, 200);
        answer.json.as_str().unwrap().to_owned()
    }
}

fn checked(text: &str) -> Result<CheckedExport, ExportFault> {
    check_export(text.as_bytes(), &Sealer::try_new(&Secret::new(ENCRYPTION_KEY), &[]).unwrap())
}

#[tokio::test]
async fn both_formats_are_whole_and_every_tampering_is_found() {
    let stage = Stage::new().await;
    for format in ["JSON_LINES", "CSV"] {
        let export = stage.completed(json!({ "format": format })).await;
        let text = stage.file(&export).await;
        assert_eq!(export["size"], text.len());
        assert_eq!(export["requesterId"], stage.alpha.admin.id.as_str());
        let good = checked(&text).unwrap();
        assert_eq!(good.tenant.to_string(), stage.alpha.id);
        assert_eq!((good.withheld, Some(good.facts)), (0, export["facts"].as_u64()));
        assert!(good.facts >= 4, "{good:?}");

        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let facts = if format == "CSV" { 2 } else { 1 };
        let without = |nth: usize| [&lines[..nth], &lines[nth + 1..]].concat().concat();
        assert!(matches!(checked(&without(facts + 1)), Err(ExportFault::Gap { .. })));
        assert!(matches!(checked(&without(lines.len() - 1)), Err(ExportFault::NoEnd)));
        let mut swapped = lines.clone();
        swapped.swap(facts, facts + 1);
        assert!(matches!(checked(&swapped.concat()), Err(ExportFault::Gap { .. })));
        let changed = text.replacen("member:add", "member:adb", 1);
        assert!(matches!(checked(&changed), Err(ExportFault::Changed { .. })));
        let blamed = text.replacen(&stage.alpha.owner.id, &stage.alpha.viewer.id, 1);
        assert!(matches!(checked(&blamed), Err(ExportFault::PersonChanged { .. })));
        let other =
            Sealer::try_new(&Secret::new("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="), &[]).unwrap();
        assert!(matches!(check_export(text.as_bytes(), &other), Err(ExportFault::Unsigned)));
    }
}

#[tokio::test]
async fn what_a_filter_leaves_out_is_told_by_digest_alone_and_the_chain_stays_whole() {
    let stage = Stage::new().await;
    let export =
        stage.completed(json!({ "format": "JSON_LINES", "filter": { "action": "member:add" } })).await;
    let text = stage.file(&export).await;
    let good = checked(&text).unwrap();
    assert_eq!(good.facts, 3);
    assert!(good.withheld > 0);
    assert!(!text.contains("organization:create"));
}

#[tokio::test]
async fn exports_are_for_admins_of_the_tenant_within_limits_and_are_audited() {
    let stage = Stage::new().await;
    let beta = Tenant::found(&stage.platform, "beta").await;
    let export = stage.completed(json!({ "format": "CSV", "idempotencyKey": "once" })).await;
    let path = export["downloadPath"].as_str().unwrap();
    assert_eq!(stage.platform.get_as(&stage.alpha.owner.token, path).await.status, 403);
    let id = path.trim_start_matches("/exports/").split('?').next().unwrap();
    let theirs = stage.platform.data(&beta.admin.token, ASK, json!({ "id": id })).await;
    assert_eq!(theirs["auditExport"], Value::Null);
    for (person, code) in [(&stage.alpha.viewer, "FORBIDDEN"), (&stage.alpha.member, "FORBIDDEN")] {
        let answer = stage
            .platform
            .graphql(Some(&person.token), EXPORT, stage.input(&json!({ "format": "CSV" })))
            .await;
        assert_eq!(answer.code(), Some(code));
    }
    let ahead =
        json!({ "input": { "from": "2026-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z", "format": "CSV" } });
    let backwards =
        json!({ "input": { "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z", "format": "CSV" } });
    for input in [ahead, backwards] {
        let answer = stage.platform.graphql(Some(&stage.alpha.admin.token), EXPORT, input).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"));
    }
    let mut connection = stage.platform.database.connect().await.unwrap();
    let sql = "SELECT action FROM platform.audit WHERE key = $1::uuid ORDER BY action";
    let actions: Vec<String> = sqlx::query_scalar(sql).bind(id).fetch_all(&mut connection).await.unwrap();
    assert_eq!(actions, ["audit:export", "audit:exported", "audit:read"]);
}
