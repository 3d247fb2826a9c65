//! The printed supergraph: always in the same order, each type in one definition.

use std::{collections::BTreeMap, fmt::Write};

use async_graphql_parser::types::{DirectiveDefinition, DirectiveLocation, InputValueDefinition};

use crate::{
    subgraph::{Kind, ROOT_TYPES, spec::Fed},
    supergraph::{ExecutableDirective, OutField, OutType, Supergraph},
};

const JOIN: &str = r"directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

";

const JOIN_TYPES: &str = r#"scalar join__FieldSet

scalar link__Import

enum link__Purpose {
  """
  `SECURITY` features provide metadata necessary to securely resolve fields.
  """
  SECURITY
  """
  `EXECUTION` features provide metadata necessary for operation execution.
  """
  EXECUTION
}

"#;

/// The link and definition of `@inaccessible`, which a contract may add.
pub(crate) const INACCESSIBLE_LINK: &str =
    r#"@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)"#;
pub(crate) const INACCESSIBLE: &str = "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | SCALAR | INPUT_OBJECT | INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION\n\n";

/// What a supergraph that applies a federation directive must link and define.
struct Feature {
    fed: Fed,
    link: &'static str,
    definition: &'static str,
}

static FEATURES: [Feature; 8] = [
    Feature {
        fed: Fed::Tag,
        link: r#"@link(url: "https://specs.apollo.dev/tag/v0.3")"#,
        definition: "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA\n\n",
    },
    Feature { fed: Fed::Inaccessible, link: INACCESSIBLE_LINK, definition: INACCESSIBLE },
    Feature {
        fed: Fed::Authenticated,
        link: r#"@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)"#,
        definition: "directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\n\n",
    },
    Feature {
        fed: Fed::RequiresScopes,
        link: r#"@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)"#,
        definition: "directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\n\nscalar requiresScopes__Scope\n\n",
    },
    Feature {
        fed: Fed::Policy,
        link: r#"@link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY)"#,
        definition: "directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\n\nscalar policy__Policy\n\n",
    },
    Feature {
        fed: Fed::Cost,
        link: r#"@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])"#,
        definition: "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR\n\n",
    },
    Feature {
        fed: Fed::ListSize,
        link: r#"@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])"#,
        definition: "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION\n\n",
    },
    Feature {
        fed: Fed::CacheControl,
        link: r#"@link(url: "https://specs.pulse.dev/cacheControl/v0.1", import: ["@cacheControl"])"#,
        definition: "directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION\n\nenum CacheControlScope {\n  PRIVATE\n  PUBLIC\n  TENANT\n}\n\n",
    },
];

pub(crate) fn supergraph(supergraph: &Supergraph) -> String {
    let mut out = String::from("schema");
    let features: Vec<_> =
        FEATURES.iter().filter(|feature| supergraph.features.contains(&feature.fed)).collect();
    let mut links = vec![
        r#"@link(url: "https://specs.apollo.dev/link/v1.0")"#,
        r#"@link(url: "https://specs.apollo.dev/join/v0.4", for: EXECUTION)"#,
    ];
    links.extend(features.iter().map(|feature| feature.link));
    links.extend(supergraph.composed.iter().map(|directive| directive.link.as_str()));
    links.dedup();
    links.extend(supergraph.schema_directives.iter().map(String::as_str));
    for link in links {
        let _ = write!(out, "\n  {link}");
    }
    out += "\n";
    out += &roots(|name| supergraph.types.contains_key(name));
    out += JOIN;
    for feature in features {
        out += feature.definition;
    }
    for directive in &supergraph.composed {
        let _ = write!(out, "{}\n\n", directive.definition);
    }
    for directive in &supergraph.executable {
        out += &executable_directive(directive);
    }
    out += "enum join__Graph {\n";
    for graph in &supergraph.graphs {
        let [name, url] =
            [&graph.name, &graph.url].map(|text| async_graphql_value::ConstValue::String(text.clone()));
        let _ = writeln!(out, "  {} @join__graph(name: {name}, url: {url})", graph.value);
    }
    out += "}\n\n";
    out += JOIN_TYPES;
    out + &types(supergraph.types.values())
}

/// The operation types, in braces.
pub(crate) fn roots(exists: impl Fn(&str) -> bool) -> String {
    let mut out = String::from("{\n");
    for root in ROOT_TYPES.iter().filter(|root| exists(root)) {
        let _ = writeln!(out, "  {}: {root}", root.to_lowercase());
    }
    out + "}\n\n"
}

pub(crate) fn types<'a>(types: impl Iterator<Item = &'a OutType>) -> String {
    let printed: Vec<_> = types.map(type_definition).collect();
    printed.join("\n")
}

fn type_definition(ty: &OutType) -> String {
    let mut out = String::new();
    description(&mut out, "", ty.description.as_deref());
    let keyword = match ty.kind {
        Kind::Scalar => "scalar",
        Kind::Object => "type",
        Kind::Interface => "interface",
        Kind::Union => "union",
        Kind::Enum => "enum",
        Kind::InputObject => "input",
    };
    let _ = write!(out, "{keyword} {}", ty.name);
    if !ty.implements.is_empty() {
        let _ = write!(out, " implements {}", join(&ty.implements, " & "));
    }
    for directive in &ty.directives {
        let _ = write!(out, "\n  {directive}");
    }
    // A line of its own for the brace where directives stand below the name.
    let open = if ty.directives.is_empty() { " {\n" } else { "\n{\n" };
    match ty.kind {
        Kind::Scalar => out += "\n",
        Kind::Union => {
            let _ = writeln!(
                out,
                "{}= {}",
                if ty.directives.is_empty() { " " } else { "\n  " },
                join(&ty.members, " | ")
            );
        }
        Kind::Object | Kind::Interface | Kind::InputObject => {
            out += open;
            for (name, definition) in &ty.fields {
                field(&mut out, name, definition);
            }
            out += "}\n";
        }
        Kind::Enum => {
            out += open;
            for (name, value) in &ty.values {
                description(&mut out, "  ", value.description.as_deref());
                let _ = writeln!(out, "  {name}{}", directives(&value.directives));
            }
            out += "}\n";
        }
    }
    out
}

fn field(out: &mut String, name: &str, definition: &OutField) {
    description(out, "  ", definition.description.as_deref());
    let _ = write!(out, "  {name}");
    arguments(out, "  ", &definition.args);
    let _ = writeln!(out, "{}", input_type(definition));
}

fn arguments(out: &mut String, indent: &str, args: &BTreeMap<String, OutField>) {
    if args.is_empty() {
        return;
    }
    out.push('(');
    let described = args.values().any(|argument| argument.description.is_some());
    for (index, (name, argument)) in args.iter().enumerate() {
        if described {
            out.push('\n');
            description(out, &format!("{indent}  "), argument.description.as_deref());
            let _ = write!(out, "{indent}  ");
        } else if index > 0 {
            *out += ", ";
        }
        let _ = write!(out, "{name}{}", input_type(argument));
    }
    if described {
        let _ = write!(out, "\n{indent}");
    }
    out.push(')');
}

/// The definition of a directive for operations.
pub(crate) fn executable_directive(directive: &ExecutableDirective) -> String {
    let mut out = String::new();
    description(&mut out, "", directive.description.as_deref());
    let _ = write!(out, "directive @{}", directive.name);
    arguments(&mut out, "", &directive.args);
    let locations: Vec<_> = directive.locations.iter().map(|at| location(*at)).collect();
    let repeatable = if directive.is_repeatable { " repeatable" } else { "" };
    let _ = write!(out, "{repeatable} on {}\n\n", locations.join(" | "));
    out
}

fn input_type(definition: &OutField) -> String {
    let default = definition.default.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    format!(": {}{default}{}", definition.ty, directives(&definition.directives))
}

fn directives(directives: &[String]) -> String {
    directives.iter().flat_map(|directive| [" ", directive]).collect()
}

fn description(out: &mut String, indent: &str, text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
    let _ = writeln!(out, "{indent}\"\"\"");
    for line in text.trim_end().replace("\"\"\"", "\\\"\"\"").lines() {
        let _ = writeln!(out, "{}", format!("{indent}{line}").trim_end());
    }
    let _ = writeln!(out, "{indent}\"\"\"");
}

fn join<'a>(names: impl IntoIterator<Item = &'a String>, separator: &str) -> String {
    names.into_iter().map(String::as_str).collect::<Vec<_>>().join(separator)
}

/// A directive definition of a subgraph's own.
pub(crate) fn directive_definition(definition: &DirectiveDefinition) -> String {
    let mut out = String::new();
    description(&mut out, "", definition.description.as_ref().map(|text| text.node.as_str()));
    let argument = |argument: &InputValueDefinition| {
        let default =
            argument.default_value.as_ref().map(|value| format!(" = {}", value.node)).unwrap_or_default();
        format!("{}: {}{default}", argument.name.node, argument.ty.node)
    };
    let _ = write!(out, "directive @{}", definition.name.node);
    if !definition.arguments.is_empty() {
        let arguments: Vec<_> =
            definition.arguments.iter().map(|definition| argument(&definition.node)).collect();
        let _ = write!(out, "({})", arguments.join(", "));
    }
    let locations: Vec<_> = definition.locations.iter().map(|at| location(at.node)).collect();
    let _ = write!(
        out,
        "{} on {}",
        if definition.is_repeatable { " repeatable" } else { "" },
        locations.join(" | ")
    );
    out
}

/// A directive location as SDL writes it.
pub(crate) const fn location(location: DirectiveLocation) -> &'static str {
    match location {
        DirectiveLocation::Query => "QUERY",
        DirectiveLocation::Mutation => "MUTATION",
        DirectiveLocation::Subscription => "SUBSCRIPTION",
        DirectiveLocation::Field => "FIELD",
        DirectiveLocation::FragmentDefinition => "FRAGMENT_DEFINITION",
        DirectiveLocation::FragmentSpread => "FRAGMENT_SPREAD",
        DirectiveLocation::InlineFragment => "INLINE_FRAGMENT",
        DirectiveLocation::VariableDefinition => "VARIABLE_DEFINITION",
        DirectiveLocation::Schema => "SCHEMA",
        DirectiveLocation::Scalar => "SCALAR",
        DirectiveLocation::Object => "OBJECT",
        DirectiveLocation::FieldDefinition => "FIELD_DEFINITION",
        DirectiveLocation::ArgumentDefinition => "ARGUMENT_DEFINITION",
        DirectiveLocation::Interface => "INTERFACE",
        DirectiveLocation::Union => "UNION",
        DirectiveLocation::Enum => "ENUM",
        DirectiveLocation::EnumValue => "ENUM_VALUE",
        DirectiveLocation::InputObject => "INPUT_OBJECT",
        DirectiveLocation::InputFieldDefinition => "INPUT_FIELD_DEFINITION",
    }
}
