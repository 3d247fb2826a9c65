//! What the other subgraphs say, and at last what ends the session of whoever asks.

use crate::row::Expect::{Data, Null};
use crate::row::{BAD_USER_INPUT, FORBIDDEN, NOT_FOUND, Row, manage, read, same, write};

pub(super) const ROWS: &[Row] = &[
    // entities
    read(
        "entity",
        "{ entity(id: \"@entity\") { name relationships { nodes { properties } } neighbors { nodes { name } } similar { score } } }",
        Null,
    ),
    read(
        "entities",
        "{ entities(filter: { keys: [\"p0\", \"p1\"] }) { totalCount nodes { id name entityType { description } } } }",
        Data,
    ),
    read(
        "entityGroups",
        "{ entityGroups(groupBy: [{ field: TYPE }]) { groups { keys count } hasMore } }",
        Data,
    ),
    read(
        "entityFacets",
        "{ entityFacets(filter: { type: \"package\" }, properties: [{ name: \"section\" }]) { property values { value count } } }",
        Data,
    ),
    read("entityType", "{ entityType(name: \"only-alpha\") { description } }", Null),
    read("entityTypes", "{ entityTypes { totalCount nodes { id name description } } }", Data),
    read(
        "relationship",
        "{ relationship(id: \"@relationship\") { properties source { name } target { name } } }",
        Null,
    ),
    read(
        "relationships",
        "{ relationships(filter: { source: \"@entity\" }) { totalCount nodes { id properties } } }",
        Data,
    ),
    read(
        "subgraph",
        "{ subgraph(from: [\"@entity\"], depth: 2) { nodes { distance entity { name } } edges { properties } document(format: JSON_LINES) } }",
        Data,
    ),
    read(
        "shortestPath",
        "{ shortestPath(from: \"@entity\", to: \"@entity\") { path { nodes { name } edges { properties } } } }",
        NOT_FOUND,
    ),
    read(
        "paths",
        "{ paths(from: \"@entity\", to: \"@entity\") { totalCount nodes { nodes { name } edges { properties } } } }",
        NOT_FOUND,
    ),
    manage(
        "createEntityType",
        "mutation { createEntityType(input: { name: \"new\" }) { entityType { id } } }",
        Data,
    ),
    manage(
        "updateEntityType",
        "mutation { updateEntityType(input: { name: \"only-alpha\", description: \"x\" }) { entityType { id } } }",
        NOT_FOUND,
    ),
    manage(
        "deleteEntityType",
        "mutation { deleteEntityType(input: { name: \"only-alpha\" }) { id } }",
        NOT_FOUND,
    ),
    write(
        "createEntity",
        "mutation { createEntity(input: { key: \"new\", type: \"package\", name: \"x\" }) { entity { id } } }",
        Data,
    ),
    write(
        "updateEntity",
        "mutation { updateEntity(input: { id: \"@entity\", name: \"x\" }) { entity { id } } }",
        NOT_FOUND,
    ),
    write(
        "upsertEntities",
        "mutation { upsertEntities(input: { items: [{ key: \"p1\", type: \"package\", name: \"x\" }] }) { updated } }",
        Data,
    ),
    write(
        "createRelationship",
        "mutation { createRelationship(input: { sourceId: \"@entity\", targetKey: \"p1\", type: \"new\" }) { relationship { id } } }",
        NOT_FOUND,
    ),
    write(
        "updateRelationship",
        "mutation { updateRelationship(input: { id: \"@relationship\", confidence: 0.5 }) { relationship { id } } }",
        NOT_FOUND,
    ),
    write(
        "upsertRelationships",
        "mutation { upsertRelationships(input: { items: [{ sourceKey: \"p0\", targetKey: \"p1\", type: \"x\" }] }) { created } }",
        Data,
    ),
    write(
        "deleteRelationship",
        "mutation { deleteRelationship(input: { id: \"@relationship\" }) { id } }",
        NOT_FOUND,
    ),
    write("deleteEntity", "mutation { deleteEntity(input: { id: \"@entity\" }) { id } }", NOT_FOUND),
    // vectors
    read(
        "collection",
        "{ collection(id: \"@collection\") { name items { nodes { key vector metadata entity { name } } } } }",
        Null,
    ),
    read(
        "collections",
        "{ collections { totalCount nodes { id name items { nodes { id metadata } } } } }",
        Data,
    ),
    read(
        "search",
        "{ search(collectionId: \"@collection\", vector: [1, 1]) { score item { metadata entity { name } } } }",
        NOT_FOUND,
    ),
    manage(
        "createCollection",
        "mutation { createCollection(input: { name: \"new\", dimension: 2, metric: DOT }) { collection { id } } }",
        Data,
    ),
    manage(
        "updateCollection",
        "mutation { updateCollection(input: { id: \"@collection\", name: \"x\" }) { collection { id } } }",
        NOT_FOUND,
    ),
    write(
        "upsertItems",
        "mutation { upsertItems(input: { collectionId: \"@collection\", items: [{ key: \"p0\", vector: [9, 9] }] }) { updated } }",
        NOT_FOUND,
    ),
    write(
        "deleteItems",
        "mutation { deleteItems(input: { collectionId: \"@collection\", keys: [\"p1\"] }) { deleted } }",
        NOT_FOUND,
    ),
    manage(
        "deleteCollection",
        "mutation { deleteCollection(input: { id: \"@collection\" }) { id } }",
        NOT_FOUND,
    ),
    // analytics
    read(
        "events",
        "{ events(filter: { entityId: \"@entity\" }) { totalCount nodes { id name entity { name } } } }",
        Data,
    ),
    read(
        "timeSeries",
        "{ timeSeries(input: { from: \"@from\", to: \"@to\", interval: DAY, groupBy: { by: NAME } }) { groups { key total entity { name } } } }",
        Data,
    ),
    write(
        "recordEvents",
        "mutation { recordEvents(input: { events: [{ name: \"x\", entityId: \"@entity\" }] }) { recorded } }",
        Data,
    ),
    // operations
    Row {
        viewer: FORBIDDEN,
        ..read(
            "webhook",
            "{ webhook(id: \"@webhook\") { url description deliveries { totalCount nodes { payload } } } }",
            Null,
        )
    },
    Row {
        viewer: FORBIDDEN,
        ..read("webhooks", "{ webhooks { totalCount nodes { id description url } } }", Data)
    },
    manage(
        "createWebhook",
        "mutation { createWebhook(input: { url: \"https://hooks.invalid/\", filter: { subjects: [\"nothing.ever\"] } }) { webhook { id } } }",
        Data,
    ),
    manage(
        "updateWebhook",
        "mutation { updateWebhook(input: { id: \"@webhook\", description: \"x\" }) { webhook { id } } }",
        NOT_FOUND,
    ),
    manage(
        "rotateWebhookSecret",
        "mutation { rotateWebhookSecret(input: { id: \"@webhook\" }) { webhook { version } signingSecret } }",
        NOT_FOUND,
    ),
    manage(
        "pauseWebhook",
        "mutation { pauseWebhook(input: { id: \"@webhook\" }) { webhook { pauseReason } } }",
        NOT_FOUND,
    ),
    manage(
        "resumeWebhook",
        "mutation { resumeWebhook(input: { id: \"@webhook\" }) { webhook { state } } }",
        NOT_FOUND,
    ),
    manage(
        "replayDeliveries",
        "mutation { replayDeliveries(input: { webhookId: \"@webhook\", since: \"@from\" }) { replayed webhook { url } } }",
        NOT_FOUND,
    ),
    // There is none: its webhook wants nothing that happens.
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "replayDelivery",
            "mutation { replayDelivery(input: { id: \"@webhook\" }) { delivery { status } } }",
            NOT_FOUND,
        )
    },
    manage(
        "sendTestEvent",
        "mutation { sendTestEvent(input: { webhookId: \"@webhook\" }) { delivery { payload } } }",
        NOT_FOUND,
    ),
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("liveStreams", "{ liveStreams { totalCount nodes { id userId operationName } } }", Data)
    },
    manage(
        "endLiveStreams",
        "mutation { endLiveStreams(input: { operationName: \"Nothing\" }) { ended } }",
        Data,
    ),
    manage("deleteWebhook", "mutation { deleteWebhook(input: { id: \"@webhook\" }) { id } }", NOT_FOUND),
    read("streamCursor", "{ streamCursor }", Data),
    Row {
        viewer: FORBIDDEN,
        ..read("job", "{ job(id: \"@job\") { kind status error actorId uniqueKey } }", Null)
    },
    Row {
        viewer: FORBIDDEN,
        ..read("jobs", "{ jobs { totalCount nodes { id kind uniqueKey actorId } } }", Data)
    },
    manage("cancelJob", "mutation { cancelJob(input: { id: \"@job\" }) { job { status } } }", NOT_FOUND),
    manage("retryJob", "mutation { retryJob(input: { id: \"@job\" }) { job { status } } }", NOT_FOUND),
    Row { viewer: FORBIDDEN, ..read("schedule", "{ schedule(id: \"@schedule\") { name jobKind } }", Null) },
    Row { viewer: FORBIDDEN, ..read("schedules", "{ schedules { totalCount nodes { id name } } }", Data) },
    manage(
        "pauseSchedule",
        "mutation { pauseSchedule(input: { id: \"@schedule\" }) { schedule { name } } }",
        NOT_FOUND,
    ),
    manage(
        "resumeSchedule",
        "mutation { resumeSchedule(input: { id: \"@schedule\" }) { schedule { name } } }",
        NOT_FOUND,
    ),
    manage(
        "runSchedule",
        "mutation { runSchedule(input: { id: \"@schedule\" }) { schedule { name } job { kind } } }",
        NOT_FOUND,
    ),
    Row {
        viewer: FORBIDDEN,
        ..read("deadLetters", "{ deadLetters { totalCount nodes { id name error } } }", Data)
    },
    manage(
        "retryDeadLetter",
        "mutation { retryDeadLetter(input: { id: \"@letter\" }) { deadLetter { name error } } }",
        NOT_FOUND,
    ),
    manage(
        "discardDeadLetter",
        "mutation { discardDeadLetter(input: { id: \"@letter\" }) { id } }",
        NOT_FOUND,
    ),
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("auditEvents", "{ auditEvents { totalCount nodes { id action actorId key address } } }", Data)
    },
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read(
            "exportAuditEvents",
            "mutation { exportAuditEvents(input: { from: \"2026-01-01T00:00:00Z\", to: \"2026-01-02T00:00:00Z\", format: CSV }) { export { id status } } }",
            Data,
        )
    },
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        admin: Null,
        owner: Null,
        ..read("auditExport", "{ auditExport(id: \"@org\") { id downloadPath } }", Null)
    },
    // What is stored in general, and of nobody.
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("privacyInventory", "{ privacyInventory { table column class erasing } }", Data)
    },
    // privacy
    same("undoErasure", "mutation { undoErasure(input: { token: \"@org\" }) { userId } }", BAD_USER_INPUT),
    read(
        "giveConsent",
        "mutation { giveConsent(input: { purpose: \"terms\", version: \"1\" }) { consent { id } } }",
        Data,
    ),
    read(
        "withdrawConsent",
        "mutation { withdrawConsent(input: { purpose: \"terms\" }) { consent { id } } }",
        Data,
    ),
    read("exportMyData", "mutation { exportMyData { export { id status userId } } }", Data),
    Row {
        viewer: Null,
        member: Null,
        admin: Null,
        owner: Null,
        ..read("dataExport", "{ dataExport(id: \"@org\") { id downloadPath } }", Null)
    },
    manage(
        "exportUserData",
        "mutation { exportUserData(input: { userId: \"@guest\" }) { export { id } } }",
        NOT_FOUND,
    ),
    manage(
        "eraseUser",
        "mutation { eraseUser(input: { userId: \"@guest\" }) { userId undoToken } }",
        NOT_FOUND,
    ),
    // A job begins at once: nothing is compared any more after it.
    manage(
        "anonymizeUser",
        "mutation { anonymizeUser(input: { userId: \"@guest\" }) { userId } }",
        NOT_FOUND,
    ),
    // At last, as it ends the session.
    read("signOut", "mutation { signOut { sessionId } }", Data),
];
