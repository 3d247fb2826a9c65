//! Every root field of the API, and what it says to whom.

use crate::row::Expect::{Code, Data, Null};
use crate::row::{
    BAD_USER_INPUT, FORBIDDEN, NOT_FOUND, Row, UNAUTHENTICATED, manage, own, read, same, write,
};

/// Every field of `Query` and `Mutation`. `Data` for an outsider is its own data: no test lets it contain the other's.
pub(crate) const ROWS: &[Row] = &[
    // accounts
    Row {
        anonymous: Null,
        ..read(
            "me",
            "{ me { id name email emailVerified organizations { nodes { slug } } sessions { nodes { id address userAgent } } identities { id email } secondFactor { recoveryCodesLeft } passkeys { name } } }",
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
        "verifySecondFactor",
        "mutation { verifySecondFactor(input: { challenge: \"@org\", code: \"000000\" }) { accessToken } }",
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
        member: FORBIDDEN,
        admin: FORBIDDEN,
        owner: FORBIDDEN,
        ..write(
            "requestEmailChange",
            "mutation { requestEmailChange(input: { email: \"x@example.com\", password: \"not the password\" }) { accepted } }",
            FORBIDDEN,
        )
    },
    Row {
        member: FORBIDDEN,
        admin: FORBIDDEN,
        owner: FORBIDDEN,
        ..write(
            "changePassword",
            "mutation { changePassword(input: { password: \"not the password\", newPassword: \"long enough a password\" }) { changed } }",
            FORBIDDEN,
        )
    },
    Row {
        member: FORBIDDEN,
        admin: FORBIDDEN,
        owner: FORBIDDEN,
        ..write(
            "beginPasskey",
            "mutation { beginPasskey(input: { password: \"not the password\" }) { ceremony } }",
            FORBIDDEN,
        )
    },
    Row {
        viewer: BAD_USER_INPUT,
        member: BAD_USER_INPUT,
        admin: BAD_USER_INPUT,
        owner: BAD_USER_INPUT,
        ..read(
            "finishPasskey",
            "mutation { finishPasskey(input: { ceremony: \"@org\", credential: {}, name: \"X\" }) { passkey { id } } }",
            BAD_USER_INPUT,
        )
    },
    Row {
        viewer: NOT_FOUND,
        member: NOT_FOUND,
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..read(
            "renamePasskey",
            "mutation { renamePasskey(input: { passkeyId: \"@org\", name: \"X\" }) { passkey { id } } }",
            NOT_FOUND,
        )
    },
    Row {
        viewer: NOT_FOUND,
        member: NOT_FOUND,
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..read(
            "removePasskey",
            "mutation { removePasskey(input: { passkeyId: \"@org\" }) { passkeyId } }",
            NOT_FOUND,
        )
    },
    Row {
        member: FORBIDDEN,
        admin: FORBIDDEN,
        owner: FORBIDDEN,
        ..write(
            "beginTotp",
            "mutation { beginTotp(input: { password: \"not the password\" }) { secret } }",
            FORBIDDEN,
        )
    },
    Row {
        viewer: Code("CONFLICT"),
        member: Code("CONFLICT"),
        admin: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "confirmTotp",
            "mutation { confirmTotp(input: { code: \"000000\" }) { recoveryCodes } }",
            Code("CONFLICT"),
        )
    },
    Row {
        viewer: Code("CONFLICT"),
        member: Code("CONFLICT"),
        admin: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "removeTotp",
            "mutation { removeTotp(input: { code: \"000000\" }) { removed } }",
            Code("CONFLICT"),
        )
    },
    Row {
        viewer: Code("CONFLICT"),
        member: Code("CONFLICT"),
        admin: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "replaceRecoveryCodes",
            "mutation { replaceRecoveryCodes(input: { code: \"000000\" }) { recoveryCodes } }",
            Code("CONFLICT"),
        )
    },
    Row {
        viewer: NOT_FOUND,
        member: NOT_FOUND,
        admin: NOT_FOUND,
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
        member: Code("CONFLICT"),
        admin: Code("CONFLICT"),
        owner: Code("CONFLICT"),
        ..read(
            "createOrganization",
            "mutation { createOrganization(input: { slug: \"@slug\", name: \"X\" }) { organization { id } } }",
            Code("CONFLICT"),
        )
    },
    Row {
        admin: FORBIDDEN,
        ..manage(
            "updateOrganization",
            "mutation { updateOrganization(input: { name: \"Renamed\" }) { organization { slug } } }",
            Data,
        )
    },
    manage(
        "changeMemberRole",
        "mutation { changeMemberRole(input: { userId: \"@member\", role: ADMIN }) { membership { role } } }",
        NOT_FOUND,
    ),
    manage("removeMember", "mutation { removeMember(input: { userId: \"@member\" }) { userId } }", NOT_FOUND),
    // Whoever knows the address of somebody may make that person a member of the own organization.
    manage(
        "addMember",
        "mutation { addMember(input: { email: \"@memberEmail\", role: VIEWER }) { membership { role } } }",
        Data,
    ),
    // API keys and service accounts
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("apiKey", "{ apiKey(id: \"@apiKey\") { name scopes maker { email } } }", Null)
    },
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("apiKeys", "{ apiKeys { totalCount nodes { id name maker { email } } } }", Data)
    },
    manage(
        "createApiKey",
        "mutation { createApiKey(input: { name: \"new\", scopes: [\"entity:read\"] }) { secret } }",
        Data,
    ),
    manage(
        "updateApiKey",
        "mutation { updateApiKey(input: { id: \"@apiKey\", name: \"x\" }) { apiKey { id } } }",
        NOT_FOUND,
    ),
    manage("rotateApiKey", "mutation { rotateApiKey(input: { id: \"@apiKey\" }) { secret } }", NOT_FOUND),
    manage(
        "revokeApiKey",
        "mutation { revokeApiKey(input: { id: \"@apiKey\" }) { apiKey { revokedAt } } }",
        NOT_FOUND,
    ),
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("serviceAccount", "{ serviceAccount(id: \"@account\") { name scopes maker { email } } }", Null)
    },
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("serviceAccounts", "{ serviceAccounts { totalCount nodes { id name } } }", Data)
    },
    manage(
        "createServiceAccount",
        "mutation { createServiceAccount(input: { name: \"new\", scopes: [\"entity:read\"] }) { clientSecret } }",
        Data,
    ),
    manage(
        "updateServiceAccount",
        "mutation { updateServiceAccount(input: { id: \"@account\", name: \"x\" }) { serviceAccount { id } } }",
        NOT_FOUND,
    ),
    manage(
        "rotateServiceAccountSecret",
        "mutation { rotateServiceAccountSecret(input: { id: \"@account\" }) { clientSecret } }",
        NOT_FOUND,
    ),
    manage(
        "deleteServiceAccount",
        "mutation { deleteServiceAccount(input: { id: \"@account\" }) { id } }",
        NOT_FOUND,
    ),
    // Who may sign in by which issuer, and what comes back from it.
    same("signInProviders", "{ signInProviders(email: \"@email\") { id name } }", Data),
    same(
        "startSignIn",
        "mutation { startSignIn(input: { providerId: \"@org\", redirectUri: \"http://localhost:3000/sign-in/callback\" }) { expiresAt } }",
        NOT_FOUND,
    ),
    same(
        "completeSignIn",
        "mutation { completeSignIn(input: { code: \"@org\", state: \"@org\", browserSecret: \"@org\" }) { accessToken } }",
        BAD_USER_INPUT,
    ),
    // An open session alone does not make another way in.
    Row {
        viewer: BAD_USER_INPUT,
        member: BAD_USER_INPUT,
        admin: BAD_USER_INPUT,
        owner: BAD_USER_INPUT,
        ..read(
            "startLink",
            "mutation { startLink(input: { providerId: \"@org\", redirectUri: \"http://localhost:3000/sign-in/callback\" }) { expiresAt } }",
            BAD_USER_INPUT,
        )
    },
    Row {
        viewer: BAD_USER_INPUT,
        member: BAD_USER_INPUT,
        admin: BAD_USER_INPUT,
        owner: BAD_USER_INPUT,
        ..read(
            "linkIdentity",
            "mutation { linkIdentity(input: { code: \"@org\", state: \"@org\", browserSecret: \"@org\" }) { identity { id } } }",
            BAD_USER_INPUT,
        )
    },
    Row {
        viewer: NOT_FOUND,
        member: NOT_FOUND,
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..read(
            "unlinkIdentity",
            "mutation { unlinkIdentity(input: { identityId: \"@org\" }) { identityId } }",
            NOT_FOUND,
        )
    },
    Row {
        viewer: BAD_USER_INPUT,
        member: BAD_USER_INPUT,
        admin: BAD_USER_INPUT,
        owner: BAD_USER_INPUT,
        ..read(
            "signOutAtIssuer",
            "mutation { signOutAtIssuer(input: { redirectUri: \"https://elsewhere.example/\" }) { sessionId } }",
            BAD_USER_INPUT,
        )
    },
    // Whoever names an issuer decides who may act as an owner.
    own(
        "createIdentityProvider",
        "mutation { createIdentityProvider(input: { name: \"X\", issuer: \"https://issuer.example\", clientId: \"x\" }) { identityProvider { id } } }",
        Data,
    ),
    own("identityProviders", "{ identityProviders { id name issuer clientId } }", Data),
    Row {
        owner: NOT_FOUND,
        ..own(
            "updateIdentityProvider",
            "mutation { updateIdentityProvider(input: { id: \"@org\", name: \"Y\" }) { identityProvider { id } } }",
            NOT_FOUND,
        )
    },
    Row {
        owner: NOT_FOUND,
        ..own(
            "testIdentityProvider",
            "mutation { testIdentityProvider(input: { id: \"@org\" }) { signingKeys } }",
            NOT_FOUND,
        )
    },
    Row {
        owner: NOT_FOUND,
        ..own(
            "deleteIdentityProvider",
            "mutation { deleteIdentityProvider(input: { id: \"@org\" }) { id } }",
            NOT_FOUND,
        )
    },
    // Anybody may claim a domain; one shows that it is its own.
    own(
        "claimEmailDomain",
        "mutation { claimEmailDomain(input: { domain: \"claimed.example\" }) { emailDomain { domain } } }",
        Data,
    ),
    own("emailDomains", "{ emailDomains { domain proof verifiedAt } }", Data),
    Row {
        owner: NOT_FOUND,
        ..own(
            "verifyEmailDomain",
            "mutation { verifyEmailDomain(input: { domain: \"another.example\" }) { emailDomain { domain } } }",
            NOT_FOUND,
        )
    },
    own(
        "releaseEmailDomain",
        "mutation { releaseEmailDomain(input: { domain: \"claimed.example\" }) { domain } }",
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
    read(
        "subgraph",
        "{ subgraph(from: [\"@entity\"], depth: 2) { nodes { distance entity { name } } edges { properties } } }",
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
        ..read("auditEvents", "{ auditEvents { totalCount nodes { id action actorId key address } } }", Data)
    },
    // What is stored in general, and of nobody.
    Row {
        viewer: FORBIDDEN,
        ..read("privacyInventory", "{ privacyInventory { table column class erasing } }", Data)
    },
    // privacy
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
        owner: Null,
        ..read("dataExport", "{ dataExport(id: \"@org\") { id downloadPath } }", Null)
    },
    write(
        "exportUserData",
        "mutation { exportUserData(input: { userId: \"@admin\" }) { export { id } } }",
        NOT_FOUND,
    ),
    write(
        "eraseUser",
        "mutation { eraseUser(input: { userId: \"@admin\" }) { userId undoToken } }",
        NOT_FOUND,
    ),
    same("undoErasure", "mutation { undoErasure(input: { token: \"@org\" }) { userId } }", BAD_USER_INPUT),
    // At last, as it ends the session.
    read("signOut", "mutation { signOut { sessionId } }", Data),
];
