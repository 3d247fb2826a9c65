//! What accounts says.

use crate::row::Expect::{Code, Data, Null};
use crate::row::{
    BAD_USER_INPUT, FORBIDDEN, NOT_FOUND, Row, UNAUTHENTICATED, manage, own, read, same, write,
};

pub(super) const ROWS: &[Row] = &[
    Row {
        anonymous: Null,
        ..read(
            "me",
            "{ me { id name email emailVerified organizations { nodes { slug } } sessions { nodes { id address userAgent } } identities { id email } secondFactor { recoveryCodesLeft } passkeys { name } units { unit { name } } } }",
            Data,
        )
    },
    read(
        "organization",
        "{ organization(id: \"@org\") { id name members { nodes { email } } units { nodes { name } } activity(days: 1) { total } } }",
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
    // Who is no member here is nobody to be given anything.
    manage(
        "assignRole",
        "mutation { assignRole(input: { userId: \"@member\", template: VIEWER }) { assignment { id } } }",
        NOT_FOUND,
    ),
    manage(
        "grantAccess",
        "mutation { grantAccess(input: { userId: \"@member\", effect: ALLOW, permission: \"entity:read\" }) { grant { id } } }",
        NOT_FOUND,
    ),
    manage("removeMember", "mutation { removeMember(input: { userId: \"@member\" }) { userId } }", NOT_FOUND),
    // Whoever knows the address of somebody may make that person a member of the own organization.
    manage(
        "addMember",
        "mutation { addMember(input: { email: \"@memberEmail\", role: VIEWER }) { membership { role } } }",
        Data,
    ),
    // What is inside an organization.
    read(
        "unit",
        "{ unit(id: \"@unit\") { name memberCount members { nodes { email } } parent { name } children { nodes { name } } } }",
        Null,
    ),
    manage(
        "createUnit",
        "mutation { createUnit(input: { kind: ORGANIZATION, name: \"new\" }) { unit { id } } }",
        Data,
    ),
    manage(
        "updateUnit",
        "mutation { updateUnit(input: { id: \"@unit\", name: \"x\" }) { unit { name } } }",
        NOT_FOUND,
    ),
    manage(
        "moveUnit",
        "mutation { moveUnit(input: { id: \"@unit\" }) { unit { parent { name } } } }",
        NOT_FOUND,
    ),
    manage(
        "addUnitMembers",
        "mutation { addUnitMembers(input: { id: \"@unit\", userIds: [\"@guest\"] }) { addedIds } }",
        NOT_FOUND,
    ),
    manage(
        "removeUnitMembers",
        "mutation { removeUnitMembers(input: { id: \"@unit\", userIds: [\"@guest\"] }) { removedIds } }",
        NOT_FOUND,
    ),
    manage(
        "deleteUnit",
        "mutation { deleteUnit(input: { id: \"@unit\", recursive: true }) { deletedIds } }",
        NOT_FOUND,
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
    read("permissions", "{ permissions { name description roles } }", Data),
    read("roles", "{ roles { totalCount nodes { name permissions } } }", Data),
    read(
        "explainAccess",
        "{ explainAccess(permission: \"entity:read\") { allowed reasons { source } } }",
        Data,
    ),
    manage(
        "createRole",
        "mutation { createRole(input: { name: \"Readers\", permissions: [\"entity:read\"] }) { role { id } } }",
        Data,
    ),
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "updateRole",
            "mutation { updateRole(input: { id: \"@org\", name: \"X\" }) { role { id } } }",
            NOT_FOUND,
        )
    },
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage("deleteRole", "mutation { deleteRole(input: { id: \"@org\" }) { id } }", NOT_FOUND)
    },
    manage("roleAssignments", "{ roleAssignments { totalCount nodes { userId template } } }", Data),
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage("unassignRole", "mutation { unassignRole(input: { id: \"@org\" }) { id } }", NOT_FOUND)
    },
    manage("grants", "{ grants { totalCount nodes { userId permission } } }", Data),
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage("revokeAccess", "mutation { revokeAccess(input: { id: \"@org\" }) { id } }", NOT_FOUND)
    },
];
