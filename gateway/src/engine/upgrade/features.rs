//! What a supergraph says that it is written in: `@core(feature:)` or `@link(url:)` on its schema.

use graphql_tools::parser::schema::{Definition, Value};
use graphql_tools::static_graphql::schema as sdl;

use super::unsupported;
use super::write::directive;
use crate::engine::LoadError;

const COMPOSE: &str = "compose the subgraphs by Federation 2, or by Federation 1 without it";

/// A version of a feature: major and minor.
pub(super) type Version = (u32, u32);

/// The features of a supergraph.
pub(super) struct Features {
    list: Vec<Feature>,
}

struct Feature {
    url: String,
    name: String,
    version: Version,
    /// The name that it goes by, where it has another.
    alias: Option<String>,
    /// `SECURITY` or `EXECUTION`: whoever does not know the feature must not serve the supergraph.
    purpose: Option<String>,
    /// Whether `@core` names it, as Federation 1 writes it.
    by_core: bool,
}

impl Features {
    /// Reads them. Refuses what `@core` demands and nobody here knows.
    pub(super) fn of(document: &sdl::Document) -> Result<Self, LoadError> {
        let directives = document.definitions.iter().find_map(|definition| match definition {
            Definition::SchemaDefinition(schema) => Some(schema.directives.as_slice()),
            _ => None,
        });
        let list = directives.unwrap_or_default().iter().filter_map(Feature::read).collect();
        let features = Self { list };
        features.list.iter().filter(|feature| feature.by_core).try_for_each(Feature::check)?;
        Ok(features)
    }

    /// The version of the join specification, where one is named.
    pub(super) fn join_version(&self) -> Result<Option<Version>, LoadError> {
        let join = self.list.iter().find(|feature| feature.name == "join");
        if join.is_none() && self.list.iter().any(|feature| feature.by_core) {
            let what = "its @core directives do not name the join specification".to_owned();
            return Err(unsupported(what, "add @core(feature: \"https://specs.apollo.dev/join/v0.1\")"));
        }
        match join {
            Some(Feature { alias: Some(alias), version: (0, 0..=2), .. }) if alias != "join" => {
                Err(unsupported(
                    format!("it calls the join specification `{alias}`"),
                    "leave out `as` and name its directives and types join__…",
                ))
            }
            join => Ok(join.map(|feature| feature.version)),
        }
    }

    /// Writes `@link` in place of `@core`, and the version of join that the supergraph has now.
    pub(super) fn link(&self, document: &mut sdl::Document) {
        if !self.list.iter().any(|feature| feature.by_core) {
            return;
        }
        let others = self.list.iter().filter(|feature| !matches!(&*feature.name, "core" | "join"));
        let text = |text: &str| Value::String(text.to_owned());
        let mut links = vec![
            directive("link", [("url", text("https://specs.apollo.dev/link/v1.0"))]),
            directive("link", [("url", text("https://specs.apollo.dev/join/v0.3"))]),
        ];
        links.extend(others.map(|feature| directive("link", [("url", text(&feature.url))])));
        for definition in &mut document.definitions {
            if let Definition::SchemaDefinition(schema) = definition {
                schema.directives.retain(|directive| directive.name != "core");
                schema.directives.append(&mut links);
            }
        }
    }
}

impl Feature {
    fn read(directive: &sdl::Directive) -> Option<Self> {
        let argument = |wanted: &str| {
            let (_, value) = directive.arguments.iter().find(|(name, _)| name == wanted)?;
            match value {
                Value::String(text) | Value::Enum(text) => Some(text.clone()),
                _ => None,
            }
        };
        let by_core = directive.name == "core";
        let url = match directive.name.as_str() {
            "core" => argument("feature")?,
            "link" => argument("url")?,
            _ => return None,
        };
        let (name, version) = parse(&url)?;
        let (alias, purpose) = (argument("as"), argument("for"));
        Some(Self { url, name, version, alias, purpose, by_core })
    }

    fn check(&self) -> Result<(), LoadError> {
        let Self { url, name, version, alias, purpose, .. } = self;
        let is_known = match name.as_str() {
            "core" => matches!(version, (0, 1 | 2)),
            "join" => matches!(version, (0, 1..=5)),
            "tag" | "inaccessible" => version.0 == 0,
            _ => false,
        };
        if matches!(name.as_str(), "core" | "join") && !is_known {
            let what = format!("it is written in {url}, which this gateway does not know");
            return Err(unsupported(what, "compose it in join v0.1 or newer by core v0.1, v0.2 or @link"));
        }
        match (is_known, alias, purpose) {
            (true, Some(alias), _) if alias != name => {
                Err(unsupported(format!("it calls the feature {url} `{alias}`"), "leave out `as`"))
            }
            (false, _, Some(purpose)) => Err(unsupported(
                format!("it demands the feature {url} for {purpose}, which this gateway does not know"),
                COMPOSE,
            )),
            _ => Ok(()),
        }
    }
}

/// Name and version at the end of a feature's address.
fn parse(url: &str) -> Option<(String, Version)> {
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let (major, minor) = parts.next()?.strip_prefix('v')?.split_once('.')?;
    Some((parts.next()?.to_owned(), (major.parse().ok()?, minor.parse().ok()?)))
}
