//! Permissions as bits: what is asked for most is asked in one instruction.

use pulse_types::{Permission, Permissions, Role};

/// A set of the permissions that Pulse itself asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PermissionSet(u128);

const _: () = assert!(Permission::ALL.len() <= u128::BITS as usize, "there are more permissions than bits");

impl PermissionSet {
    /// Those of these that Pulse itself asks for. Names that it does not know, or no longer, give nothing.
    pub(super) fn of<'p>(permissions: impl IntoIterator<Item = &'p Permission>) -> Self {
        Self(permissions.into_iter().filter_map(Permission::index).fold(0, |bits, place| bits | (1 << place)))
    }

    /// Those of a template.
    pub(super) fn of_role(role: Role) -> Self {
        static SETS: std::sync::LazyLock<[PermissionSet; 4]> = std::sync::LazyLock::new(|| {
            [Role::Owner, Role::Admin, Role::Member, Role::Viewer]
                .map(|role| PermissionSet::of(role.permissions().iter()))
        });
        SETS[role as usize]
    }

    pub(super) const fn has(self, place: usize) -> bool {
        (self.0 >> place) & 1 == 1
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'static Permission> {
        Permission::ALL.iter().enumerate().filter(move |(place, _)| self.has(*place)).map(|(_, known)| known)
    }
}

impl From<&Permissions> for PermissionSet {
    fn from(permissions: &Permissions) -> Self {
        Self::of(permissions.iter())
    }
}
