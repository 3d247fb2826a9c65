//! The one table of codes: what composition may say, by name.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $text:literal, $meaning:literal;)*) => {
        /// The kinds of statement that composition makes. Apollo's names where Apollo has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = concat!("`", $text, "`: ", $meaning)] $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that tools and people know it by.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it means, in half a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    CacheControlInconsistent = "CACHE_CONTROL_INCONSISTENT", "subgraphs say differently for how long, or for whom, an answer is kept";
    CompositionLimit = "COMPOSITION_LIMIT", "something could not be proven within the limits of time";
    ContractRemovesEverything = "CONTRACT_REMOVES_EVERYTHING", "a contract's tags leave nothing that a client could ask for";
    CostOnInterfaceField = "COST_APPLIED_TO_INTERFACE_FIELD", "@cost on a field of an interface";
    DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE", "a visible default names something @inaccessible";
    DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR", "@composeDirective cannot be followed";
    DirectiveCompositionInfo = "DIRECTIVE_COMPOSITION_INFO", "a composed directive comes from an older minor version in some subgraph";
    DirectiveDefinitionInvalid = "DIRECTIVE_DEFINITION_INVALID", "a federation directive is defined as something else";
    DisallowedInaccessible = "DISALLOWED_INACCESSIBLE", "@inaccessible on something that every schema has";
    EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE", "an input enum without a common value";
    EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE", "an input type without a common field";
    EnumValueMismatch = "ENUM_VALUE_MISMATCH", "an enum for input and output whose values differ";
    ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE", "an extension of a type that nobody defines";
    ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING", "an @external field lacks an argument of its definition";
    ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH", "an argument of an @external field has another type than in its definition";
    ExternalCollision = "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE", "@external beside a directive for resolvers";
    ExternalMissingOnBase = "EXTERNAL_MISSING_ON_BASE", "an @external field that nobody defines";
    ExternalOnInterface = "EXTERNAL_ON_INTERFACE", "@external on a field of an interface";
    ExternalTypeMismatch = "EXTERNAL_TYPE_MISMATCH", "an @external field has another type than its definition";
    ExternalUnused = "EXTERNAL_UNUSED", "an @external field that nothing uses";
    FieldArgumentDefaultMismatch = "FIELD_ARGUMENT_DEFAULT_MISMATCH", "an argument with different defaults";
    FieldArgumentTypeMismatch = "FIELD_ARGUMENT_TYPE_MISMATCH", "an argument with incompatible types";
    FieldTypeMismatch = "FIELD_TYPE_MISMATCH", "a field with incompatible types";
    FromSubgraphDoesNotExist = "FROM_SUBGRAPH_DOES_NOT_EXIST", "@override from a subgraph that is not there";
    ImplementedByInaccessible = "IMPLEMENTED_BY_INACCESSIBLE", "a visible interface field whose implementation is @inaccessible";
    InconsistentArgumentPresence = "INCONSISTENT_ARGUMENT_PRESENCE", "an optional argument that some subgraphs lack";
    InconsistentArgumentType = "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE", "an argument with different types that can be merged";
    InconsistentDefaultValue = "INCONSISTENT_DEFAULT_VALUE_PRESENCE", "a default that some subgraphs lack";
    InconsistentDescription = "INCONSISTENT_DESCRIPTION", "different descriptions";
    InconsistentDirectiveArguments = "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", "a directive applied with different arguments, of which one is kept";
    InconsistentEntity = "INCONSISTENT_ENTITY", "a type with a @key in some subgraphs only";
    InconsistentExecutableLocations = "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS", "an executable directive with different locations";
    InconsistentExecutablePresence = "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", "an executable directive that some subgraphs lack";
    InconsistentExecutableRepeatable = "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE", "an executable directive that is repeatable in some subgraphs only";
    InconsistentFieldType = "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE", "a field with different types that can be merged";
    InconsistentInputEnumValue = "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", "a value of an input enum that some subgraphs lack";
    InconsistentInputField = "INCONSISTENT_INPUT_OBJECT_FIELD", "an optional input field that some subgraphs lack";
    InconsistentInterfaceField = "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD", "an interface field that some subgraphs lack";
    InconsistentObjectField = "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD", "a field of a value type that some subgraphs lack";
    InconsistentOutputEnumValue = "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", "a value of an output enum that some subgraphs lack";
    InconsistentRuntimeTypes = "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN", "a shared field that returns more types in one subgraph than in another";
    InconsistentUnionMember = "INCONSISTENT_UNION_MEMBER", "a union member that some subgraphs lack";
    InputFieldDefaultMismatch = "INPUT_FIELD_DEFAULT_MISMATCH", "an input field with different defaults";
    InterfaceFieldNoImplem = "INTERFACE_FIELD_NO_IMPLEM", "an interface field that an implementation lacks after the merge";
    InterfaceKeyMissingImplementation = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE", "a subgraph resolves an interface by key without knowing all implementations";
    InterfaceKeyNotOnImplementation = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION", "a key of an interface that an implementation lacks";
    InterfaceObjectUsageError = "INTERFACE_OBJECT_USAGE_ERROR", "@interfaceObject where it cannot be";
    InternalError = "INTERNAL_ERROR", "a mistake of composition itself";
    InvalidFieldSharing = "INVALID_FIELD_SHARING", "a field that several subgraphs resolve without @shareable";
    InvalidGraphql = "INVALID_GRAPHQL", "not valid by the GraphQL specification";
    InvalidLinkDirectiveUsage = "INVALID_LINK_DIRECTIVE_USAGE", "a @link that cannot be followed";
    InvalidLinkIdentifier = "INVALID_LINK_IDENTIFIER", "a @link to an address that is no specification";
    InvalidShareableUsage = "INVALID_SHAREABLE_USAGE", "@shareable where it has no meaning";
    InvalidSubgraphName = "INVALID_SUBGRAPH_NAME", "a subgraph's name that cannot be";
    KeyFieldsHasArgs = "KEY_FIELDS_HAS_ARGS", "a key of a field with arguments";
    KeyFieldsSelectInvalidType = "KEY_FIELDS_SELECT_INVALID_TYPE", "a key of an interface or union";
    KeyHasDirective = "KEY_HAS_DIRECTIVE_IN_FIELDS_ARG", "a directive inside the field set of @key";
    KeyInvalidFieldsType = "KEY_INVALID_FIELDS_TYPE", "the field set of a @key is no string";
    KeyInvalidFields = "KEY_INVALID_FIELDS", "the field set of a @key is wrong";
    KeyUnsupportedOnInterface = "KEY_UNSUPPORTED_ON_INTERFACE", "a @key on an interface before federation 2.3";
    ListSizeInvalidAssumedSize = "LIST_SIZE_INVALID_ASSUMED_SIZE", "@listSize assumes a negative size";
    ListSizeInvalidSizedField = "LIST_SIZE_INVALID_SIZED_FIELD", "@listSize sizes something that is no list";
    ListSizeInvalidSlicingArgument = "LIST_SIZE_INVALID_SLICING_ARGUMENT", "@listSize slices by an argument that is no number";
    ListSizeOnNonList = "LIST_SIZE_APPLIED_TO_NON_LIST", "@listSize on a field that is no list";
    MergedDirectiveOnExternal = "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", "a merged directive on an @external field";
    NoExecutableLocations = "NO_EXECUTABLE_DIRECTIVE_LOCATIONS_INTERSECTION", "an executable directive without a common location";
    NoQueries = "NO_QUERIES", "nothing to ask for";
    OnlyInaccessibleChildren = "ONLY_INACCESSIBLE_CHILDREN", "a visible type of which everything is @inaccessible";
    OverriddenFieldCanBeRemoved = "OVERRIDDEN_FIELD_CAN_BE_REMOVED", "a field that has moved for good and can go where it was";
    OverrideCollision = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", "@override beside a directive that it cannot go with";
    OverrideFromSelf = "OVERRIDE_FROM_SELF_ERROR", "@override from the subgraph itself";
    OverrideLabelInvalid = "OVERRIDE_LABEL_INVALID", "an @override label that cannot be";
    OverrideMigrationInProgress = "OVERRIDE_MIGRATION_IN_PROGRESS", "a field that moves by a label";
    OverrideOnInterface = "OVERRIDE_ON_INTERFACE", "@override on a field of an interface";
    OverrideSourceHasOverride = "OVERRIDE_SOURCE_HAS_OVERRIDE", "an @override from a subgraph that overrides itself";
    OverrideSourceWithoutField = "OVERRIDE_SOURCE_WITHOUT_FIELD", "an @override from a subgraph that does not resolve the field";
    ProvidesHasArgs = "PROVIDES_FIELDS_HAS_ARGS", "@provides of a field with arguments";
    ProvidesHasDirective = "PROVIDES_HAS_DIRECTIVE_IN_FIELDS_ARG", "a directive inside the field set of @provides";
    ProvidesInvalidFieldsType = "PROVIDES_INVALID_FIELDS_TYPE", "the field set of @provides is no string";
    ProvidesInvalidFields = "PROVIDES_INVALID_FIELDS", "the field set of @provides is wrong";
    ProvidesMissingExternal = "PROVIDES_FIELDS_MISSING_EXTERNAL", "@provides of a field that is not @external";
    ProvidesOnInterface = "PROVIDES_UNSUPPORTED_ON_INTERFACE", "@provides on a field of an interface";
    ProvidesOnNonObjectField = "PROVIDES_ON_NON_OBJECT_FIELD", "@provides on a field without subfields";
    QueryRootTypeInaccessible = "QUERY_ROOT_TYPE_INACCESSIBLE", "the query root is @inaccessible";
    ReferencedInaccessible = "REFERENCED_INACCESSIBLE", "something visible refers to something @inaccessible";
    RequiredArgumentMissing = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", "an argument required in one subgraph and absent in another";
    RequiredInaccessible = "REQUIRED_INACCESSIBLE", "a required input that is @inaccessible";
    RequiredInputFieldMissing = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", "an input field required in one subgraph and absent in another";
    RequiresHasDirective = "REQUIRES_HAS_DIRECTIVE_IN_FIELDS_ARG", "a directive inside the field set of @requires";
    RequiresInvalidFieldsType = "REQUIRES_INVALID_FIELDS_TYPE", "the field set of @requires is no string";
    RequiresInvalidFields = "REQUIRES_INVALID_FIELDS", "the field set of @requires is wrong";
    RequiresMissingExternal = "REQUIRES_FIELDS_MISSING_EXTERNAL", "@requires of a field that is not @external";
    RequiresOnInterface = "REQUIRES_UNSUPPORTED_ON_INTERFACE", "@requires on a field of an interface";
    RootMutationUsed = "ROOT_MUTATION_USED", "a type named Mutation that is not the mutation root";
    RootQueryUsed = "ROOT_QUERY_USED", "a type named Query that is not the query root";
    RootSubscriptionUsed = "ROOT_SUBSCRIPTION_USED", "a type named Subscription that is not the subscription root";
    SatisfiabilityError = "SATISFIABILITY_ERROR", "a field that no path reaches";
    ShareableRuntimeTypes = "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", "a shared field whose subgraphs return no type in common";
    TypeKindMismatch = "TYPE_KIND_MISMATCH", "one name for different kinds of types";
    TypeWithOnlyUnusedExternal = "TYPE_WITH_ONLY_UNUSED_EXTERNAL", "a Federation 1 type of which the subgraph neither resolves nor uses anything";
    UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION", "a version of federation that is not known";
    UnknownLinkVersion = "UNKNOWN_LINK_VERSION", "a version of another specification that is not known";
    UnsupportedFeature = "UNSUPPORTED_FEATURE", "something that the planner cannot do";
    UnusedEnumType = "UNUSED_ENUM_TYPE", "an enum that nothing uses";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
