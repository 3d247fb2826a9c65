//! Rights on single things, beside those in a whole tenant.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Permission;

/// A single thing that rights can be given on. Its text form is `entity:01890a5d-ac96-774b-bcce-b302099a8057`: the word that
/// the names of permissions on it begin with, and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Resource {
    kind: ResourceKind,
    id: Uuid,
}

/// What kind of thing a [`Resource`] is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKind(Cow<'static, str>);

impl ResourceKind {
    /// An entity of the graph.
    pub const ENTITY: Self = Self(Cow::Borrowed("entity"));
    /// A collection of items to search.
    pub const COLLECTION: Self = Self(Cow::Borrowed("collection"));
    /// A sub-organization or a team.
    pub const UNIT: Self = Self(Cow::Borrowed("unit"));

    /// The kinds that Pulse itself asks about.
    pub const ALL: &'static [Self] = &[Self::ENTITY, Self::COLLECTION, Self::UNIT];

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `permission` is asked for on single things of this kind. Of a kind that Pulse itself does not ask about, those
    /// are that begin with its word.
    pub fn takes(&self, permission: &Permission) -> bool {
        let asked: &[Permission] = match self.as_str() {
            "entity" => &[Permission::ENTITY_READ, Permission::ENTITY_WRITE, Permission::ENTITY_DELETE],
            "collection" => {
                &[Permission::COLLECTION_READ, Permission::COLLECTION_MANAGE, Permission::ITEM_WRITE]
            }
            "unit" => &[
                Permission::UNIT_READ,
                Permission::UNIT_MANAGE,
                Permission::MEMBER_READ,
                Permission::ACCESS_READ,
                Permission::ACCESS_MANAGE,
                Permission::SETTINGS_MANAGE,
            ],
            word => return permission.as_str().split_once(':').is_some_and(|(of, _)| of == word),
        };
        asked.contains(permission)
    }
}

/// Text that names no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no resource: expected a kind and an id, such as entity:01890a5d-ac96-774b-bcce-b302099a8057"
)]
pub struct InvalidResource(pub String);

impl Resource {
    /// The thing of this kind with this id.
    pub fn new(kind: ResourceKind, id: impl Into<Uuid>) -> Self {
        Self { kind, id: id.into() }
    }

    /// What it is.
    pub const fn kind(&self) -> &ResourceKind {
        &self.kind
    }

    /// Its id, which is its own among those of its kind.
    pub const fn id(&self) -> Uuid {
        self.id
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.0, self.id)
    }
}

impl FromStr for Resource {
    type Err = InvalidResource;

    fn from_str(text: &str) -> Result<Self, InvalidResource> {
        let parse = || {
            let (kind, id) = text.split_once(':')?;
            let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
            let named = (1..=63).contains(&kind.len()) && kind.chars().all(is_word);
            let known = ResourceKind::ALL.iter().find(|known| known.as_str() == kind).cloned();
            let kind = known.or_else(|| named.then(|| ResourceKind(Cow::Owned(kind.to_owned()))))?;
            Some(Self { kind, id: Uuid::try_parse(id).ok()? })
        };
        parse().ok_or_else(|| InvalidResource(text.to_owned()))
    }
}

impl TryFrom<String> for Resource {
    type Error = InvalidResource;

    fn try_from(text: String) -> Result<Self, InvalidResource> {
        text.parse()
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.to_string()
    }
}

/// Whether a right is given or withheld.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, async_graphql::Enum,
)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is given.
    Allow,
    /// It is withheld, whatever else gives it.
    Deny,
}

/// What somebody may and may not do with single things, whatever they may in the whole tenant. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<(Effect, Permission, Resource)>", from = "Vec<(Effect, Permission, Resource)>")]
pub struct ResourceRights(Option<Arc<BTreeMap<(Permission, ResourceKind), ByEffect>>>);

/// The ids of one kind. What is in both sets is withheld.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct ByEffect {
    allowed: BTreeSet<Uuid>,
    denied: BTreeSet<Uuid>,
}

/// Which things of a kind somebody may do something with. The sets hold ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// All but these.
    AllBut(&'a BTreeSet<Uuid>),
    /// These of `allowed` that are not in `denied`.
    Only {
        /// What is given.
        allowed: &'a BTreeSet<Uuid>,
        /// What is withheld all the same.
        denied: &'a BTreeSet<Uuid>,
    },
}

static NOTHING: BTreeSet<Uuid> = BTreeSet::new();

impl Reach<'static> {
    /// Everything.
    pub const ALL: Self = Self::AllBut(&NOTHING);
}

impl Reach<'_> {
    /// Whether the thing with this id is within reach.
    pub fn contains(&self, id: Uuid) -> bool {
        match self {
            Self::AllBut(denied) => !denied.contains(&id),
            Self::Only { allowed, denied } => allowed.contains(&id) && !denied.contains(&id),
        }
    }

    /// Those that are within reach, where that is said of each; `None` where it is only said which are not.
    pub fn only(&self) -> Option<Vec<Uuid>> {
        match self {
            Self::AllBut(_) => None,
            Self::Only { allowed, denied } => Some(allowed.difference(denied).copied().collect()),
        }
    }

    /// Those that are out of reach, where that is said of each.
    pub fn denied(&self) -> Vec<Uuid> {
        let (Self::AllBut(denied) | Self::Only { denied, .. }) = self;
        denied.iter().copied().collect()
    }

    /// Whether everything is within reach, so that nobody has to look.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::AllBut(denied) if denied.is_empty())
    }
}

impl ResourceRights {
    /// The most that one person has: they travel with each request between processes.
    pub const MAX: usize = 200;

    /// None beside those in the tenant.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Whether there are none.
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// What is said of `permission` on `resource`; `None` where that is decided by the rights in the tenant.
    pub fn on(&self, permission: &Permission, resource: &Resource) -> Option<Effect> {
        let rights = self.of_kind(permission, &resource.kind)?;
        if rights.denied.contains(&resource.id) {
            Some(Effect::Deny)
        } else {
            rights.allowed.contains(&resource.id).then_some(Effect::Allow)
        }
    }

    /// Which things of a kind are within reach of somebody for whom `permission` is held in the whole tenant, or not.
    pub fn reach(&self, permission: &Permission, kind: &ResourceKind, held: bool) -> Reach<'_> {
        let (allowed, denied) = self
            .of_kind(permission, kind)
            .map_or((&NOTHING, &NOTHING), |rights| (&rights.allowed, &rights.denied));
        if held { Reach::AllBut(denied) } else { Reach::Only { allowed, denied } }
    }

    fn of_kind(&self, permission: &Permission, kind: &ResourceKind) -> Option<&ByEffect> {
        self.0.as_ref()?.get(&(permission.clone(), kind.clone()))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Effect, Permission, Resource)> {
        self.0.iter().flat_map(|rights| rights.iter()).flat_map(|((permission, kind), by)| {
            let each = |effect, ids: &BTreeSet<Uuid>| {
                let said = |id: &Uuid| (effect, permission.clone(), Resource::new(kind.clone(), *id));
                ids.iter().map(said).collect::<Vec<_>>()
            };
            each(Effect::Allow, &by.allowed).into_iter().chain(each(Effect::Deny, &by.denied))
        })
    }
}

impl FromIterator<(Effect, Permission, Resource)> for ResourceRights {
    fn from_iter<I: IntoIterator<Item = (Effect, Permission, Resource)>>(rights: I) -> Self {
        let mut all: BTreeMap<_, ByEffect> = BTreeMap::new();
        for (effect, permission, Resource { kind, id }) in rights {
            let of_kind = all.entry((permission, kind)).or_default();
            match effect {
                Effect::Allow => of_kind.allowed.insert(id),
                Effect::Deny => of_kind.denied.insert(id),
            };
        }
        Self((!all.is_empty()).then(|| Arc::new(all)))
    }
}

impl From<Vec<(Effect, Permission, Resource)>> for ResourceRights {
    fn from(rights: Vec<(Effect, Permission, Resource)>) -> Self {
        rights.into_iter().collect()
    }
}

impl From<ResourceRights> for Vec<(Effect, Permission, Resource)> {
    fn from(rights: ResourceRights) -> Self {
        rights.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(id: u128) -> Resource {
        Resource::new(ResourceKind::ENTITY, Uuid::from_u128(id))
    }

    #[test]
    fn what_is_withheld_wins() {
        let rights: ResourceRights = [
            (Effect::Allow, Permission::ENTITY_READ, entity(1)),
            (Effect::Deny, Permission::ENTITY_READ, entity(1)),
            (Effect::Allow, Permission::ENTITY_READ, entity(2)),
        ]
        .into_iter()
        .collect();
        assert_eq!(rights.on(&Permission::ENTITY_READ, &entity(1)), Some(Effect::Deny));
        assert_eq!(rights.on(&Permission::ENTITY_READ, &entity(2)), Some(Effect::Allow));
        assert_eq!(rights.on(&Permission::ENTITY_READ, &entity(3)), None);
        assert_eq!(rights.on(&Permission::ENTITY_WRITE, &entity(2)), None);
        let reach = |held| rights.reach(&Permission::ENTITY_READ, &ResourceKind::ENTITY, held);
        let seen = |held| (1..=3).filter(|id| reach(held).contains(Uuid::from_u128(*id))).collect::<Vec<_>>();
        assert_eq!(seen(true), [2, 3]);
        assert_eq!(seen(false), [2]);
    }

    #[test]
    fn rights_travel_as_a_list() {
        let rights: ResourceRights = [
            (Effect::Deny, Permission::ENTITY_READ, entity(1)),
            (
                Effect::Allow,
                Permission::COLLECTION_READ,
                Resource::new(ResourceKind::COLLECTION, Uuid::nil()),
            ),
        ]
        .into_iter()
        .collect();
        let text = serde_json::to_string(&rights).expect("writes");
        assert_eq!(
            text,
            r#"[["allow","collection:read","collection:00000000-0000-0000-0000-000000000000"],["deny","entity:read","entity:00000000-0000-0000-0000-000000000001"]]"#
        );
        assert_eq!(serde_json::from_str::<ResourceRights>(&text).expect("reads"), rights);
        assert_eq!(serde_json::from_str::<ResourceRights>("[]").expect("reads"), ResourceRights::none());
        for wrong in [
            r#"[["allow","a:b","entity:x"]]"#,
            r#"[["allow","a:b","En:00000000-0000-0000-0000-000000000000"]]"#,
        ] {
            assert!(serde_json::from_str::<ResourceRights>(wrong).is_err(), "{wrong}");
        }
    }
}
