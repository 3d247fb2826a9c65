//! Making, changing and reading webhooks.

use pulse_types::Role;
use serde_json::{Value, json};

use crate::stage::{CREATE, Stage, caller_of};

const UPDATE: &str = "mutation ($input: UpdateWebhookInput!) {
    updateWebhook(input: $input) { webhook { url description version filter { subjects kinds attributes { name value } } } } }";
const DELETE: &str = "mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) { id } }";
const LIST: &str = "{ webhooks { totalCount nodes { id url } } }";

#[tokio::test]
async fn the_secret_is_shown_once() {
    let stage = Stage::new().await;
    let input = json!({ "url": "https://example.org/", "idempotencyKey": "once" });
    let made = stage.data(&stage.admin, CREATE, input.clone()).await;
    let secret = made["signingSecret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    let again = stage.data(&stage.admin, CREATE, input).await;
    assert_eq!(again, json!({ "webhook": made["webhook"], "signingSecret": null }));
    // It stands in no history, no event and no record of the request.
    stage.data(&stage.admin, DELETE, json!({ "id": made["webhook"]["id"] })).await;
    let mut connection = stage.database.connect().await.unwrap();
    let sql = "SELECT (SELECT string_agg(h::text, '') FROM operations.history AS h)
                   || (SELECT string_agg(o::text, '') FROM platform.outbox AS o)
                   || (SELECT string_agg(i::text, '') FROM platform.idempotency AS i)";
    let kept: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    assert!(kept.contains("example.org") && !kept.contains("whsec_") && !kept.contains(secret), "{kept}");
}

#[tokio::test]
async fn a_webhook_is_changed_where_it_was_last_read_and_deleted() {
    let stage = Stage::new().await;
    let (id, _) = stage.webhook().await;
    let filter = json!({ "subjects": ["vectors.*"], "kinds": ["DELETED"], "attributes": [{ "name": "a", "value": "b" }] });
    let change = json!({ "id": id, "url": "https://example.org/x", "description": "d", "filter": filter, "expectedVersion": 1 });
    let changed = stage.data(&stage.admin, UPDATE, change.clone()).await;
    let expected =
        json!({ "url": "https://example.org/x", "description": "d", "version": 2, "filter": filter });
    assert_eq!(changed["webhook"], expected);
    let (code, field, _) = stage.refusal(&stage.admin, UPDATE, change).await;
    assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "input.expectedVersion"));
    let same = stage.data(&stage.admin, UPDATE, json!({ "id": id, "description": "d" })).await;
    assert_eq!(same["webhook"]["version"], 2);

    stage.created().await;
    stage.data(&stage.admin, DELETE, json!({ "id": id })).await;
    assert_eq!(stage.read(&id).await, json!(null));
    let (code, ..) = stage.refusal(&stage.admin, DELETE, json!({ "id": id })).await;
    assert_eq!(code, "NOT_FOUND");
    stage.send().await;
    assert!(stage.receiver.all().is_empty());
}

#[tokio::test]
async fn members_look_and_admins_manage() {
    let stage = Stage::new().await;
    let (id, _) = stage.webhook().await;
    let org = stage.admin.org.unwrap();
    let (member, viewer) = (caller_of(org, Role::Member), caller_of(org, Role::Viewer));
    assert_eq!(stage.data(&member, LIST, json!(null)).await["totalCount"], 1);
    let read = "query ($input: ID!) { webhook(id: $input) { id } }";
    for (caller, query, input) in [
        (&viewer, LIST, json!(null)),
        (&viewer, read, json!(id)),
        (&member, CREATE, json!({ "url": "https://example.org/" })),
        (&member, UPDATE, json!({ "id": id })),
        (&member, DELETE, json!({ "id": id })),
        (
            &member,
            "mutation ($input: PauseWebhookInput!) { pauseWebhook(input: $input) { webhook { id } } }",
            json!({ "id": id }),
        ),
        (
            &member,
            "mutation ($input: ResumeWebhookInput!) { resumeWebhook(input: $input) { webhook { id } } }",
            json!({ "id": id }),
        ),
        (
            &member,
            "mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { signingSecret } }",
            json!({ "id": id }),
        ),
        (
            &member,
            "mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { delivery { id } } }",
            json!({ "webhookId": id }),
        ),
        (
            &member,
            "mutation ($input: ReplayDeliveryInput!) { replayDelivery(input: $input) { delivery { id } } }",
            json!({ "id": id }),
        ),
        (
            &member,
            "mutation ($input: ReplayDeliveriesInput!) { replayDeliveries(input: $input) { replayed } }",
            json!({ "webhookId": id, "since": "2026-01-01T00:00:00Z" }),
        ),
    ] {
        assert_eq!(stage.refusal(caller, query, input).await.0, "FORBIDDEN", "{query}");
    }
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let stage = Stage::new().await;
    let (id, _) = stage.webhook().await;
    assert_eq!(stage.data(&stage.stranger, LIST, json!(null)).await, json!({ "totalCount": 0, "nodes": [] }));
    for mutation in ["updateWebhook", "deleteWebhook", "pauseWebhook", "resumeWebhook", "rotateWebhookSecret"]
    {
        let input = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!("mutation ($input: {input}!) {{ {mutation}(input: $input) {{ __typename }} }}");
        let (code, field, _) = stage.refusal(&stage.stranger, &query, json!({ "id": id })).await;
        assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.id"), "{mutation}");
    }
    let entity = "query ($input: [_Any!]!) { _entities(representations: $input) { ... on Webhook { url } } }";
    let representation = json!([{ "__typename": "Webhook", "id": id }]);
    let own: Value = stage.data(&stage.admin, entity, representation.clone()).await;
    assert_eq!(own, json!([{ "url": stage.url("/hook") }]));
    assert_eq!(stage.data(&stage.stranger, entity, representation).await, json!([null]));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_field() {
    let stage = Stage::with(|config| config.max_per_organization = 1).await;
    let url = "https://example.org/";
    let twice = json!([{ "name": "a", "value": "1" }, { "name": "a", "value": "2" }]);
    for (input, field) in [
        (json!({ "url": url, "description": "x".repeat(1001) }), "input.description"),
        (json!({ "url": format!("{url}{}", "x".repeat(2000)) }), "input.url"),
        (json!({ "url": url, "filter": { "subjects": ["*"] } }), "input.filter.subjects"),
        (json!({ "url": url, "filter": { "subjects": vec!["a.b"; 51] } }), "input.filter"),
        (json!({ "url": url, "filter": { "attributes": twice } }), "input.filter.attributes"),
        (json!({ "url": url, "idempotencyKey": "" }), "input.idempotencyKey"),
    ] {
        let (code, named, _) = stage.refusal(&stage.admin, CREATE, input).await;
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", field));
    }
    let (id, _) = stage.webhook().await;
    let rotate = "mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { signingSecret } }";
    for hours in [-1, 169] {
        let (code, field, _) =
            stage.refusal(&stage.admin, rotate, json!({ "id": id, "overlapHours": hours })).await;
        assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.overlapHours"));
    }
    assert_eq!(stage.refusal(&stage.admin, CREATE, json!({ "url": url })).await.0, "CONFLICT");
}

#[tokio::test]
async fn webhooks_that_others_refer_to_are_read_together() {
    let stage = Stage::new().await;
    let mut representations = Vec::new();
    for _ in 0..5 {
        representations.push(json!({ "__typename": "Webhook", "id": stage.webhook().await.0 }));
    }
    let entities =
        "query ($input: [_Any!]!) { _entities(representations: $input) { ... on Webhook { state } } }";
    let statements = async |representations: &[Value]| {
        let before = stage.store().statistics().statements();
        let found = stage.data(&stage.admin, entities, json!(representations)).await;
        assert_eq!(found.as_array().unwrap().len(), representations.len());
        stage.store().statistics().statements() - before
    };
    assert_eq!(statements(&representations).await, statements(&representations[..1]).await);
}
