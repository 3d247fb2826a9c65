//! The directives of the federation specification: since when, where and with which arguments.

use async_graphql_parser::types::DirectiveLocation::{
    self, ArgumentDefinition as ARG, Enum as ENUM, EnumValue as VALUE, FieldDefinition as FIELD,
    InputFieldDefinition as INPUT_FIELD, InputObject as INPUT, Interface as INTERFACE, Object as OBJECT,
    Scalar as SCALAR, Schema as SCHEMA, Union as UNION,
};

/// A directive of the federation specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fed {
    Key,
    Shareable,
    External,
    Requires,
    Provides,
    Override,
    Inaccessible,
    Tag,
    InterfaceObject,
    ComposeDirective,
    Extends,
    Authenticated,
    RequiresScopes,
    Policy,
    Cost,
    ListSize,
    Context,
    FromContext,
    /// No directive of the federation specification, but one that every subgraph library knows.
    CacheControl,
}

/// What an argument accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    Text,
    /// Text; a list was accepted before Federation 2, and has a message of its own.
    FieldSet,
    Boolean,
    Int,
    /// A whole number, negative ones too: a rule of its own speaks of them.
    AnyInt,
    Texts,
    TextLists,
    /// `PUBLIC`, `TENANT` or `PRIVATE`.
    CacheScope,
}

pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) accepts: Accepts,
    pub(crate) required: bool,
}

pub(crate) struct Definition {
    pub(crate) fed: Fed,
    pub(crate) name: &'static str,
    /// The first `v2.x` that has it.
    pub(crate) since: u32,
    pub(crate) federation_1: bool,
    pub(crate) repeatable: bool,
    pub(crate) args: &'static [Argument],
    pub(crate) locations: &'static [DirectiveLocation],
}

const fn required(name: &'static str, accepts: Accepts) -> Argument {
    Argument { name, accepts, required: true }
}

const fn optional(name: &'static str, accepts: Accepts) -> Argument {
    Argument { name, accepts, required: false }
}

const fn define(
    fed: Fed,
    name: &'static str,
    args: &'static [Argument],
    locations: &'static [DirectiveLocation],
) -> Definition {
    Definition { fed, name, since: 0, federation_1: false, repeatable: false, args, locations }
}

impl Definition {
    const fn since(self, since: u32) -> Self {
        Self { since, ..self }
    }

    const fn federation_1(self) -> Self {
        Self { federation_1: true, ..self }
    }

    const fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }
}

const FIELDS: [Argument; 1] = [required("fields", Accepts::FieldSet)];
const ANYWHERE: [DirectiveLocation; 10] =
    [FIELD, OBJECT, INTERFACE, UNION, ARG, SCALAR, ENUM, VALUE, INPUT, INPUT_FIELD];
const GUARDED: [DirectiveLocation; 5] = [FIELD, OBJECT, INTERFACE, SCALAR, ENUM];

pub(crate) static DEFINITIONS: [Definition; 19] = [
    define(
        Fed::Key,
        "key",
        &[required("fields", Accepts::FieldSet), optional("resolvable", Accepts::Boolean)],
        &[OBJECT, INTERFACE],
    )
    .federation_1()
    .repeatable(),
    define(Fed::Shareable, "shareable", &[], &[OBJECT, FIELD]).repeatable(),
    define(Fed::External, "external", &[optional("reason", Accepts::Text)], &[OBJECT, FIELD]).federation_1(),
    define(Fed::Requires, "requires", &FIELDS, &[FIELD]).federation_1(),
    define(Fed::Provides, "provides", &FIELDS, &[FIELD]).federation_1(),
    define(
        Fed::Override,
        "override",
        &[required("from", Accepts::Text), optional("label", Accepts::Text)],
        &[FIELD],
    ),
    define(Fed::Inaccessible, "inaccessible", &[], &ANYWHERE).federation_1(),
    define(
        Fed::Tag,
        "tag",
        &[required("name", Accepts::Text)],
        &[FIELD, OBJECT, INTERFACE, UNION, ARG, SCALAR, ENUM, VALUE, INPUT, INPUT_FIELD, SCHEMA],
    )
    .federation_1()
    .repeatable(),
    define(Fed::InterfaceObject, "interfaceObject", &[], &[OBJECT]).since(3),
    define(Fed::ComposeDirective, "composeDirective", &[required("name", Accepts::Text)], &[SCHEMA])
        .since(1)
        .repeatable(),
    define(Fed::Extends, "extends", &[], &[OBJECT, INTERFACE]).federation_1(),
    define(Fed::Authenticated, "authenticated", &[], &GUARDED).since(5),
    define(Fed::RequiresScopes, "requiresScopes", &[required("scopes", Accepts::TextLists)], &GUARDED)
        .since(5),
    define(Fed::Policy, "policy", &[required("policies", Accepts::TextLists)], &GUARDED).since(6),
    define(
        Fed::Cost,
        "cost",
        &[required("weight", Accepts::Int)],
        &[ARG, ENUM, FIELD, INPUT_FIELD, OBJECT, SCALAR],
    )
    .since(9),
    define(
        Fed::ListSize,
        "listSize",
        &[
            optional("assumedSize", Accepts::AnyInt),
            optional("slicingArguments", Accepts::Texts),
            optional("sizedFields", Accepts::Texts),
            optional("requireOneSlicingArgument", Accepts::Boolean),
        ],
        &[FIELD],
    )
    .since(9),
    define(Fed::Context, "context", &[required("name", Accepts::Text)], &[OBJECT, INTERFACE, UNION])
        .since(8)
        .repeatable(),
    define(Fed::FromContext, "fromContext", &[required("field", Accepts::Text)], &[ARG]).since(8),
    define(
        Fed::CacheControl,
        "cacheControl",
        &[
            optional("maxAge", Accepts::Int),
            optional("scope", Accepts::CacheScope),
            optional("inheritMaxAge", Accepts::Boolean),
        ],
        &[FIELD, OBJECT, INTERFACE, UNION],
    )
    .since(NOT_FEDERATION),
];

/// Since when federation has what it does not have.
const NOT_FEDERATION: u32 = u32::MAX;

/// The enum that `@cacheControl(scope:)` takes, with its values from the narrowest to the widest.
pub(crate) const CACHE_SCOPE: (&str, [&str; 3]) = ("CacheControlScope", ["PRIVATE", "TENANT", "PUBLIC"]);

/// The newest `v2.x` whose rules are known here.
pub(crate) const NEWEST_MINOR: u32 = 12;

impl Fed {
    pub(crate) fn definition(self) -> &'static Definition {
        DEFINITIONS
            .iter()
            .find(|definition| definition.fed == self)
            .expect("DEFINITIONS has one entry per variant")
    }

    pub(crate) fn name(self) -> &'static str {
        self.definition().name
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        DEFINITIONS.iter().find(|definition| definition.name == name).map(|definition| definition.fed)
    }

    /// Whether `@link` of federation may import it.
    pub(crate) fn is_federation(self) -> bool {
        self.definition().since != NOT_FEDERATION
    }
}
