//! The rules: one table of them, and what they look at.

use async_graphql_parser::Pos;
use serde::Deserialize;

use super::LintLevel;
use crate::{
    diff::deprecation,
    subgraph::{Directive, Field, Kind, Subgraph, TypeDef, spec::Fed},
};

macro_rules! lint_rules {
    ($($variant:ident = $text:literal, $level:ident, $meaning:literal;)*) => {
        /// The rules of style.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum LintRule { $(#[doc = concat!("`", $text, "`: ", $meaning)] #[serde(rename = $text)] $variant,)* }

        impl LintRule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that settings and reports use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it asks for.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// How strict it is unless settings say otherwise.
            pub const fn default_level(self) -> LintLevel {
                match self { $(Self::$variant => LintLevel::$level,)* }
            }
        }
    };
}

lint_rules! {
    TypeName = "TYPE_NAME_PASCAL_CASE", Warning, "types are named LikeThis";
    FieldName = "FIELD_NAME_CAMEL_CASE", Warning, "fields are named likeThis";
    ArgumentName = "ARGUMENT_NAME_CAMEL_CASE", Warning, "arguments are named likeThis";
    InputFieldName = "INPUT_FIELD_NAME_CAMEL_CASE", Warning, "input fields are named likeThis";
    EnumValueName = "ENUM_VALUE_NAME_UPPER_CASE", Warning, "enum values are named LIKE_THIS";
    DirectiveName = "DIRECTIVE_NAME_CAMEL_CASE", Warning, "directives are named likeThis";
    InputSuffix = "INPUT_TYPE_NAME_SUFFIX", Warning, "input types end in Input, Filter, Order or By";
    NoTypeSuffix = "TYPE_NAME_WITHOUT_KIND", Warning, "names do not repeat that they are a type, interface or enum";
    NoVerb = "QUERY_FIELD_NAME_WITHOUT_VERB", Warning, "query fields are not named getThis or listThis";
    TypeDescription = "TYPE_DESCRIPTION", Warning, "types are described";
    FieldDescription = "FIELD_DESCRIPTION", Off, "fields are described";
    ArgumentDescription = "ARGUMENT_DESCRIPTION", Off, "arguments are described";
    InputFieldDescription = "INPUT_FIELD_DESCRIPTION", Off, "input fields are described";
    EnumValueDescription = "ENUM_VALUE_DESCRIPTION", Off, "enum values are described";
    DeprecationReason = "DEPRECATION_REASON", Warning, "what is deprecated says why, and what to use instead";
    RemovalWithoutDeprecation = "REMOVAL_AFTER_DEPRECATION", Error, "what is removed was deprecated before";
}

/// Something that a rule does not like, before levels are looked up.
pub(super) struct Found {
    pub(super) rule: LintRule,
    pub(super) coordinate: String,
    pub(super) pos: Option<Pos>,
    pub(super) message: String,
    pub(super) help: String,
}

/// What has a name and a place, and may have a description.
struct Element<'a> {
    name: &'a str,
    coordinate: String,
    pos: Pos,
    description: Option<&'a str>,
    directives: &'a [Directive],
}

pub(super) fn of_schema(schema: &Subgraph) -> Vec<Found> {
    let mut found = Vec::new();
    for ty in schema.types.values() {
        of_type(ty, &mut found);
    }
    for (name, directive) in &schema.directives {
        let element = Element {
            name,
            coordinate: format!("@{name}"),
            pos: directive.pos,
            description: None,
            directives: &[],
        };
        case(LintRule::DirectiveName, &element, &mut found);
    }
    found
}

fn of_type(ty: &TypeDef, found: &mut Vec<Found>) {
    let element = Element {
        name: &ty.name,
        coordinate: ty.name.clone(),
        pos: ty.pos,
        description: ty.description.as_deref(),
        directives: &ty.directives,
    };
    case(LintRule::TypeName, &element, found);
    suffixes(ty, &element, found);
    // An extension or a reference to another subgraph's entity is described where it belongs.
    if !ty.extension && !ty.is_root() {
        described(LintRule::TypeDescription, &element, found);
    }
    let (name_rule, description_rule) = if ty.kind == Kind::InputObject {
        (LintRule::InputFieldName, LintRule::InputFieldDescription)
    } else {
        (LintRule::FieldName, LintRule::FieldDescription)
    };
    for field in ty.fields.values().filter(|field| !field.has(Fed::External)) {
        let element = of_field(format!("{}.{}", ty.name, field.name), field);
        all(&element, name_rule, description_rule, found);
        if ty.name == "Query" {
            no_verb(&element, found);
        }
        for argument in field.args.values() {
            let argument = of_field(format!("{}({}:)", element.coordinate, argument.name), argument);
            all(&argument, LintRule::ArgumentName, LintRule::ArgumentDescription, found);
        }
    }
    for (name, value) in &ty.values {
        let element = Element {
            name,
            coordinate: format!("{}.{name}", ty.name),
            pos: value.pos,
            description: value.description.as_deref(),
            directives: &value.directives,
        };
        all(&element, LintRule::EnumValueName, LintRule::EnumValueDescription, found);
    }
}

fn of_field(coordinate: String, field: &Field) -> Element<'_> {
    Element {
        name: &field.name,
        coordinate,
        pos: field.pos,
        description: field.description.as_deref(),
        directives: &field.directives,
    }
}

fn all(element: &Element<'_>, name: LintRule, description: LintRule, found: &mut Vec<Found>) {
    case(name, element, found);
    described(description, element, found);
    let directive = element.directives.iter().find(|directive| directive.name == "deprecated");
    if directive
        .is_some_and(|directive| directive.str_arg("reason").is_none_or(|reason| reason.trim().is_empty()))
    {
        let help = "write @deprecated(reason: \"use … instead\")";
        push(LintRule::DeprecationReason, element, "is deprecated without a reason", help.to_owned(), found);
    }
}

fn push(rule: LintRule, element: &Element<'_>, message: &str, help: String, found: &mut Vec<Found>) {
    found.push(Found {
        rule,
        coordinate: element.coordinate.clone(),
        pos: Some(element.pos),
        message: message.to_owned(),
        help,
    });
}

fn case(rule: LintRule, element: &Element<'_>, found: &mut Vec<Found>) {
    let name = element.name.trim_start_matches('_');
    let begins = |is: fn(&char) -> bool| name.chars().next().is_none_or(|first| is(&first));
    let (fits, wanted) = match rule {
        LintRule::TypeName => (begins(char::is_ascii_uppercase) && !name.contains('_'), words(name, true)),
        LintRule::EnumValueName => (!name.chars().any(|c| c.is_ascii_lowercase()), upper(name)),
        _ => (begins(char::is_ascii_lowercase) && !name.contains('_'), words(name, false)),
    };
    if !fits {
        push(
            rule,
            element,
            &format!("should be named otherwise: {}", rule.meaning()),
            format!("name it {wanted}"),
            found,
        );
    }
}

/// `likeThis`, or `LikeThis`.
fn words(name: &str, upper: bool) -> String {
    let mut out = String::new();
    let mut next_upper = upper;
    for c in name.chars() {
        if c == '_' {
            next_upper = !out.is_empty() || upper;
        } else if out.is_empty() && !upper {
            out.push(c.to_ascii_lowercase());
        } else if next_upper {
            out.push(c.to_ascii_uppercase());
            next_upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// `LIKE_THIS`.
fn upper(name: &str) -> String {
    let mut out = String::new();
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && before_lower {
            out.push('_');
        }
        before_lower = c.is_ascii_lowercase();
        out.push(c.to_ascii_uppercase());
    }
    out
}

fn suffixes(ty: &TypeDef, element: &Element<'_>, found: &mut Vec<Found>) {
    let ends =
        |suffixes: &[&str]| suffixes.iter().any(|suffix| ty.name.ends_with(suffix) && ty.name != **suffix);
    if ty.kind == Kind::InputObject && !ends(&["Input", "Filter", "Order", "By"]) {
        let help = format!("name it {}Input", ty.name);
        push(LintRule::InputSuffix, element, "input type does not say so in its name", help, found);
    }
    let own = match ty.kind {
        Kind::Interface => "Interface",
        Kind::Enum => "Enum",
        Kind::Union => "Union",
        Kind::Object => "Object",
        Kind::Scalar | Kind::InputObject => return,
    };
    if ends(&[own]) {
        let help = format!("name it {}", ty.name.trim_end_matches(own));
        push(LintRule::NoTypeSuffix, element, "name repeats the kind of the type", help, found);
    }
}

fn no_verb(element: &Element<'_>, found: &mut Vec<Found>) {
    for verb in ["get", "list", "fetch", "find"] {
        let rest =
            element.name.strip_prefix(verb).filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
        if let Some(rest) = rest {
            let help = format!("name it {}", words(rest, false));
            push(LintRule::NoVerb, element, "name says how instead of what", help, found);
        }
    }
}

fn described(rule: LintRule, element: &Element<'_>, found: &mut Vec<Found>) {
    if element.description.is_none_or(|text| text.trim().is_empty()) {
        let help = "say in a sentence what it is, for those who do not know".to_owned();
        push(rule, element, "has no description", help, found);
    }
}

/// What is gone although nobody was told.
pub(super) fn of_removals(old: &Subgraph, new: &Subgraph) -> Vec<Found> {
    let mut found = Vec::new();
    let mut gone = |coordinate: String, directives: &[Directive]| {
        if deprecation(directives).is_none() {
            found.push(Found {
                rule: LintRule::RemovalWithoutDeprecation,
                coordinate,
                pos: None,
                message: "is gone without having been deprecated".to_owned(),
                help: "put it back with @deprecated(reason: \"…\"), and remove it when nobody uses it"
                    .to_owned(),
            });
        }
    };
    for (name, ty) in &old.types {
        let Some(now) = new.types.get(name) else {
            // Types cannot be deprecated: it is enough that all their fields or values are.
            let fields = ty.fields.values().map(|field| &field.directives);
            let parts = fields.chain(ty.values.values().map(|value| &value.directives));
            let (mut any, mut all_deprecated) = (false, true);
            for directives in parts {
                any = true;
                all_deprecated &= deprecation(directives).is_some();
            }
            if !any || !all_deprecated {
                gone(name.clone(), &[]);
            }
            continue;
        };
        for (field, definition) in &ty.fields {
            let Some(now) = now.fields.get(field) else {
                gone(format!("{name}.{field}"), &definition.directives);
                continue;
            };
            for (argument, input) in definition.args.iter().filter(|(arg, _)| !now.args.contains_key(*arg)) {
                gone(format!("{name}.{field}({argument}:)"), &input.directives);
            }
        }
        for (value, definition) in ty.values.iter().filter(|(value, _)| !now.values.contains_key(*value)) {
            gone(format!("{name}.{value}"), &definition.directives);
        }
    }
    found
}
