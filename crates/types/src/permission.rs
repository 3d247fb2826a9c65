//! What a caller may do: permissions named `resource:action`, and the four roles that are templates of them.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

/// A right to do one kind of thing, named `resource:action`. The known ones are constants of this type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permission(Cow<'static, str>);

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        impl Permission {
            $($(#[doc = $doc])+ pub const $name: Self = Self(Cow::Borrowed($text));)+

            /// Every permission that Pulse itself asks for.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What each of [`Permission::ALL`] is for, in the same order.
            const DESCRIPTIONS: &'static [&'static str] = &[$(concat!($($doc),+)),+];
        }
    };
}

permissions! {
    /// See the organization.
    ORGANIZATION_READ = "organization:read",
    /// Change or close the organization.
    ORGANIZATION_MANAGE = "organization:manage",
    /// See who is a member.
    MEMBER_READ = "member:read",
    /// Add and remove members, and change their roles.
    MEMBER_MANAGE = "member:manage",
    /// See sub-organizations and teams.
    UNIT_READ = "unit:read",
    /// Make, change, move and delete sub-organizations and teams, and say who belongs to them.
    UNIT_MANAGE = "unit:manage",
    /// Change how the organization works and looks, and which features are on for whom.
    SETTINGS_MANAGE = "settings:manage",
    /// Read entity types and entities.
    ENTITY_READ = "entity:read",
    /// Create and change entities.
    ENTITY_WRITE = "entity:write",
    /// Delete entities.
    ENTITY_DELETE = "entity:delete",
    /// Create, change and delete entity types.
    ENTITY_TYPE_MANAGE = "entity-type:manage",
    /// Read relationships.
    RELATIONSHIP_READ = "relationship:read",
    /// Create and change relationships.
    RELATIONSHIP_WRITE = "relationship:write",
    /// Delete relationships.
    RELATIONSHIP_DELETE = "relationship:delete",
    /// Read collections and their items, and search them.
    COLLECTION_READ = "collection:read",
    /// Create, change and delete collections.
    COLLECTION_MANAGE = "collection:manage",
    /// Put items into collections and remove them.
    ITEM_WRITE = "item:write",
    /// Read analytics.
    ANALYTICS_READ = "analytics:read",
    /// Send analytics events.
    ANALYTICS_WRITE = "analytics:write",
    /// See what was done in the organization, and by whom.
    AUDIT_READ = "audit:read",
    /// Have members' personal data exported and members erased.
    PRIVACY_MANAGE = "privacy:manage",
    /// See the organization's jobs and schedules, and what could not be done.
    JOB_READ = "job:read",
    /// Cancel, retry and discard jobs, and pause and run schedules.
    JOB_MANAGE = "job:manage",
    /// See webhooks and what they were sent.
    WEBHOOK_READ = "webhook:read",
    /// Create, change and delete webhooks, and have things sent again.
    WEBHOOK_MANAGE = "webhook:manage",
    /// See the organization's API keys and service accounts.
    API_KEY_READ = "api-key:read",
    /// Make, change and revoke API keys and service accounts.
    API_KEY_MANAGE = "api-key:manage",
    /// See the organization's own roles.
    ROLE_READ = "role:read",
    /// Make, change and delete the organization's own roles.
    ROLE_MANAGE = "role:manage",
    /// See who has which roles and grants, and have others' access explained.
    ACCESS_READ = "access:read",
    /// Give and take roles and grants.
    ACCESS_MANAGE = "access:manage",
    /// See who listens to which streams.
    STREAM_READ = "stream:read",
    /// End streams of others.
    STREAM_END = "stream:end",
    /// See the schemas of the organization's own graphs, and who uses what of them.
    SCHEMA_READ = "schema:read",
    /// Have schemas checked before they are published.
    SCHEMA_CHECK = "schema:check",
    /// Report what is used of schemas, as gateways do.
    SCHEMA_REPORT = "schema:report",
    /// Publish schemas.
    SCHEMA_PUBLISH = "schema:publish",
    /// Go back to former schemas, let breaking changes through, and say how changes are judged.
    SCHEMA_MANAGE = "schema:manage",
}

impl Permission {
    /// The name, `resource:action`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its place among [`Permission::ALL`]; `None` for one that Pulse itself does not ask for.
    pub fn index(&self) -> Option<usize> {
        static PLACES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
            Permission::ALL.iter().enumerate().map(|(place, known)| (known.known_name(), place)).collect()
        });
        PLACES.get(self.as_str()).copied()
    }

    /// What it is for, in one sentence; `None` for one that Pulse itself does not ask for.
    pub fn description(&self) -> Option<&'static str> {
        self.index().map(|place| Self::DESCRIPTIONS[place].trim())
    }

    /// The name of one of the constants, which lives as long as they do.
    fn known_name(&self) -> &'static str {
        match self.0 {
            Cow::Borrowed(name) => name,
            Cow::Owned(_) => "",
        }
    }
}

impl From<String> for Permission {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of permissions, cheap to clone. Its text form is the names in order, with a space between (an OAuth `scope`, RFC 6749 §3.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(Arc<BTreeSet<Permission>>);

impl Permissions {
    /// No permission at all.
    pub fn none() -> Self {
        static NONE: LazyLock<Permissions> = LazyLock::new(Permissions::default);
        NONE.clone()
    }

    /// Whether `permission` is in the set.
    pub fn contains(&self, permission: &Permission) -> bool {
        self.0.contains(permission)
    }

    /// The permissions in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// Reads an OAuth `scope`. Names that Pulse does not know are kept: another subgraph may know them.
    pub fn from_scope(scope: &str) -> Self {
        scope.split_ascii_whitespace().map(|name| Permission::from(name.to_owned())).collect()
    }

    /// The set as an OAuth `scope`.
    pub fn to_scope(&self) -> String {
        self.0.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(Arc::new(permissions.into_iter().collect()))
    }
}

/// A role in an organization: a template of permissions. Each includes those of the ones after it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, async_graphql::Enum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, and the only role that may close the organization or make another owner.
    Owner,
    /// Everything but closing the organization.
    Admin,
    /// Reads and writes data.
    Member,
    /// Reads data.
    Viewer,
}

impl Role {
    /// The role's permissions.
    pub fn permissions(self) -> Permissions {
        Permission::ALL.iter().filter(|permission| self <= Self::least_for(permission)).cloned().collect()
    }

    /// The least of the roles that have `permission`.
    fn least_for(permission: &Permission) -> Self {
        let (resource, action) =
            permission.as_str().split_once(':').expect("the constants are resource:action");
        match (resource, action) {
            ("organization", "manage") => Self::Owner,
            // Who listens to what is nobody's business but that of those who look after them.
            ("stream" | "api-key" | "access", _) | ("audit", "read") | (_, "manage") => Self::Admin,
            // Where data go, and what is done about them in the background, is no data of the organization.
            ("webhook" | "job", "read") => Self::Member,
            (_, "read") => Self::Viewer,
            _ => Self::Member,
        }
    }

    /// The lowercase name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }
}

/// Text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a role: expected owner, admin, member or viewer")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            "viewer" => Ok(Self::Viewer),
            other => Err(UnknownRole(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_the_ones_below_it() {
        let roles = [Role::Owner, Role::Admin, Role::Member, Role::Viewer];
        for pair in roles.windows(2) {
            let (upper, lower) = (pair[0].permissions(), pair[1].permissions());
            assert!(lower.iter().all(|permission| upper.contains(permission)), "{pair:?}");
            assert!(lower.iter().count() < upper.iter().count(), "{pair:?}");
        }
    }

    #[test]
    fn a_viewer_only_reads() {
        assert!(Role::Viewer.permissions().iter().all(|permission| permission.as_str().ends_with(":read")));
    }

    #[test]
    fn each_permission_has_a_place_and_says_what_it_is_for() {
        for (place, permission) in Permission::ALL.iter().enumerate() {
            assert_eq!(Permission::from(permission.to_string()).index(), Some(place));
            assert!(permission.description().is_some_and(|text| text.ends_with('.')), "{permission}");
        }
        assert_eq!(Permission::from("thing:read".to_owned()).index(), None);
    }

    #[test]
    fn a_scope_reads_back_as_the_same_set() {
        let permissions = Role::Member.permissions();
        assert_eq!(Permissions::from_scope(&permissions.to_scope()), permissions);
    }
}
