//! What composition has to say: a code, a place, what is wrong and a way out.

use std::fmt;

use async_graphql_parser::Pos;

use crate::subgraph::Subgraph;

/// Whether a diagnostic stops composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// There is no supergraph.
    Error,
    /// The supergraph stands, but the author should know.
    Hint,
}

/// A position in the SDL of one subgraph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The subgraph's name.
    pub subgraph: String,
    /// One-based line, or 0 where the statement is about the subgraph as a whole.
    pub line: usize,
    /// One-based column.
    pub column: usize,
}

/// One statement about the subgraphs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is; Apollo's name for it where there is one.
    pub code: Code,
    /// Error or hint.
    pub severity: Severity,
    /// The schema coordinate, such as `User.posts(first:)` or `@link`; empty if there is none.
    pub coordinate: String,
    /// Where it stands, one per subgraph concerned.
    pub places: Vec<Place>,
    /// What is wrong.
    pub message: String,
    /// A way out.
    pub help: String,
}

impl Diagnostic {
    pub(crate) fn error(code: Code, coordinate: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            coordinate: coordinate.into(),
            places: Vec::new(),
            message: message.into(),
            help: String::new(),
        }
    }

    pub(crate) fn hint(code: Code, coordinate: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Hint, ..Self::error(code, coordinate, message) }
    }

    #[must_use]
    pub(crate) fn at(self, subgraph: &Subgraph, pos: Pos) -> Self {
        self.at_place(&subgraph.name, pos)
    }

    #[must_use]
    pub(crate) fn at_place(mut self, subgraph: &str, pos: Pos) -> Self {
        self.places.push(Place { subgraph: subgraph.to_owned(), line: pos.line, column: pos.column });
        self
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The names of the subgraphs concerned.
    pub fn subgraphs(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.subgraph.as_str())
    }

    pub(crate) fn sort_key(&self) -> (Severity, &str, &str, &[Place], &str) {
        (self.severity, &self.coordinate, self.code.as_str(), &self.places, &self.message)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Hint => "hint",
        };
        write!(f, "{severity}[{}]", self.code)?;
        if !self.coordinate.is_empty() {
            write!(f, " {}", self.coordinate)?;
        }
        write!(f, ": {}", self.message)?;
        for place in &self.places {
            write!(f, "\n  at subgraph {}", place.subgraph)?;
            if place.line > 0 {
                write!(f, ", line {}, column {}", place.line, place.column)?;
            }
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

macro_rules! codes {
    ($($variant:ident = $text:literal,)*) => {
        /// The kinds of statement that composition makes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = concat!("`", $text, "`")] $variant,)* }

        impl Code {
            /// The name that tools and people know it by.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    CacheControlInconsistent = "CACHE_CONTROL_INCONSISTENT",
    CompositionLimit = "COMPOSITION_LIMIT",
    DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE",
    DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR",
    EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE",
    EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE",
    EnumValueMismatch = "ENUM_VALUE_MISMATCH",
    ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE",
    ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING",
    ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
    ExternalCollision = "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
    ExternalMissingOnBase = "EXTERNAL_MISSING_ON_BASE",
    ExternalOnInterface = "EXTERNAL_ON_INTERFACE",
    ExternalTypeMismatch = "EXTERNAL_TYPE_MISMATCH",
    ExternalUnused = "EXTERNAL_UNUSED",
    FieldArgumentDefaultMismatch = "FIELD_ARGUMENT_DEFAULT_MISMATCH",
    FieldArgumentTypeMismatch = "FIELD_ARGUMENT_TYPE_MISMATCH",
    FieldTypeMismatch = "FIELD_TYPE_MISMATCH",
    FromSubgraphDoesNotExist = "FROM_SUBGRAPH_DOES_NOT_EXIST",
    ImplementedByInaccessible = "IMPLEMENTED_BY_INACCESSIBLE",
    InconsistentArgumentPresence = "INCONSISTENT_ARGUMENT_PRESENCE",
    InconsistentButCompatibleType = "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
    InconsistentDefaultValue = "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
    InconsistentDescription = "INCONSISTENT_DESCRIPTION",
    InconsistentEnumValue = "INCONSISTENT_ENUM_VALUE",
    InconsistentInputField = "INCONSISTENT_INPUT_OBJECT_FIELD",
    InputFieldDefaultMismatch = "INPUT_FIELD_DEFAULT_MISMATCH",
    InterfaceFieldNoImplem = "INTERFACE_FIELD_NO_IMPLEM",
    InterfaceKeyMissingImplementation = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
    InterfaceKeyNotOnImplementation = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
    InterfaceObjectUsageError = "INTERFACE_OBJECT_USAGE_ERROR",
    InternalError = "INTERNAL_ERROR",
    InvalidFieldSharing = "INVALID_FIELD_SHARING",
    InvalidGraphql = "INVALID_GRAPHQL",
    InvalidLinkDirectiveUsage = "INVALID_LINK_DIRECTIVE_USAGE",
    InvalidShareableUsage = "INVALID_SHAREABLE_USAGE",
    InvalidSubgraphName = "INVALID_SUBGRAPH_NAME",
    KeyFieldsHasArgs = "KEY_FIELDS_HAS_ARGS",
    KeyFieldsSelectInvalidType = "KEY_FIELDS_SELECT_INVALID_TYPE",
    KeyInvalidFields = "KEY_INVALID_FIELDS",
    KeyInvalidFieldsType = "KEY_INVALID_FIELDS_TYPE",
    KeyUnsupportedOnInterface = "KEY_UNSUPPORTED_ON_INTERFACE",
    NoQueries = "NO_QUERIES",
    OnlyInaccessibleChildren = "ONLY_INACCESSIBLE_CHILDREN",
    OverrideCollision = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
    OverrideFromSelf = "OVERRIDE_FROM_SELF_ERROR",
    OverrideLabelInvalid = "OVERRIDE_LABEL_INVALID",
    OverrideOnInterface = "OVERRIDE_ON_INTERFACE",
    OverrideSourceHasOverride = "OVERRIDE_SOURCE_HAS_OVERRIDE",
    OverrideSourceWithoutField = "OVERRIDE_SOURCE_WITHOUT_FIELD",
    ProvidesInvalidFields = "PROVIDES_INVALID_FIELDS",
    ProvidesInvalidFieldsType = "PROVIDES_INVALID_FIELDS_TYPE",
    ProvidesMissingExternal = "PROVIDES_FIELDS_MISSING_EXTERNAL",
    ProvidesOnNonObjectField = "PROVIDES_ON_NON_OBJECT_FIELD",
    ProvidesOnInterface = "PROVIDES_UNSUPPORTED_ON_INTERFACE",
    QueryRootTypeInaccessible = "QUERY_ROOT_TYPE_INACCESSIBLE",
    ReferencedInaccessible = "REFERENCED_INACCESSIBLE",
    RequiredArgumentMissing = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    RequiredInaccessible = "REQUIRED_INACCESSIBLE",
    RequiredInputFieldMissing = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    RequiresInvalidFields = "REQUIRES_INVALID_FIELDS",
    RequiresInvalidFieldsType = "REQUIRES_INVALID_FIELDS_TYPE",
    RequiresMissingExternal = "REQUIRES_FIELDS_MISSING_EXTERNAL",
    RequiresOnInterface = "REQUIRES_UNSUPPORTED_ON_INTERFACE",
    RootMutationUsed = "ROOT_MUTATION_USED",
    RootQueryUsed = "ROOT_QUERY_USED",
    RootSubscriptionUsed = "ROOT_SUBSCRIPTION_USED",
    SatisfiabilityError = "SATISFIABILITY_ERROR",
    TypeKindMismatch = "TYPE_KIND_MISMATCH",
    UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION",
    UnsupportedFeature = "UNSUPPORTED_FEATURE",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
