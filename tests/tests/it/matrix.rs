//! Every root field of the API, and what it says to whom.

use Expect::{Code, Data, Null};

/// What an answer must be.
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// Data, without an error.
    Data,
    /// Null, without an error.
    Null,
    /// An error with this code, and no data.
    Code(&'static str),
}

/// A root field.
pub(crate) struct Row {
    pub(crate) field: &'static str,
    /// The operation; `@name` stands for something of the first tenant.
    pub(crate) document: &'static str,
    /// The owner of another tenant.
    pub(crate) outsider: Expect,
    /// Nobody who has signed in.
    pub(crate) anonymous: Expect,
    /// A viewer of the first tenant.
    pub(crate) viewer: Expect,
    /// The owner of the first tenant, after all others, in the order of the rows.
    pub(crate) owner: Expect,
}

const UNAUTHENTICATED: Expect = Code("UNAUTHENTICATED");
const FORBIDDEN: Expect = Code("FORBIDDEN");
const BAD_USER_INPUT: Expect = Code("BAD_USER_INPUT");
const NOT_FOUND: Expect = Code("NOT_FOUND");

/// What a viewer may do and nobody else's owner sees.
const fn read(field: &'static str, document: &'static str, outsider: Expect) -> Row {
    Row { field, document, outsider, anonymous: UNAUTHENTICATED, viewer: Data, owner: Data }
}

/// What a viewer may not do.
const fn write(field: &'static str, document: &'static str, outsider: Expect) -> Row {
    Row { viewer: FORBIDDEN, ..read(field, document, outsider) }
}

/// What is the same for everybody.
const fn same(field: &'static str, document: &'static str, expect: Expect) -> Row {
    Row { field, document, outsider: expect, anonymous: expect, viewer: expect, owner: expect }
}

/// Every field of `Query` and `Mutation`. `Data` for an outsider is its own data: no test lets it contain the other's.
pub(crate) const ROWS: &[Row] = &[
    // accounts
    Row {
        anonymous: Null,
        ..read(
            "me",
            "{ me { id name email emailVerified organizations { nodes { slug } } sessions { nodes { id address userAgent } } secondFactor { recoveryCodesLeft } passkeys { name } } }",
            Data,
        )
    },
    read(
        "organization",
        "{ organization(id: \"@org\") { id name members { nodes { email } } activity(days: 1) { total } } }",
        Null,
    ),
    read("organizations", "{ organizations { totalCount nodes { id name slug } } }", Data),
    same(
        "refreshSession",
        "mutation { refreshSession(input: { refreshToken: \"@org\" }) { accessToken } }",
        UNAUTHENTICATED,
    ),
    same(
        "signIn",
        "mutation { signIn(input: { email: \"@email\", password: \"not the password\" }) { accessToken } }",
        UNAUTHENTICATED,
    ),
    same(
        "register",
        "mutation { register(input: { email: \"@email\", password: \"long enough a password\", name: \"X\" }) { user { id } } }",
        Code("CONFLICT"),
    ),
    read(
        "switchOrganization",
        "mutation { switchOrganization(input: { organizationId: \"@org\" }) { accessToken } }",
        NOT_FOUND,
    ),
    read("updateMe", "mutation { updateMe(input: { name: \"Renamed\" }) { user { id } } }", Data),
    // What is sent by mail proves who somebody is, whoever uses it.
    same("verifyEmail", "mutation { verifyEmail(input: { token: \"@org\" }) { email } }", BAD_USER_INPUT),
    same(
        "confirmEmailChange",
        "mutation { confirmEmailChange(input: { token: \"@org\" }) { email } }",
        BAD_USER_INPUT,
    ),
    same(
        "resetPassword",
        "mutation { resetPassword(input: { token: \"@org\", newPassword: \"long enough a password\" }) { reset } }",
        BAD_USER_INPUT,
    ),
    same(
        "signInWithLink",
        "mutation { signInWithLink(input: { token: \"@org\" }) { accessToken } }",
        BAD_USER_INPUT,
    ),
    // So does a challenge, with what is shown for it.
    same(
        "completeSignIn",
        "mutation { completeSignIn(input: { challenge: \"@org\", code: \"000000\" }) { accessToken } }",
        BAD_USER_INPUT,
    ),
    // And a passkey, whoever sends what it has answered.
    same("beginPasskeySignIn", "mutation { beginPasskeySignIn { ceremony } }", Data),
    same(
        "signInWithPasskey",
        "mutation { signInWithPasskey(input: { ceremony: \"@org\", credential: {} }) { accessToken } }",
        BAD_USER_INPUT,
    ),
    // Asking says nothing about who has the address.
    same(
        "requestPasswordReset",
        "mutation { requestPasswordReset(input: { email: \"@email\" }) { accepted } }",
        Data,
    ),
    same(
        "requestSignInLink",
        "mutation { requestSignInLink(input: { email: \"@email\" }) { accepted } }",
        Data,
    ),
    read("requestEmailVerification", "mutation { requestEmailVerification { accepted } }", Data),
    // An open session alone does not take an account over.
    Row {
        owner: FORBIDDEN,
        ..write(
            "requestEmailChange",
            "mutation { requestEmailChange(input: { email: \"x@example.com\", password: \"not the password\" }) { accepted } }",
            FORBIDDEN,
        )
    },
    Row {
        owner: FORBIDDEN,
        ..write(
            "changePassword",
            "mutation { changePassword(input: { password: \"not the password\", newPassword: \"long enough a password\" }) { changed } }",
            FORBIDDEN,
        )
    },
    Row {
        owner: FORBIDDEN,
        ..write(
            "beginPasskey",
            "mutation { beginPasskey(input: { password: \"not the password\" }) { ceremony } }",
            FORBIDDEN,
        )
    },
    Row {
        viewer: BAD_USER_INPUT,
        owner: BAD_USER_INPUT,
        ..read(
            "finishPasskey",
            "mutation { finishPasskey(input: { ceremony: \"@org\", credential: {}, name: \"X\" }) { passkey { id } } }",
            BAD_USER_INPUT,
        )
    },
    Row {
        viewer: NOT_FOUND,
        owner: NOT_FOUND,
        ..read(
            "renamePasskey",
            "mutation { renamePasskey(input: { passkeyId: \"@org\", name: \"X\" }) { passkey { id } } }",
            NOT_FOUND,
        )
    },
    Row {
        viewer: NOT_FOUND,
        owner: NOT_FOUND,
        ..read(
            "removePasskey",
            "mutation { removePasskey(input: { passkeyId: \"@org\" }) { passkeyId } }",
            NOT_FOUND,
        )
    },
    Row {
        owner: FORBIDDEN,
        ..write(
            "beginTotp",
            "mutation { beginTotp(input: { password: \"not the password\" }) { secret } }",
            FORBIDDEN,
        )
    },
    Row {
        viewer: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "confirmTotp",
            "mutation { confirmTotp(input: { code: \"000000\" }) { recoveryCodes } }",
            Code("CONFLICT"),
        )
    },
    Row {
        viewer: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "removeTotp",
            "mutation { removeTotp(input: { code: \"000000\" }) { removed } }",
            Code("CONFLICT"),
        )
    },
    Row {
        viewer: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "replaceRecoveryCodes",
            "mutation { replaceRecoveryCodes(input: { code: \"000000\" }) { recoveryCodes } }",
            Code("CONFLICT"),
        )
    },
    Row {
        viewer: NOT_FOUND,
        owner: NOT_FOUND,
        ..read(
            "endSession",
            "mutation { endSession(input: { sessionId: \"@org\" }) { sessionId } }",
            NOT_FOUND,
        )
    },
    read("endOtherSessions", "mutation { endOtherSessions { sessionIds } }", Data),
    // One makes what belongs to oneself.
    Row {
        viewer: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "createOrganization",
            "mutation { createOrganization(input: { slug: \"@slug\", name: \"X\" }) { organization { id } } }",
            Code("CONFLICT"),
        )
    },
    write(
        "updateOrganization",
        "mutation { updateOrganization(input: { name: \"Renamed\" }) { organization { slug } } }",
        Data,
    ),
    write(
        "changeMemberRole",
        "mutation { changeMemberRole(input: { userId: \"@member\", role: ADMIN }) { membership { role } } }",
        NOT_FOUND,
    ),
    write("removeMember", "mutation { removeMember(input: { userId: \"@member\" }) { userId } }", NOT_FOUND),
    // Whoever knows the address of somebody may make that person a member of the own organization.
    write(
        "addMember",
        "mutation { addMember(input: { email: \"@memberEmail\", role: VIEWER }) { membership { role } } }",
        Data,
    ),
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
    write(
        "createEntityType",
        "mutation { createEntityType(input: { name: \"new\" }) { entityType { id } } }",
        Data,
    ),
    write(
        "updateEntityType",
        "mutation { updateEntityType(input: { name: \"only-alpha\", description: \"x\" }) { entityType { id } } }",
        NOT_FOUND,
    ),
    write(
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
    write(
        "createCollection",
        "mutation { createCollection(input: { name: \"new\", dimension: 2, metric: DOT }) { collection { id } } }",
        Data,
    ),
    write(
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
    write(
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
    write(
        "createWebhook",
        "mutation { createWebhook(input: { url: \"https://hooks.invalid/\", filter: { subjects: [\"nothing.ever\"] } }) { webhook { id } } }",
        Data,
    ),
    write(
        "updateWebhook",
        "mutation { updateWebhook(input: { id: \"@webhook\", description: \"x\" }) { webhook { id } } }",
        NOT_FOUND,
    ),
    write(
        "rotateWebhookSecret",
        "mutation { rotateWebhookSecret(input: { id: \"@webhook\" }) { webhook { version } signingSecret } }",
        NOT_FOUND,
    ),
    write(
        "pauseWebhook",
        "mutation { pauseWebhook(input: { id: \"@webhook\" }) { webhook { pauseReason } } }",
        NOT_FOUND,
    ),
    write(
        "resumeWebhook",
        "mutation { resumeWebhook(input: { id: \"@webhook\" }) { webhook { state } } }",
        NOT_FOUND,
    ),
    write(
        "replayDeliveries",
        "mutation { replayDeliveries(input: { webhookId: \"@webhook\", since: \"@from\" }) { replayed webhook { url } } }",
        NOT_FOUND,
    ),
    // There is none: its webhook wants nothing that happens.
    Row {
        owner: NOT_FOUND,
        ..write(
            "replayDelivery",
            "mutation { replayDelivery(input: { id: \"@webhook\" }) { delivery { status } } }",
            NOT_FOUND,
        )
    },
    write(
        "sendTestEvent",
        "mutation { sendTestEvent(input: { webhookId: \"@webhook\" }) { delivery { payload } } }",
        NOT_FOUND,
    ),
    Row {
        viewer: FORBIDDEN,
        ..read("liveStreams", "{ liveStreams { totalCount nodes { id userId operationName } } }", Data)
    },
    write(
        "endLiveStreams",
        "mutation { endLiveStreams(input: { operationName: \"Nothing\" }) { ended } }",
        Data,
    ),
    write("deleteWebhook", "mutation { deleteWebhook(input: { id: \"@webhook\" }) { id } }", NOT_FOUND),
    read("streamCursor", "{ streamCursor }", Data),
    Row {
        viewer: FORBIDDEN,
        ..read("job", "{ job(id: \"@job\") { kind status error actorId uniqueKey } }", Null)
    },
    Row {
        viewer: FORBIDDEN,
        ..read("jobs", "{ jobs { totalCount nodes { id kind uniqueKey actorId } } }", Data)
    },
    write("cancelJob", "mutation { cancelJob(input: { id: \"@job\" }) { job { status } } }", NOT_FOUND),
    write("retryJob", "mutation { retryJob(input: { id: \"@job\" }) { job { status } } }", NOT_FOUND),
    Row { viewer: FORBIDDEN, ..read("schedule", "{ schedule(id: \"@schedule\") { name jobKind } }", Null) },
    Row { viewer: FORBIDDEN, ..read("schedules", "{ schedules { totalCount nodes { id name } } }", Data) },
    write(
        "pauseSchedule",
        "mutation { pauseSchedule(input: { id: \"@schedule\" }) { schedule { name } } }",
        NOT_FOUND,
    ),
    write(
        "resumeSchedule",
        "mutation { resumeSchedule(input: { id: \"@schedule\" }) { schedule { name } } }",
        NOT_FOUND,
    ),
    write(
        "runSchedule",
        "mutation { runSchedule(input: { id: \"@schedule\" }) { schedule { name } job { kind } } }",
        NOT_FOUND,
    ),
    Row {
        viewer: FORBIDDEN,
        ..read("deadLetters", "{ deadLetters { totalCount nodes { id name error } } }", Data)
    },
    write(
        "retryDeadLetter",
        "mutation { retryDeadLetter(input: { id: \"@letter\" }) { deadLetter { name error } } }",
        NOT_FOUND,
    ),
    write(
        "discardDeadLetter",
        "mutation { discardDeadLetter(input: { id: \"@letter\" }) { id } }",
        NOT_FOUND,
    ),
    // At last, as it ends the session.
    read("signOut", "mutation { signOut { sessionId } }", Data),
];
