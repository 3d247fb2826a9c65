//! What the matrix says of a root field.

use Expect::{Code, Data, Null};

/// What an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// A member of the first tenant.
    pub(crate) member: Expect,
    /// An admin of the first tenant.
    pub(crate) admin: Expect,
    /// The owner of the first tenant, after all others, in the order of the rows.
    pub(crate) owner: Expect,
}

pub(crate) const UNAUTHENTICATED: Expect = Code("UNAUTHENTICATED");
pub(crate) const FORBIDDEN: Expect = Code("FORBIDDEN");
pub(crate) const BAD_USER_INPUT: Expect = Code("BAD_USER_INPUT");
pub(crate) const NOT_FOUND: Expect = Code("NOT_FOUND");

/// What a viewer may do and nobody else's owner sees.
pub(crate) const fn read(field: &'static str, document: &'static str, outsider: Expect) -> Row {
    Row {
        field,
        document,
        outsider,
        anonymous: UNAUTHENTICATED,
        viewer: Data,
        member: Data,
        admin: Data,
        owner: Data,
    }
}

/// What a viewer may not do, and a member may.
pub(crate) const fn write(field: &'static str, document: &'static str, outsider: Expect) -> Row {
    Row { viewer: FORBIDDEN, ..read(field, document, outsider) }
}

/// What admins do.
pub(crate) const fn manage(field: &'static str, document: &'static str, outsider: Expect) -> Row {
    Row { member: FORBIDDEN, ..write(field, document, outsider) }
}

/// What only owners do.
pub(crate) const fn own(field: &'static str, document: &'static str, outsider: Expect) -> Row {
    Row { admin: FORBIDDEN, ..manage(field, document, outsider) }
}

/// What is the same for everybody.
pub(crate) const fn same(field: &'static str, document: &'static str, expect: Expect) -> Row {
    Row {
        field,
        document,
        outsider: expect,
        anonymous: expect,
        viewer: expect,
        member: expect,
        admin: expect,
        owner: expect,
    }
}

impl Row {
    /// Somebody whose token has expired, or whose session or API key was revoked: nothing is answered at all, whatever is
    /// asked.
    #[expect(clippy::unused_self, reason = "a field that is to be different gets its exception here")]
    pub(crate) const fn over(&self) -> Expect {
        UNAUTHENTICATED
    }

    /// An API key whose scope is for none of these fields: what is the same for everybody, and else nothing.
    pub(crate) fn scopeless(&self) -> Expect {
        let exception = SCOPELESS.iter().find(|(field, _)| *field == self.field);
        let all = [self.outsider, self.viewer, self.member, self.admin, self.owner];
        let is_same = all.iter().all(|expect| *expect == self.anonymous);
        exception.map_or(if is_same { self.anonymous } else { FORBIDDEN }, |(_, expect)| *expect)
    }
}

/// What is different for an API key without a scope.
const SCOPELESS: &[(&str, Expect)] = &[
    // It is no person.
    ("me", Null),
    // It may not see the organization that it acts in, which looks as if there were none.
    ("organization", Null),
    // The one scope that it has is for these.
    ("auditEvents", Data),
    ("privacyInventory", Data),
    ("exportAuditEvents", Data),
    ("auditExport", Null),
    // What there is to be given is no secret, nor what it may itself.
    ("permissions", Data),
    ("explainAccess", Data),
];
