//! Where the types and fields of a Federation 1 supergraph are. It says so of entities and root fields alone; the rest
//! follows.

use std::collections::{BTreeMap, BTreeSet};

use graphql_tools::parser::query::{Definition as Executable, OperationDefinition};
use graphql_tools::parser::schema::{Definition, Type, TypeDefinition, Value};
use graphql_tools::static_graphql::query::{Selection, SelectionSet, TypeCondition};
use graphql_tools::static_graphql::schema as sdl;
use rustc_hash::FxHashMap;

use super::unsupported;
use crate::engine::LoadError;

/// A field in one subgraph.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place<'d> {
    pub(super) requires: Option<&'d str>,
    pub(super) provides: Option<&'d str>,
    /// The subgraph has it only where another field of its own provides or requires it.
    pub(super) external: bool,
}

/// The whole supergraph, placed.
pub(super) struct Placed<'d> {
    pub(super) definitions: FxHashMap<&'d str, &'d sdl::TypeDefinition>,
    roots: Vec<&'d str>,
    all_graphs: BTreeSet<&'d str>,
    /// The subgraphs of each type.
    pub(super) types: BTreeMap<&'d str, BTreeSet<&'d str>>,
    /// The subgraphs of each field, where not all that have its type have the field alike.
    pub(super) fields: BTreeMap<(&'d str, &'d str), BTreeMap<&'d str, Place<'d>>>,
}

/// Whether a type belongs to the composition and not to the API.
pub(super) fn is_machinery(name: &str) -> bool {
    ["join__", "core__", "link__"].iter().any(|prefix| name.starts_with(prefix))
}

/// The name inside all wrappers.
pub(super) fn named<'d>(ty: &'d Type<'static, String>) -> &'d str {
    match ty {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}

pub(super) fn directives(definition: &sdl::TypeDefinition) -> &[sdl::Directive] {
    match definition {
        TypeDefinition::Scalar(it) => &it.directives,
        TypeDefinition::Object(it) => &it.directives,
        TypeDefinition::Interface(it) => &it.directives,
        TypeDefinition::Union(it) => &it.directives,
        TypeDefinition::Enum(it) => &it.directives,
        TypeDefinition::InputObject(it) => &it.directives,
    }
}

pub(super) fn fields(definition: &sdl::TypeDefinition) -> &[sdl::Field] {
    match definition {
        TypeDefinition::Object(it) => &it.fields,
        TypeDefinition::Interface(it) => &it.fields,
        _ => &[],
    }
}

/// The interfaces of a type.
pub(super) fn interfaces(definition: &sdl::TypeDefinition) -> &[String] {
    match definition {
        TypeDefinition::Object(it) => &it.implements_interfaces,
        TypeDefinition::Interface(it) => &it.implements_interfaces,
        _ => &[],
    }
}

fn argument<'d>(directive: &'d sdl::Directive, wanted: &str) -> Option<&'d str> {
    directive.arguments.iter().find_map(|(name, value)| match value {
        Value::String(text) | Value::Enum(text) if name == wanted => Some(text.as_str()),
        _ => None,
    })
}

fn with_name<'d>(directives: &'d [sdl::Directive], name: &str) -> impl Iterator<Item = &'d sdl::Directive> {
    directives.iter().filter(move |directive| directive.name == name)
}

impl<'d> Placed<'d> {
    /// Finds the places of everything.
    pub(super) fn of(document: &'d sdl::Document) -> Result<Self, LoadError> {
        let mut definitions = FxHashMap::default();
        let mut all_graphs = BTreeSet::new();
        for definition in &document.definitions {
            let Definition::TypeDefinition(definition) = definition else { continue };
            match definition {
                TypeDefinition::Enum(list) if list.name == "join__Graph" => {
                    all_graphs.extend(list.values.iter().map(|value| value.name.as_str()));
                }
                _ if !is_machinery(definition.name()) => {
                    definitions.insert(definition.name(), definition);
                }
                _ => {}
            }
        }
        let roots =
            [document.query_type_name(), document.mutation_type_name(), document.subscription_type_name()];
        let roots = roots.into_iter().flatten().map(String::as_str).collect();
        let (types, fields) = (BTreeMap::new(), BTreeMap::new());
        let mut placed = Self { definitions, roots, all_graphs, types, fields };
        placed.declared(document)?;
        placed.keyed()?;
        placed.required_and_provided()?;
        placed.reached();
        // Now that the subgraphs of shared types are known, so is what these provide there.
        placed.provided_by_shared_types();
        placed.required_and_provided()?;
        placed.reached();
        placed.unreached();
        placed.provided_by_shared_types();
        Ok(placed)
    }

    /// Whether a type says of its fields where they are: an entity or a root does, a type that is the same wherever it is
    /// does not.
    pub(super) fn is_placed(&self, name: &str) -> bool {
        let directives = self.definitions.get(name).map(|definition| directives(definition));
        let directives = directives.unwrap_or_default();
        let is_entity = directives.iter().any(|it| matches!(&*it.name, "join__type" | "join__owner"));
        is_entity || self.roots.contains(&name)
    }

    pub(super) fn graphs(&self, name: &str) -> impl Iterator<Item = &'d str> {
        self.types.get(name).into_iter().flatten().copied()
    }

    pub(super) fn is_in(&self, name: &str, graph: &str) -> bool {
        self.types.get(name).is_some_and(|graphs| graphs.contains(graph))
    }

    pub(super) const fn all_graphs(&self) -> &BTreeSet<&'d str> {
        &self.all_graphs
    }

    /// The subgraphs of a field, and what it is there. None where all that have its type have it alike.
    pub(super) fn places<'a>(
        &'a self,
        parent: &'a str,
        field: &'a str,
    ) -> impl Iterator<Item = (&'d str, &'a Place<'d>)> {
        let places = self.fields.get(&(parent, field)).into_iter().flatten();
        places.map(|(graph, place)| (*graph, place))
    }

    /// The keys by which a subgraph finds an entity.
    pub(super) fn keys(&self, name: &str, graph: &str) -> impl Iterator<Item = &'d str> {
        let directives = self.definitions.get(name).map(|definition| directives(definition));
        let types = with_name(directives.unwrap_or_default(), "join__type");
        let types = types.filter(move |directive| argument(directive, "graph") == Some(graph));
        types.filter_map(|directive| argument(directive, "key"))
    }

    pub(super) fn put(&mut self, name: &'d str, graph: &'d str) {
        self.types.entry(name).or_default().insert(graph);
    }

    /// Notes that a subgraph has a field, unless more is known of that.
    pub(super) fn place(&mut self, parent: &'d str, field: &'d str, graph: &'d str, place: Place<'d>) {
        self.put(parent, graph);
        self.fields.entry((parent, field)).or_default().entry(graph).or_insert(place);
    }

    fn graph(&self, at: &str, name: &'d str) -> Result<&'d str, LoadError> {
        self.all_graphs.get(name).copied().ok_or_else(|| {
            let what = format!("`{at}` is of the subgraph `{name}`, which join__Graph does not list");
            unsupported(what, "add it there, or compose the supergraph again")
        })
    }

    /// What the directives say.
    fn declared(&mut self, document: &'d sdl::Document) -> Result<(), LoadError> {
        if let Some(query) = document.query_type_name() {
            self.types.insert(query, self.all_graphs.clone());
        }
        let definitions: Vec<_> = self.definitions.values().copied().collect();
        for definition in definitions {
            let name = definition.name();
            for directive in directives(definition) {
                if matches!(&*directive.name, "join__type" | "join__owner")
                    && let Some(graph) = argument(directive, "graph")
                {
                    let graph = self.graph(name, graph)?;
                    self.put(name, graph);
                }
            }
            for field in fields(definition) {
                self.declared_field(definition, field)?;
            }
        }
        Ok(())
    }

    fn declared_field(
        &mut self,
        definition: &'d sdl::TypeDefinition,
        field: &'d sdl::Field,
    ) -> Result<(), LoadError> {
        let parent = definition.name();
        let at = format!("{parent}.{}", field.name);
        let owner = with_name(directives(definition), "join__owner").next();
        let owner = owner.and_then(|directive| argument(directive, "graph"));
        let mut joins = with_name(&field.directives, "join__field").peekable();
        if joins.peek().is_none() && self.is_placed(parent) {
            let graphs = self.without_a_place(parent, &at, owner)?;
            for graph in graphs {
                self.place(parent, &field.name, graph, Place::default());
            }
        }
        for join in joins {
            let place = Place {
                requires: argument(join, "requires"),
                provides: argument(join, "provides"),
                external: false,
            };
            if let Some(graph) = argument(join, "graph").or(owner) {
                let graph = self.graph(&at, graph)?;
                self.place(parent, &field.name, graph, place);
            }
        }
        Ok(())
    }

    /// Where a field of an entity or a root is that does not say so: with the owner, with all that have the interface, or
    /// with the only subgraph that there is.
    fn without_a_place(
        &self,
        parent: &str,
        at: &str,
        owner: Option<&'d str>,
    ) -> Result<Vec<&'d str>, LoadError> {
        if let Some(owner) = owner {
            return Ok(vec![self.graph(at, owner)?]);
        }
        if !self.roots.contains(&parent) {
            return Ok(self.graphs(parent).collect());
        }
        if self.all_graphs.len() == 1 {
            return Ok(self.all_graphs.iter().copied().collect());
        }
        let what = format!("`{at}` does not say which subgraph answers for it");
        Err(unsupported(what, "add @join__field(graph:) to it, or compose the supergraph again"))
    }

    /// What keys are made of: Federation 1 does not write that subgraphs have it.
    fn keyed(&mut self) -> Result<(), LoadError> {
        let definitions: Vec<_> = self.definitions.values().copied().collect();
        for definition in definitions {
            let name = definition.name();
            for directive in with_name(directives(definition), "join__type") {
                if let (Some(graph), Some(key)) = (argument(directive, "graph"), argument(directive, "key")) {
                    let graph = self.graph(name, graph)?;
                    self.need(name, &field_set(name, key)?, (graph, false));
                }
            }
        }
        Ok(())
    }

    /// The same of what fields require and provide.
    fn required_and_provided(&mut self) -> Result<(), LoadError> {
        let placed = self.fields.clone();
        for ((parent, name), places) in placed {
            let Some(field) = self.field(parent, name) else { continue };
            let at = format!("{parent}.{name}");
            for (graph, place) in places {
                if let Some(requires) = place.requires {
                    self.need(parent, &field_set(&at, requires)?, (graph, true));
                }
                if let Some(provides) = place.provides {
                    self.need(named(&field.field_type), &field_set(&at, provides)?, (graph, true));
                }
            }
        }
        Ok(())
    }

    /// What fields of shared types provide: in every subgraph that has the type.
    fn provided_by_shared_types(&mut self) {
        let definitions = self.definitions.values().copied();
        let shared: Vec<_> = definitions.filter(|definition| !self.is_placed(definition.name())).collect();
        for definition in shared {
            let name = definition.name();
            let graphs: Vec<_> = self.graphs(name).collect();
            for field in fields(definition) {
                let mut joins = with_name(&field.directives, "join__field");
                let provides = joins.find_map(|join| argument(join, "provides"));
                for graph in graphs.iter().filter(|_| provides.is_some()) {
                    self.place(name, &field.name, graph, Place { provides, ..Place::default() });
                }
            }
        }
    }

    /// Notes that a subgraph has these fields of a type.
    fn need(&mut self, parent: &'d str, set: &SelectionSet, (graph, external): (&'d str, bool)) {
        for item in &set.items {
            match item {
                Selection::Field(wanted) => {
                    for object in self.itself_and_implementers(parent, graph) {
                        let Some(field) = self.field(object, &wanted.name) else { continue };
                        if self.is_placed(object) {
                            self.place(object, &field.name, graph, Place { external, ..Place::default() });
                        }
                        self.need(named(&field.field_type), &wanted.selection_set, (graph, external));
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    let condition = condition.and_then(|TypeCondition::On(name)| {
                        self.definitions.get(name.as_str()).map(|definition| definition.name())
                    });
                    self.need(condition.unwrap_or(parent), &fragment.selection_set, (graph, external));
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&self, parent: &str, name: &str) -> Option<&'d sdl::Field> {
        let definition = self.definitions.get(parent).copied()?;
        fields(definition).iter().find(|field| field.name == name)
    }

    fn itself_and_implementers(&self, name: &'d str, graph: &str) -> Vec<&'d str> {
        let members = self.implementers(name).into_iter().filter(|member| self.is_in(member, graph));
        std::iter::once(name).chain(members).collect()
    }

    /// The types that implement an interface, in order.
    pub(super) fn implementers(&self, interface: &str) -> Vec<&'d str> {
        let types = self.definitions.values().copied();
        let members = types.filter(|ty| interfaces(ty).iter().any(|name| name == interface));
        let mut members: Vec<_> = members.map(sdl::TypeDefinition::name).collect();
        members.sort_unstable();
        members
    }
}

/// The fields of a key, of `requires` or of `provides`.
fn field_set(at: &str, text: &str) -> Result<SelectionSet, LoadError> {
    let wrong = || {
        let what = format!("`{at}` has a field set that does not parse: `{text}`");
        unsupported(what, "correct it in the subgraph, and compose the supergraph again")
    };
    let text = format!("{{{text}}}");
    let document = graphql_tools::parser::parse_query::<String>(&text);
    match document.map_err(|_| wrong())?.into_static().definitions.pop() {
        Some(Executable::Operation(OperationDefinition::SelectionSet(set))) => Ok(set),
        _ => Err(wrong()),
    }
}
