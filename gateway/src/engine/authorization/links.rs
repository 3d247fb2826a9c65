//! What a supergraph calls the directives of authorization: `@link` may rename them, or import them by another name.

use graphql_tools::parser::schema::{Definition, Value};
use graphql_tools::static_graphql::schema as sdl;

const SPECS: &str = "https://specs.apollo.dev/";

/// A directive of authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Authenticated,
    RequiresScopes,
    Policy,
}

impl Guard {
    const ALL: [Self; 3] = [Self::Authenticated, Self::RequiresScopes, Self::Policy];

    const fn name(self) -> &'static str {
        match self {
            Self::Authenticated => "authenticated",
            Self::RequiresScopes => "requiresScopes",
            Self::Policy => "policy",
        }
    }

    /// The argument with the alternatives.
    pub(super) const fn argument(self) -> &'static str {
        match self {
            Self::Authenticated => "",
            Self::RequiresScopes => "scopes",
            Self::Policy => "policies",
        }
    }
}

/// What each directive of authorization is called.
#[derive(Debug, Default)]
pub(in crate::engine) struct Names {
    names: Vec<(String, Guard)>,
}

impl Names {
    /// Reads the links. A directive that nothing links goes by its own name, so that forgetting a link opens nothing.
    pub(super) fn read(document: &sdl::Document) -> Self {
        let mut names = Vec::new();
        for directive in links(document) {
            let Some((specification, version)) =
                text(directive, "url").and_then(|url| url.strip_prefix(SPECS)?.split_once('/'))
            else {
                continue;
            };
            let imports = imports(directive);
            let namespace = text(directive, "as");
            if specification == "federation" || specification == "core" {
                let namespace = namespace.unwrap_or(specification);
                for guard in Guard::ALL {
                    names.push((format!("{namespace}__{}", guard.name()), guard));
                    names.extend(imported(&imports, guard).map(|local| (local, guard)));
                }
            } else if let Some(guard) = Guard::ALL.into_iter().find(|guard| guard.name() == specification) {
                tracing::debug!(specification, version, "the supergraph asks for authorization");
                let own = imported(&imports, guard).or_else(|| namespace.map(ToOwned::to_owned));
                names.push((own.unwrap_or_else(|| specification.to_owned()), guard));
                names.push((format!("{}__{specification}", namespace.unwrap_or(specification)), guard));
            }
        }
        for guard in Guard::ALL {
            let is_linked = names.iter().any(|(name, known)| *known == guard && !name.contains("__"));
            if !is_linked && !names.iter().any(|(name, _)| name == guard.name()) {
                names.push((guard.name().to_owned(), guard));
            }
        }
        Self { names }
    }

    /// Which directive of authorization this is, if any.
    pub(super) fn guard(&self, directive: &str) -> Option<Guard> {
        self.names.iter().find(|(name, _)| name == directive).map(|(_, guard)| *guard)
    }

    /// Whether a name belongs to authorization and says nothing to clients: a directive's, or a type's that is used by
    /// none but them.
    pub(in crate::engine) fn is_machinery(&self, name: &str) -> bool {
        self.guard(name).is_some()
            || self.names.iter().any(|(directive, _)| {
                name.strip_prefix(directive.as_str()).is_some_and(|rest| rest.starts_with("__"))
            })
    }
}

fn links(document: &sdl::Document) -> impl Iterator<Item = &sdl::Directive> {
    let directives = document.definitions.iter().flat_map(|definition| match definition {
        Definition::SchemaDefinition(schema) => schema.directives.as_slice(),
        _ => [].as_slice(),
    });
    directives.filter(|directive| directive.name == "link" || directive.name == "core")
}

fn text<'d>(directive: &'d sdl::Directive, argument: &str) -> Option<&'d str> {
    let names: &[&str] =
        if argument == "url" { &["url", "feature"] } else { std::slice::from_ref(&argument) };
    directive.arguments.iter().find_map(|(name, value)| match value {
        Value::String(text) if names.contains(&name.as_str()) => Some(text.as_str()),
        _ => None,
    })
}

/// Imported elements and what they are called here, directives with their `@`.
fn imports(link: &sdl::Directive) -> Vec<(String, String)> {
    let value = link.arguments.iter().find(|(name, _)| name == "import").map(|(_, value)| value);
    let items = match value {
        Some(Value::List(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let import = |item: &sdl::Value| match item {
        Value::String(name) => Some((name.clone(), name.clone())),
        Value::Object(object) => {
            let entry = |key: &str| match object.iter().find(|(name, _)| name == key) {
                Some((_, Value::String(text))) => Some(text.clone()),
                _ => None,
            };
            let name = entry("name")?;
            Some((name.clone(), entry("as").unwrap_or(name)))
        }
        _ => None,
    };
    items.iter().filter_map(import).collect()
}

fn imported(imports: &[(String, String)], guard: Guard) -> Option<String> {
    let element = imports.iter().find(|(element, _)| element.strip_prefix('@') == Some(guard.name()));
    element.map(|(_, local)| local.trim_start_matches('@').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `links` make of some names: those of directives of authorization.
    fn known(links: &str, names: &[&str]) -> Vec<String> {
        let sdl = format!("schema {links} {{ query: Query }} type Query {{ a: Int }}");
        let document = graphql_tools::parser::parse_schema::<String>(&sdl).unwrap().into_static();
        let read = Names::read(&document);
        let known = |name: &&str| Some(format!("{name}: {:?}", read.guard(name)?));
        names.iter().filter_map(known).collect()
    }

    #[test]
    fn a_link_may_rename_a_directive_or_import_it_by_another_name() {
        let renamed =
            r#"@link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "login", for: SECURITY)"#;
        assert_eq!(known(renamed, &["login", "authenticated"]), ["login: Authenticated"]);
        let imported = r#"@link(url: "https://specs.apollo.dev/policy/v0.1", import: [{ name: "@policy", as: "@rule" }])"#;
        assert_eq!(
            known(imported, &["rule", "policy", "policy__policy"]),
            ["rule: Policy", "policy__policy: Policy"]
        );
        let federation = r#"@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated", { name: "@requiresScopes", as: "@needs" }])"#;
        assert_eq!(
            known(federation, &["authenticated", "needs", "requiresScopes", "federation__policy"]),
            ["authenticated: Authenticated", "needs: RequiresScopes", "federation__policy: Policy"]
        );
    }

    #[test]
    fn a_directive_that_nothing_links_goes_by_its_own_name() {
        assert_eq!(
            known("", &["authenticated", "requiresScopes", "policy", "tag"]),
            ["authenticated: Authenticated", "requiresScopes: RequiresScopes", "policy: Policy"]
        );
    }
}
