//! `@link`: which federation version a subgraph speaks, and what it calls its directives.

use std::collections::BTreeMap;

use async_graphql_parser::{Pos, Positioned, types::ConstDirective};
use async_graphql_value::ConstValue;

use super::spec::{CACHE_SCOPE, DEFINITIONS, Fed, NEWEST_MINOR};
use crate::{code::Code, diagnostic::Diagnostic};

const SPECS: &str = "https://specs.apollo.dev/";
/// The directive of that name, which has a specification of its own.
const CACHE_CONTROL: &str = "cacheControl";
/// Names of the federation specification that are no directives.
const SPEC_TYPES: [&str; 5] = ["FieldSet", "Scope", "Policy", "ContextFieldValue", "Import"];

/// One `@link`.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) url: String,
    /// The URL without its version.
    pub(crate) identity: String,
    /// The name under which it is known here.
    pub(crate) namespace: String,
    pub(crate) version: Option<(u32, u32)>,
    /// Imported element and what it is called here, directives with `@`.
    pub(crate) imports: Vec<(String, String)>,
    pub(crate) pos: Pos,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    pub(crate) all: Vec<Link>,
    /// `2.x` as `Some(x)`; Federation 1 as `None`.
    pub(crate) federation: Option<u32>,
    directives: BTreeMap<String, Fed>,
    /// Names such as `federation__FieldSet` that belong to a linked specification.
    prefixes: Vec<String>,
    /// What `@link` itself is called.
    link: String,
}

impl Links {
    pub(crate) fn directive(&self, name: &str) -> Option<Fed> {
        self.directives.get(name).copied()
    }

    /// Whether a directive is `@link`, or `@core`, which came before it.
    pub(crate) fn is_link(&self, name: &str) -> bool {
        name == "link" || name == "core" || name == self.link
    }

    /// A directive that a subgraph means otherwise than its specification does is the subgraph's own.
    pub(crate) fn disown(&mut self, name: &str) {
        self.directives.remove(name);
    }

    /// Whether a type belongs to a specification and not to the subgraph.
    pub(crate) fn is_machinery(&self, type_name: &str) -> bool {
        ["_Any", "_Entity", "_Service", "_FieldSet"].contains(&type_name)
            || (type_name == CACHE_SCOPE.0 && self.directives.values().any(|fed| *fed == Fed::CacheControl))
            || self.prefixes.iter().any(|prefix| {
                type_name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with("__"))
            })
            || self
                .all
                .iter()
                .filter(|link| link.identity.starts_with(SPECS))
                .any(|link| link.imports.iter().any(|(_, local)| local == type_name))
    }

    /// The link that defines a directive imported as `name`, and the directive's own name.
    pub(crate) fn origin<'a>(&'a self, name: &'a str) -> Option<(&'a Link, &'a str)> {
        self.all.iter().find_map(|link| {
            if let Some((element, _)) =
                link.imports.iter().find(|(_, local)| local.strip_prefix('@') == Some(name))
            {
                return Some((link, element.trim_start_matches('@')));
            }
            let local = name.strip_prefix(link.namespace.as_str())?;
            match local.strip_prefix("__") {
                Some(element) => Some((link, element)),
                None => local.is_empty().then_some((link, name)),
            }
        })
    }
}

/// Reads the `@link`s among the directives of the schema definition and its extensions.
pub(crate) fn read(
    directives: &[Positioned<ConstDirective>],
    subgraph: &str,
    report: &mut Vec<Diagnostic>,
) -> Links {
    let mut links = Links {
        prefixes: vec!["federation".into(), "link".into()],
        link: own_name(directives),
        ..Links::default()
    };
    for directive in directives {
        if !links.is_link(&directive.node.name.node) {
            continue;
        }
        let refuse = |(code, message, help): Problem| {
            Diagnostic::error(code, "@link", message).at_place(subgraph, directive.pos).help(help)
        };
        let Some(url) = text(directive, "url").or_else(|| text(directive, "feature")) else {
            let help =
                "give it the `url` of a specification, such as \"https://specs.apollo.dev/federation/v2.9\"";
            report.push(refuse((
                Code::InvalidLinkDirectiveUsage,
                "@link lacks a url".to_owned(),
                help.to_owned(),
            )));
            continue;
        };
        let url = url.trim().to_owned();
        let link = Link {
            imports: imports(directive, subgraph, report),
            namespace: text(directive, "as").unwrap_or_else(|| split(&url).1.to_owned()),
            identity: split(&url).0.to_owned(),
            version: version(&url),
            url,
            pos: directive.pos,
        };
        if let Some(problem) = links.problem(&link) {
            report.push(refuse(problem));
            continue;
        }
        match link.identity.strip_prefix(SPECS) {
            Some("federation") => links.link_federation(&link, subgraph, report),
            Some(spec) if spec != "link" => links.link_feature(&link, spec),
            None if split(&link.url).1 == CACHE_CONTROL => links.link_feature(&link, CACHE_CONTROL),
            _ => {}
        }
        links.prefixes.push(link.namespace.clone());
        links.all.push(link);
    }
    // Nobody links it: libraries of subgraphs define it where they use it.
    links.directives.entry(CACHE_CONTROL.to_owned()).or_insert(Fed::CacheControl);
    if links.federation.is_none() {
        for definition in DEFINITIONS.iter().filter(|definition| definition.federation_1) {
            links.directives.entry(definition.name.to_owned()).or_insert(definition.fed);
        }
    }
    links
}

type Problem = (Code, String, String);

/// `@link(url: ".../link/v1.0", as: "linked")` is called as it says.
fn own_name(directives: &[Positioned<ConstDirective>]) -> String {
    let renames = |directive: &&Positioned<ConstDirective>| {
        text(directive, "url").is_some_and(|url| split(&url).0 == format!("{SPECS}link"))
            && text(directive, "as").as_deref() == Some(directive.node.name.node.as_str())
    };
    directives.iter().find(renames).map_or_else(|| "link".to_owned(), |link| link.node.name.node.to_string())
}

impl Links {
    /// What is wrong with a link by itself or beside those before it.
    fn problem(&self, link: &Link) -> Option<Problem> {
        if let Some(rest) = link.url.strip_prefix(SPECS).filter(|_| link.version.is_none()) {
            let name = rest.split('/').next().unwrap_or_default();
            let message = format!("\"{}\" does not end in a version", link.url);
            return Some((
                Code::InvalidLinkIdentifier,
                message,
                format!("write {SPECS}{name}/v2.9 or the like"),
            ));
        }
        let is_name = |text: &str| {
            !text.is_empty()
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
                && !text.contains("__")
        };
        if link.identity.starts_with(SPECS) && !is_name(&link.namespace) {
            let message = format!("\"{}\" is no name for a specification", link.namespace);
            return Some((
                Code::InvalidLinkIdentifier,
                message,
                "use letters, digits and single underscores in `as`".to_owned(),
            ));
        }
        if let Some(spec) = link.identity.strip_prefix(SPECS)
            && Fed::by_name(spec).is_some()
            && link.version.is_some_and(|(major, _)| major > 0)
        {
            let message = format!("\"{}\" is no known version of {spec}", link.url);
            return Some((
                Code::UnknownLinkVersion,
                message,
                format!("import \"@{spec}\" in the @link of federation"),
            ));
        }
        if self.all.iter().any(|other| other.identity == link.identity) {
            let message = format!("{} is linked twice", link.identity);
            return Some((
                Code::InvalidLinkDirectiveUsage,
                message,
                "keep one of the two, with all imports".to_owned(),
            ));
        }
        let taken = link.imports.iter().map(|(_, local)| local).find(|local| {
            self.all.iter().any(|other| other.imports.iter().any(|(_, taken)| taken == *local))
        });
        taken.map(|local| {
            let message = format!("{local} is imported from two specifications");
            let help = format!("import one of them under another name: {{ name: \"{local}\", as: \"…\" }}");
            (Code::InvalidLinkDirectiveUsage, message, help)
        })
    }

    fn link_federation(&mut self, link: &Link, subgraph: &str, report: &mut Vec<Diagnostic>) {
        let minor = match link.version {
            Some((2, minor)) if minor <= NEWEST_MINOR => minor,
            _ => {
                report.push(
                    Diagnostic::error(
                        Code::UnknownFederationLinkVersion,
                        "@link",
                        format!("\"{}\" is no known version of federation", link.url),
                    )
                    .at_place(subgraph, link.pos)
                    .help(format!("link {SPECS}federation/v2.0 up to v2.{NEWEST_MINOR}")),
                );
                NEWEST_MINOR
            }
        };
        self.federation = Some(minor);
        for definition in DEFINITIONS.iter().filter(|definition| definition.since <= minor) {
            self.directives.insert(format!("{}__{}", link.namespace, definition.name), definition.fed);
        }
        for (element, local) in &link.imports {
            let fed = element.strip_prefix('@').and_then(Fed::by_name).filter(|fed| fed.is_federation());
            let problem = match fed.map(Fed::definition) {
                Some(definition) if definition.since > minor => Some((
                    format!("federation v2.{minor} has no {element}"),
                    format!("link v2.{} or later", definition.since),
                )),
                Some(definition) => {
                    self.directives.insert(local.trim_start_matches('@').to_owned(), definition.fed);
                    None
                }
                None if SPEC_TYPES.contains(&element.as_str()) => None,
                None => Some((
                    format!("federation has no element \"{element}\""),
                    "remove it from the import; directives are imported with a leading @".into(),
                )),
            };
            if let Some((message, help)) = problem {
                report.push(
                    Diagnostic::error(Code::InvalidLinkDirectiveUsage, "@link", message)
                        .at_place(subgraph, link.pos)
                        .help(help),
                );
            }
        }
    }

    /// Specifications such as `tag`, `inaccessible` and `cost` may be linked by themselves.
    fn link_feature(&mut self, link: &Link, spec: &str) {
        if let Some(fed) = Fed::by_name(spec) {
            self.directives.insert(link.namespace.clone(), fed);
        }
        for (element, local) in &link.imports {
            if let Some(fed) = element.strip_prefix('@').and_then(Fed::by_name) {
                self.directives.insert(local.trim_start_matches('@').to_owned(), fed);
            }
        }
    }
}

fn imports(
    directive: &Positioned<ConstDirective>,
    subgraph: &str,
    report: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let values = match directive.node.get_argument("import").map(|value| &value.node) {
        None | Some(ConstValue::Null) => return Vec::new(),
        Some(ConstValue::List(values)) => values.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let mut imports = Vec::new();
    for value in values {
        let import = match value {
            ConstValue::String(name) => Some((name.clone(), name.clone())),
            ConstValue::Object(object) => match (object.get("name"), object.get("as")) {
                (Some(ConstValue::String(name)), Some(ConstValue::String(local)))
                    if name.starts_with('@') == local.starts_with('@') =>
                {
                    Some((name.clone(), local.clone()))
                }
                (Some(ConstValue::String(name)), None) => Some((name.clone(), name.clone())),
                _ => None,
            },
            _ => None,
        };
        match import {
            Some(import) => imports.push(import),
            None => report.push(
                Diagnostic::error(Code::InvalidLinkDirectiveUsage, "@link", format!("cannot import {value}"))
                    .at_place(subgraph, directive.pos)
                    .help("write \"@name\" or { name: \"@name\", as: \"@other\" }"),
            ),
        }
    }
    imports
}

fn text(directive: &Positioned<ConstDirective>, name: &str) -> Option<String> {
    match directive.node.get_argument(name).map(|value| &value.node) {
        Some(ConstValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn version(url: &str) -> Option<(u32, u32)> {
    let (major, minor) = url.trim_end_matches('/').rsplit_once("/v")?.1.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The URL without its version, and the name that it ends in.
fn split(url: &str) -> (&str, &str) {
    let url = url.trim_end_matches('/');
    let identity = match (version(url), url.rsplit_once("/v")) {
        (Some(_), Some((identity, _))) => identity,
        _ => url,
    };
    (identity, identity.rsplit_once('/').map_or(identity, |(_, name)| name))
}
