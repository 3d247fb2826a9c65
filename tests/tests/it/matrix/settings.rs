//! What accounts says of invitations, settings and preferences.

use crate::row::Expect::Data;
use crate::row::{BAD_USER_INPUT, FORBIDDEN, NOT_FOUND, Row, manage, read, same};

pub(super) const ROWS: &[Row] = &[
    // Who is invited is for those to see who may invite.
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("invitations", "{ invitations { totalCount nodes { id email role state } } }", Data)
    },
    manage(
        "inviteMember",
        "mutation { inviteMember(input: { email: \"guest@elsewhere.example\", role: VIEWER }) { invitation { id } } }",
        Data,
    ),
    manage(
        "inviteMembers",
        "mutation { inviteMembers(input: { people: [{ email: \"guests@elsewhere.example\", role: VIEWER }] }) { invitations { id } } }",
        Data,
    ),
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "resendInvitation",
            "mutation { resendInvitation(input: { id: \"@org\" }) { invitation { id } } }",
            NOT_FOUND,
        )
    },
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "revokeInvitation",
            "mutation { revokeInvitation(input: { id: \"@org\" }) { invitation { id } } }",
            NOT_FOUND,
        )
    },
    // What is in a letter says who is invited, whoever looks.
    same("invitation", "{ invitation(token: \"@org\") { organizationName } }", BAD_USER_INPUT),
    read("myInvitations", "{ myInvitations { id organizationName } }", Data),
    Row {
        viewer: BAD_USER_INPUT,
        member: BAD_USER_INPUT,
        admin: BAD_USER_INPUT,
        owner: BAD_USER_INPUT,
        ..read(
            "acceptInvitation",
            "mutation { acceptInvitation(input: { token: \"@org\" }) { membership { role } } }",
            BAD_USER_INPUT,
        )
    },
    same(
        "declineInvitation",
        "mutation { declineInvitation(input: { token: \"@org\" }) { declined } }",
        BAD_USER_INPUT,
    ),
    // How things work and look
    read("settings", "{ settings { timeZone version branding { displayName } } }", Data),
    read("effectiveSettings", "{ effectiveSettings { timeZone sources { name isDefault } } }", Data),
    same("brandingOf", "{ brandingOf(slug: \"@slug\") { displayName theme } }", Data),
    manage(
        "updateSettings",
        "mutation { updateSettings(input: { timeZone: \"Europe/Vienna\" }) { settings { version } } }",
        Data,
    ),
    manage(
        "updateBranding",
        "mutation { updateBranding(input: { displayName: \"X\" }) { settings { version } } }",
        Data,
    ),
    manage(
        "uploadLogo",
        "mutation { uploadLogo(input: { data: \"iVBORw0KGgoAAAANSUhEUg==\" }) { settings { version } } }",
        Data,
    ),
    // Which features there are is for admins; what they are for oneself is for everybody inside.
    Row {
        viewer: FORBIDDEN,
        member: FORBIDDEN,
        ..read("featureFlags", "{ featureFlags { id key rules { userIds } } }", Data)
    },
    read("flags", "{ flags { key isOn reason } }", Data),
    read("flag", "{ flag(key: \"board\") { isOn reason } }", Data),
    manage(
        "createFeatureFlag",
        "mutation { createFeatureFlag(input: { key: \"board\" }) { featureFlag { id } } }",
        Data,
    ),
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "updateFeatureFlag",
            "mutation { updateFeatureFlag(input: { id: \"@org\", isOn: true }) { featureFlag { id } } }",
            NOT_FOUND,
        )
    },
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "deleteFeatureFlag",
            "mutation { deleteFeatureFlag(input: { id: \"@org\" }) { id } }",
            NOT_FOUND,
        )
    },
    // What a person prefers is its own.
    read("preferences", "{ preferences { locale clients { namespace } } }", Data),
    read(
        "updatePreferences",
        "mutation { updatePreferences(input: { reducedMotion: true }) { preferences { version } } }",
        Data,
    ),
    read(
        "patchClientPreferences",
        "mutation { patchClientPreferences(input: { namespace: \"web\", patch: {} }) { client { version } } }",
        Data,
    ),
    read(
        "clearClientPreferences",
        "mutation { clearClientPreferences(input: { namespace: \"web\" }) { namespace } }",
        Data,
    ),
];
