//! One difference, and the one table of what there can be.

use std::fmt;

/// What a change can do to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criticality {
    /// An operation that was valid is not, or its answer breaks a promise.
    Breaking,
    /// Operations stay valid, but a client may meet what it does not expect.
    Dangerous,
    /// No client notices.
    Safe,
}

impl Criticality {
    /// As people and tools write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Dangerous => "dangerous",
            Self::Safe => "safe",
        }
    }
}

impl fmt::Display for Criticality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of difference it is.
    pub code: ChangeCode,
    /// What it does to a client that uses what it concerns.
    pub criticality: Criticality,
    /// What it concerns, such as `User.posts(first:)`.
    pub coordinate: String,
    /// What has changed.
    pub message: String,
    /// An operation notices only if it uses all of these coordinates; none does if there are none.
    pub noticed_by: Vec<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}: {}", self.criticality, self.code, self.coordinate, self.message)
    }
}

macro_rules! change_codes {
    ($($variant:ident = $text:literal, $criticality:ident, $meaning:literal;)*) => {
        /// The kinds of change between two schemas.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ChangeCode { $(#[doc = concat!("`", $text, "`: ", $meaning)] $variant,)* }

        impl ChangeCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that tools and people know it by.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What such a change does to a client that notices.
            pub const fn criticality(self) -> Criticality {
                match self { $(Self::$variant => Criticality::$criticality,)* }
            }

            /// What it means, in half a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

change_codes! {
    TypeAdded = "TYPE_ADDED", Safe, "a new type";
    TypeRemoved = "TYPE_REMOVED", Breaking, "a type is gone";
    TypeKindChanged = "TYPE_KIND_CHANGED", Breaking, "a type is of another kind";
    FieldAdded = "FIELD_ADDED", Safe, "a new field";
    FieldRemoved = "FIELD_REMOVED", Breaking, "a field is gone";
    FieldTypeChanged = "FIELD_TYPE_CHANGED", Breaking, "a field returns something else";
    FieldBecameNullable = "FIELD_BECAME_NULLABLE", Breaking, "a field may be null where it was not";
    FieldBecameNonNull = "FIELD_BECAME_NON_NULL", Safe, "a field is never null any more";
    ArgumentAdded = "ARGUMENT_ADDED", Safe, "a new optional argument";
    RequiredArgumentAdded = "REQUIRED_ARGUMENT_ADDED", Breaking, "a new argument that must be given";
    ArgumentRemoved = "ARGUMENT_REMOVED", Breaking, "an argument is gone";
    ArgumentTypeChanged = "ARGUMENT_TYPE_CHANGED", Breaking, "an argument takes something else";
    ArgumentBecameRequired = "ARGUMENT_BECAME_REQUIRED", Breaking, "an argument must be given";
    ArgumentBecameNonNull = "ARGUMENT_BECAME_NON_NULL", Breaking, "an argument cannot be null any more";
    ArgumentBecameNullable = "ARGUMENT_BECAME_NULLABLE", Safe, "an argument may be null";
    ArgumentDefaultAdded = "ARGUMENT_DEFAULT_ADDED", Dangerous, "an argument that is not given has a value";
    ArgumentDefaultChanged = "ARGUMENT_DEFAULT_CHANGED", Dangerous, "an argument that is not given has another value";
    ArgumentDefaultRemoved = "ARGUMENT_DEFAULT_REMOVED", Dangerous, "an argument that is not given has no value";
    InputFieldAdded = "INPUT_FIELD_ADDED", Safe, "a new optional input field";
    RequiredInputFieldAdded = "REQUIRED_INPUT_FIELD_ADDED", Breaking, "a new input field that must be given";
    InputFieldRemoved = "INPUT_FIELD_REMOVED", Breaking, "an input field is gone";
    InputFieldTypeChanged = "INPUT_FIELD_TYPE_CHANGED", Breaking, "an input field takes something else";
    InputFieldBecameRequired = "INPUT_FIELD_BECAME_REQUIRED", Breaking, "an input field must be given";
    InputFieldBecameNonNull = "INPUT_FIELD_BECAME_NON_NULL", Breaking, "an input field cannot be null any more";
    InputFieldBecameNullable = "INPUT_FIELD_BECAME_NULLABLE", Safe, "an input field may be null";
    InputFieldDefaultAdded = "INPUT_FIELD_DEFAULT_ADDED", Dangerous, "an input field that is not given has a value";
    InputFieldDefaultChanged = "INPUT_FIELD_DEFAULT_CHANGED", Dangerous, "an input field that is not given has another value";
    InputFieldDefaultRemoved = "INPUT_FIELD_DEFAULT_REMOVED", Dangerous, "an input field that is not given has no value";
    OneOfAdded = "ONE_OF_ADDED", Breaking, "exactly one field of an input must be given";
    OneOfRemoved = "ONE_OF_REMOVED", Safe, "several fields of an input may be given";
    InputEnumValueAdded = "INPUT_ENUM_VALUE_ADDED", Safe, "a new value that can only be given";
    OutputEnumValueAdded = "OUTPUT_ENUM_VALUE_ADDED", Dangerous, "a new value that may be returned";
    InputEnumValueRemoved = "INPUT_ENUM_VALUE_REMOVED", Breaking, "a value that could be given is gone";
    OutputEnumValueRemoved = "OUTPUT_ENUM_VALUE_REMOVED", Dangerous, "a value that could be returned is gone";
    UnionMemberAdded = "UNION_MEMBER_ADDED", Dangerous, "a union may be one more type";
    UnionMemberRemoved = "UNION_MEMBER_REMOVED", Breaking, "a union cannot be some type any more";
    ImplementationAdded = "IMPLEMENTATION_ADDED", Dangerous, "an interface may be one more type";
    ImplementationRemoved = "IMPLEMENTATION_REMOVED", Breaking, "an interface cannot be some type any more";
    SpecifiedByChanged = "SPECIFIED_BY_CHANGED", Dangerous, "a scalar follows another specification";
    DirectiveAdded = "DIRECTIVE_ADDED", Safe, "a new directive for operations";
    DirectiveRemoved = "DIRECTIVE_REMOVED", Breaking, "a directive for operations is gone";
    DirectiveLocationAdded = "DIRECTIVE_LOCATION_ADDED", Safe, "a directive may stand at more places";
    DirectiveLocationRemoved = "DIRECTIVE_LOCATION_REMOVED", Breaking, "a directive may stand at fewer places";
    DirectiveBecameRepeatable = "DIRECTIVE_BECAME_REPEATABLE", Safe, "a directive may be repeated";
    DirectiveBecameUnique = "DIRECTIVE_BECAME_UNIQUE", Breaking, "a directive must not be repeated any more";
    DeprecationAdded = "DEPRECATION_ADDED", Safe, "something is deprecated";
    DeprecationChanged = "DEPRECATION_CHANGED", Safe, "something is deprecated for another reason";
    DeprecationRemoved = "DEPRECATION_REMOVED", Safe, "something is not deprecated any more";
    DescriptionChanged = "DESCRIPTION_CHANGED", Safe, "something is described differently";
    GuardAdded = "GUARD_ADDED", Breaking, "callers need a right that they did not need";
    GuardChanged = "GUARD_CHANGED", Dangerous, "callers need other rights";
    GuardRemoved = "GUARD_REMOVED", Dangerous, "callers need a right no more";
    KeyAdded = "KEY_ADDED", Safe, "a subgraph resolves an entity by one more key";
    KeyRemoved = "KEY_REMOVED", Dangerous, "a subgraph resolves an entity by one key less, and a gateway that still has the old supergraph may ask for it";
}

impl fmt::Display for ChangeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
