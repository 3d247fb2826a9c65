//! What a supergraph says with `@cacheControl`, by whatever name it links it.

use std::time::Duration;

use graphql_tools::parser::schema as ast;
use graphql_tools::static_graphql::schema as sdl;
use rustc_hash::FxHashMap;

use crate::engine::SharingScope;

const NAME: &str = "cacheControl";

/// The enum of its scopes.
const SCOPES: &str = "CacheControlScope";

/// One `@cacheControl`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::engine) struct Hint {
    pub(in crate::engine) max_age: Option<Duration>,
    pub(in crate::engine) scope: Option<SharingScope>,
    /// Whether it is kept as long as what is around it.
    pub(in crate::engine) inherits: bool,
}

/// All of a supergraph.
#[derive(Debug, Default)]
pub(in crate::engine) struct Hints {
    types: FxHashMap<String, Hint>,
    fields: FxHashMap<String, FxHashMap<String, Hint>>,
}

impl Hints {
    /// Reads the directives and takes them out of the document, with their definition where it is composition's alone:
    /// neither the planner nor clients need them.
    pub(in crate::engine) fn take(document: &mut sdl::Document) -> Self {
        let names = names(document);
        let mut hints = Self::default();
        for definition in &mut document.definitions {
            if let ast::Definition::TypeDefinition(definition) = definition {
                hints.read(definition, &names);
            }
        }
        let is_machinery = |definition: &ast::Definition<'static, String>| match definition {
            ast::Definition::TypeDefinition(ast::TypeDefinition::Enum(ty)) => {
                ty.name == SCOPES && ty.directives.is_empty()
            }
            _ => false,
        };
        if document.definitions.iter().any(is_machinery) {
            document.definitions.retain(|definition| match definition {
                ast::Definition::DirectiveDefinition(directive) => !names.contains(&directive.name),
                other => !is_machinery(other),
            });
        }
        hints
    }

    /// What is said of a type.
    pub(in crate::engine) fn of_type(&self, name: &str) -> Option<Hint> {
        self.types.get(name).copied()
    }

    /// What is said of a field of a type.
    pub(in crate::engine) fn of_field(&self, parent: &str, field: &str) -> Option<Hint> {
        self.fields.get(parent)?.get(field).copied()
    }

    fn read(&mut self, definition: &mut sdl::TypeDefinition, names: &[String]) {
        let (name, directives, fields) = match definition {
            ast::TypeDefinition::Object(ty) => (&ty.name, &mut ty.directives, Some(&mut ty.fields)),
            ast::TypeDefinition::Interface(ty) => (&ty.name, &mut ty.directives, Some(&mut ty.fields)),
            ast::TypeDefinition::Union(ty) => (&ty.name, &mut ty.directives, None),
            ast::TypeDefinition::Scalar(_)
            | ast::TypeDefinition::Enum(_)
            | ast::TypeDefinition::InputObject(_) => return,
        };
        if let Some(hint) = taken(directives, names) {
            self.types.insert(name.clone(), hint);
        }
        for field in fields.into_iter().flatten() {
            if let Some(hint) = taken(&mut field.directives, names) {
                self.fields.entry(name.clone()).or_default().insert(field.name.clone(), hint);
            }
        }
    }
}

/// What the supergraph calls the directive: its own name, and others that links import it by.
fn names(document: &sdl::Document) -> Vec<String> {
    let mut names = vec![NAME.to_owned()];
    for definition in &document.definitions {
        let ast::Definition::SchemaDefinition(schema) = definition else { continue };
        for link in schema.directives.iter().filter(|directive| directive.name == "link") {
            let Some(ast::Value::String(url)) = argument(link, "url") else { continue };
            if let Some(ast::Value::String(namespace)) = argument(link, "as")
                && url.contains("/cacheControl/")
            {
                names.push(namespace.clone());
            }
            if let Some(ast::Value::List(imports)) = argument(link, "import") {
                names.extend(imports.iter().filter_map(renamed));
            }
            let namespace = url.rsplit('/').find(|part| !part.starts_with('v'));
            names.extend(namespace.map(|namespace| format!("{namespace}__{NAME}")));
        }
    }
    names
}

/// The other name of an import such as `{ name: "@cacheControl", as: "@kept" }`.
fn renamed(import: &sdl::Value) -> Option<String> {
    let ast::Value::Object(entries) = import else { return None };
    let entry = |key: &str| match entries.iter().find(|(name, _)| *name == key) {
        Some((_, ast::Value::String(text))) => Some(text.trim_start_matches('@')),
        _ => None,
    };
    (entry("name") == Some(NAME)).then(|| entry("as").map(ToOwned::to_owned)).flatten()
}

/// Takes the directive out and says what it says.
fn taken(directives: &mut Vec<sdl::Directive>, names: &[String]) -> Option<Hint> {
    let at = directives.iter().position(|directive| names.contains(&directive.name))?;
    let directive = directives.remove(at);
    let max_age = match argument(&directive, "maxAge") {
        // Less than nothing is nothing.
        Some(ast::Value::Int(seconds)) => {
            let seconds = seconds.as_i64().map(|seconds| u64::try_from(seconds).unwrap_or(0));
            seconds.map(Duration::from_secs)
        }
        _ => None,
    };
    let scope = match argument(&directive, "scope") {
        Some(ast::Value::Enum(scope)) if scope == "PUBLIC" => Some(SharingScope::Public),
        Some(ast::Value::Enum(scope)) if scope == "TENANT" => Some(SharingScope::Tenant),
        // One that is not known is not taken to be wide.
        Some(_) => Some(SharingScope::Caller),
        None => None,
    };
    let inherits = argument(&directive, "inheritMaxAge") == Some(&ast::Value::Boolean(true));
    Some(Hint { max_age, scope, inherits })
}

fn argument<'d>(directive: &'d sdl::Directive, name: &str) -> Option<&'d sdl::Value> {
    directive.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sdl: &str) -> (Hints, String) {
        let mut document = graphql_tools::parser::parse_schema::<String>(sdl).unwrap().into_static();
        let hints = Hints::take(&mut document);
        (hints, document.to_string())
    }

    #[test]
    fn what_is_said_is_taken_out_by_whatever_name() {
        let (hints, left) = read(
            r#"
            schema @link(url: "https://example.com/cacheControl/v0.1", import: [{ name: "@cacheControl", as: "@kept" }]) { query: Query }
            directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION
            enum CacheControlScope { PRIVATE PUBLIC TENANT }
            type Query { a: A @kept(maxAge: 5) b: A @cacheControl(scope: TENANT) c: A @cacheControl(scope: NOBODY, maxAge: -3) }
            type A @cacheControl(inheritMaxAge: true, scope: PUBLIC) { d: Int }
            union U @cacheControl(maxAge: 1) = A
            "#,
        );
        let hint = |max_age: Option<u64>, scope, inherits| {
            Some(Hint { max_age: max_age.map(Duration::from_secs), scope, inherits })
        };
        assert_eq!(hints.of_field("Query", "a"), hint(Some(5), None, false));
        assert_eq!(hints.of_field("Query", "b"), hint(None, Some(SharingScope::Tenant), false));
        assert_eq!(hints.of_field("Query", "c"), hint(Some(0), Some(SharingScope::Caller), false));
        assert_eq!(hints.of_field("A", "d"), None);
        assert_eq!(hints.of_type("A"), hint(None, Some(SharingScope::Public), true));
        assert_eq!(hints.of_type("U"), hint(Some(1), None, false));
        assert!(
            !left.contains("kept(") && !left.contains("cacheControl(") && !left.contains("enum"),
            "{left}"
        );
    }

    #[test]
    fn an_enum_that_belongs_to_the_api_stays() {
        let (_, left) = read(
            r"
            directive @cacheControl(scope: CacheControlScope) on FIELD_DEFINITION
            enum CacheControlScope @join__type(graph: A) { PUBLIC PRIVATE }
            type Query { a: Int @cacheControl(scope: PUBLIC) }
            ",
        );
        assert!(
            left.contains("enum CacheControlScope") && left.contains("directive @cacheControl"),
            "{left}"
        );
    }
}
