//! What a response consists of: the operation's selections, collected per type as the specification's `CollectFields`
//! and `MergeSelectionSets` say, once per operation instead of once per object.

use std::sync::Arc;

use graphql_tools::static_graphql::query;
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::ErrorCode;
use super::aliases::client_key;
use super::authorization::{Denied, RuleId, Rules, needs};
use super::leaf::Leaf;
use super::schema::{Kind, Ordered, Schema, TypeRef};

/// The fields to answer with for an object.
#[derive(Debug)]
pub(super) enum Selection {
    /// Of an object type.
    One(Arc<str>, Box<[Field]>),
    /// By the object's type.
    ByType {
        /// The different lists of fields.
        variants: Vec<Box<[Field]>>,
        /// Which list is for which type. The abstract type's own name stands for an object whose type is not known.
        of: FxHashMap<Arc<str>, usize>,
        /// That abstract type.
        declared: Arc<str>,
    },
}

/// A field to answer with.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// The key in the data.
    pub(super) key: Arc<str>,
    /// The key in the response, as JSON with its colon.
    pub(super) head: Box<[u8]>,
    pub(super) name: Arc<str>,
    /// The type that it is a field of, for messages.
    pub(super) parent: Arc<str>,
    /// `None` for a field that is always there.
    pub(super) when: Option<When>,
    pub(super) shape: Shape,
    pub(super) content: Content,
    /// The arguments, kept for introspection and where costs are counted.
    pub(super) arguments: Vec<(String, query::Value)>,
}

/// What is inside a field.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// `__typename`.
    Typename,
    /// A scalar.
    Scalar(Leaf),
    /// An enum with these values.
    Enum(Arc<str>, Arc<FxHashSet<Arc<str>>>),
    /// Objects.
    Composite(Arc<Selection>),
    /// Nothing: the caller may not have it. The code says why.
    Denied(ErrorCode),
}

/// Where nulls and lists may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) nullable: bool,
    pub(super) item: Option<Box<Shape>>,
}

impl From<&TypeRef> for Shape {
    fn from(ty: &TypeRef) -> Self {
        match ty {
            TypeRef::NonNull(inner) => Self { nullable: false, ..Self::from(inner.as_ref()) },
            TypeRef::List(inner) => Self { nullable: true, item: Some(Box::new(inner.as_ref().into())) },
            TypeRef::Named(_) => Self { nullable: true, item: None },
        }
    }
}

/// `@skip` and `@include` by variables.
#[derive(Debug, Clone)]
pub(super) struct When {
    /// One of these must hold.
    any: Box<[Conjunction]>,
    /// None of these may: where one does, the field is at an earlier place of the response.
    none: Box<[Conjunction]>,
}

/// Variables, each with the value that it must have.
type Conjunction = Vec<(usize, bool)>;

/// Whether a field is there, given the variables' values.
pub(super) fn holds(when: Option<&When>, flags: &[bool]) -> bool {
    let hold = |all: &Conjunction| all.iter().all(|(flag, expected)| flags[*flag] == *expected);
    when.is_none_or(|when| when.any.iter().any(hold) && !when.none.iter().any(hold))
}

/// A compiled operation's selections.
#[derive(Debug)]
pub(super) struct CompiledSelection {
    pub(super) root: Arc<Selection>,
    /// The variables that `@skip` and `@include` read.
    pub(super) flags: Vec<Arc<str>>,
    /// What the supergraph demands of callers for all of it, in order.
    pub(super) needed: Vec<RuleId>,
}

/// Compiles a document that the planner made: callers may have all of it. All arguments are kept.
pub(super) fn compile_planned(
    schema: &Schema,
    document: &query::Document,
    root_type: &str,
    selection_set: &query::SelectionSet,
) -> CompiledSelection {
    let (rules, denied) = (Rules::default(), Denied::default());
    compile((schema, &rules, &denied), document, root_type, selection_set, true)
}

/// Compiles an operation that has been validated, for callers to whom some of it is denied. Arguments are kept on
/// request; introspection's always are.
pub(super) fn compile(
    (schema, rules, denied): (&Schema, &Rules, &Denied),
    document: &query::Document,
    root_type: &str,
    selection_set: &query::SelectionSet,
    keep_arguments: bool,
) -> CompiledSelection {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        query::Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        query::Definition::Operation(_) => None,
    });
    let mut compiler = Compiler {
        schema,
        rules,
        denied,
        fragments: fragments.collect(),
        keep_arguments,
        flags: IndexSet::default(),
        needed: FxHashSet::default(),
        known: FxHashMap::default(),
    };
    let root = Occurrence { set: selection_set, on: root_type, when: Vec::new() };
    let root = compiler.selection(root_type, &[root]);
    let mut needed: Vec<_> = compiler.needed.into_iter().collect();
    needed.sort_unstable();
    CompiledSelection { root, flags: compiler.flags.into_iter().collect(), needed }
}

struct Compiler<'d> {
    schema: &'d Schema,
    rules: &'d Rules,
    denied: &'d Denied,
    fragments: FxHashMap<&'d str, &'d query::FragmentDefinition>,
    keep_arguments: bool,
    flags: IndexSet<Arc<str>, FxBuildHasher>,
    needed: FxHashSet<RuleId>,
    /// Selections met before, by type and place in the document: fragments that are spread in many places under the
    /// same conditions are compiled once.
    known: FxHashMap<(Arc<str>, Vec<Place>), Arc<Selection>>,
}

/// The address of a selection set in the document, and the conditions under which it counts.
type Place = (usize, Conjunction);

/// A selection set at one place of the document, with the conditions under which it counts.
struct Occurrence<'d> {
    set: &'d query::SelectionSet,
    /// The type that it is written for.
    on: &'d str,
    when: Conjunction,
}

/// The conditions that a type satisfies, and of each field its type and whether it is denied: types that are alike in
/// all of that have the same fields in the response.
type Signature<'d> = (Vec<bool>, Vec<(Option<&'d TypeRef>, bool)>);

/// All occurrences of one response key.
struct Group<'d> {
    field: &'d query::Field,
    occurrences: Vec<Selected<'d>>,
}

/// A field as it is written at one place.
struct Selected<'d> {
    field: &'d query::Field,
    /// The type that it is selected on: an object's own, or one that it satisfies.
    on: &'d str,
    when: Conjunction,
    /// Counts the fields that are written before it.
    place: usize,
}

/// Where a field stands in the response: where it is first written under conditions that hold (`CollectFields`, §6.3.2).
/// That is one place, unless it is first written under conditions that may not hold, and again under others.
fn places(occurrences: &[Selected<'_>]) -> Vec<(usize, When)> {
    let mut places = Vec::new();
    let mut before: Vec<Conjunction> = Vec::new();
    for Selected { when, place, .. } in occurrences {
        let is_implied = before.iter().any(|known| known.iter().all(|condition| when.contains(condition)));
        if !is_implied {
            places.push((*place, When { any: [when.clone()].into(), none: before.as_slice().into() }));
            before.push(when.clone());
        }
    }
    places
}

impl<'d> Compiler<'d> {
    fn selection(&mut self, parent: &str, occurrences: &[Occurrence<'d>]) -> Arc<Selection> {
        let place = |occurrence: &Occurrence<'d>| {
            (std::ptr::from_ref(occurrence.set).addr(), occurrence.when.clone())
        };
        let key = (Arc::from(parent), occurrences.iter().map(place).collect());
        if let Some(known) = self.known.get(&key) {
            return Arc::clone(known);
        }
        let is_object = self.schema.get(parent).is_none_or(|ty| ty.kind == Kind::Object);
        let selection = if is_object {
            Selection::One(parent.into(), self.fields(parent, occurrences))
        } else {
            self.variants(parent, occurrences)
        };
        let selection = Arc::new(selection);
        self.known.insert(key, Arc::clone(&selection));
        selection
    }

    /// One list of fields for all types that satisfy the same conditions and declare the fields alike.
    fn variants(&mut self, parent: &str, occurrences: &[Occurrence<'d>]) -> Selection {
        let mut conditions = IndexSet::<&str, FxBuildHasher>::default();
        for occurrence in occurrences {
            self.conditions_in(occurrence.set, &mut conditions);
        }
        let schema = self.schema;
        let declared: Arc<str> = parent.into();
        let possible = schema.get(parent).map(|ty| ty.possible.as_slice()).unwrap_or_default();
        let mut variants = Vec::new();
        let mut of = FxHashMap::default();
        let mut signatures: Vec<Signature<'_>> = Vec::new();
        for name in std::iter::once(&declared).chain(possible) {
            let satisfied = conditions.iter().map(|condition| schema.satisfies(name, condition)).collect();
            let groups = self.collect(name, occurrences);
            let types = groups
                .values()
                .map(|group| (self.type_of(name, group.field), self.is_denied(name, group)))
                .collect();
            let signature = (satisfied, types);
            let index = signatures.iter().position(|known| *known == signature).unwrap_or_else(|| {
                variants.push(self.fields(name, occurrences));
                signatures.push(signature);
                variants.len() - 1
            });
            of.insert(Arc::clone(name), index);
        }
        Selection::ByType { variants, of, declared }
    }

    fn conditions_in(&self, set: &'d query::SelectionSet, into: &mut IndexSet<&'d str, FxBuildHasher>) {
        for item in &set.items {
            match item {
                query::Selection::Field(_) => {}
                query::Selection::InlineFragment(fragment) => {
                    if let Some(query::TypeCondition::On(condition)) = &fragment.type_condition {
                        into.insert(condition);
                    }
                    self.conditions_in(&fragment.selection_set, into);
                }
                query::Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) {
                        let query::TypeCondition::On(condition) = &fragment.type_condition;
                        into.insert(condition);
                        self.conditions_in(&fragment.selection_set, into);
                    }
                }
            }
        }
    }

    fn type_of(&self, parent: &str, field: &query::Field) -> Option<&'d TypeRef> {
        self.schema.get(parent)?.fields.get(field.name.as_str()).map(|definition| &definition.ty)
    }

    fn fields(&mut self, parent: &str, occurrences: &[Occurrence<'d>]) -> Box<[Field]> {
        let mut fields = Vec::new();
        for (key, group) in self.collect(parent, occurrences) {
            let places = places(&group.occurrences);
            let Some(field) = self.field(parent, key, group) else { continue };
            if let [(place, _)] = places[..] {
                fields.push((place, field));
            } else {
                let at = |(place, when)| (place, Field { when: Some(when), ..field.clone() });
                fields.extend(places.into_iter().map(at));
            }
        }
        fields.sort_by_key(|(place, _)| *place);
        fields.into_iter().map(|(_, field)| field).collect()
    }

    fn collect(&mut self, parent: &str, occurrences: &[Occurrence<'d>]) -> Ordered<Group<'d>> {
        let mut groups = Ordered::default();
        let mut seen = FxHashSet::default();
        let mut fields = 0;
        for occurrence in occurrences {
            let into = (&mut groups, &mut seen, &mut fields);
            self.collect_set(parent, (occurrence.set, occurrence.on), &occurrence.when, into);
        }
        groups
    }

    fn collect_set(
        &mut self,
        parent: &str,
        (set, on): (&'d query::SelectionSet, &'d str),
        when: &Conjunction,
        into: (&mut Ordered<Group<'d>>, &mut FxHashSet<(&'d str, Conjunction)>, &mut usize),
    ) {
        let (groups, seen, fields) = into;
        for item in &set.items {
            match item {
                query::Selection::Field(field) => {
                    let Some(when) = self.and(when, &field.directives) else { continue };
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    let group =
                        groups.entry(key.into()).or_insert_with(|| Group { field, occurrences: Vec::new() });
                    group.occurrences.push(Selected { field, on, when, place: *fields });
                    *fields += 1;
                }
                query::Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.type_condition.as_ref().map(|query::TypeCondition::On(name)| name);
                    if condition.is_none_or(|condition| self.schema.satisfies(parent, condition))
                        && let Some(when) = self.and(when, &fragment.directives)
                    {
                        let set = (&fragment.selection_set, condition.map_or(on, String::as_str));
                        self.collect_set(parent, set, &when, (&mut *groups, &mut *seen, &mut *fields));
                    }
                }
                query::Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()).copied() else {
                        continue;
                    };
                    let query::TypeCondition::On(condition) = &fragment.type_condition;
                    if self.schema.satisfies(parent, condition)
                        && let Some(when) = self.and(when, &spread.directives)
                        && seen.insert((fragment.name.as_str(), when.clone()))
                    {
                        let set = (&fragment.selection_set, condition.as_str());
                        self.collect_set(parent, set, &when, (&mut *groups, &mut *seen, &mut *fields));
                    }
                }
            }
        }
    }

    /// The conditions with those of some directives added; `None` when these can never hold.
    fn and(&mut self, when: &Conjunction, directives: &[query::Directive]) -> Option<Conjunction> {
        let mut all = when.clone();
        for directive in directives {
            let expected = match directive.name.as_str() {
                "include" => true,
                "skip" => false,
                _ => continue,
            };
            let argument = directive.arguments.iter().find(|(name, _)| name == "if").map(|(_, value)| value);
            match argument {
                Some(query::Value::Boolean(value)) if *value != expected => return None,
                Some(query::Value::Variable(name)) => {
                    let flag = self.flags.insert_full(name.as_str().into()).0;
                    if all.contains(&(flag, !expected)) {
                        return None;
                    }
                    if !all.contains(&(flag, expected)) {
                        all.push((flag, expected));
                    }
                }
                _ => {}
            }
        }
        all.sort_unstable();
        Some(all)
    }

    fn field(&mut self, parent: &str, key: Arc<str>, group: Group<'d>) -> Option<Field> {
        let name = group.field.name.as_str();
        let mut alternatives: Vec<Conjunction> =
            group.occurrences.iter().map(|selected| selected.when.clone()).collect();
        alternatives.sort_unstable();
        alternatives.dedup();
        let same_for_all = alternatives.len() == 1;
        let always = alternatives.iter().any(Vec::is_empty);
        let is_denied = self.is_denied(parent, &group);
        let (shape, content) = if name == "__typename" {
            (Shape { nullable: false, item: None }, Content::Typename)
        } else {
            let schema = self.schema;
            let definition = schema.get(parent)?.fields.get(name)?;
            let occurrences =
                group.occurrences.into_iter().map(|Selected { field, on, when, .. }| Occurrence {
                    set: &field.selection_set,
                    on: self.type_of(on, field).unwrap_or(&definition.ty).name(),
                    when: if same_for_all { Vec::new() } else { when },
                });
            let occurrences: Vec<_> = occurrences.collect();
            let content = if is_denied {
                Content::Denied(self.denied.code())
            } else {
                self.content(definition.ty.name(), &occurrences)
            };
            (Shape::from(&definition.ty), content)
        };
        let is_introspection = parent.starts_with("__") || name.starts_with("__");
        let keep_arguments = self.keep_arguments || is_introspection;
        Some(Field {
            head: format!("\"{}\":", client_key(&key)).into_bytes().into(),
            key,
            name: name.into(),
            parent: parent.into(),
            when: (!always).then(|| When { any: alternatives.into(), none: [].into() }),
            shape,
            content,
            arguments: if keep_arguments { group.field.arguments.clone() } else { Vec::new() },
        })
    }

    /// Whether callers may not have a field of an object, however it is selected. Notes what it needs of them.
    fn is_denied(&mut self, parent: &str, group: &Group<'d>) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        let name = group.field.name.as_str();
        let mut needed = needs(self.rules, self.schema, parent, name);
        for selected in group.occurrences.iter().filter(|selected| selected.on != parent) {
            needed.extend(needs(self.rules, self.schema, selected.on, name));
        }
        // The type of an object that does not tell its own: any of those that it may be of.
        if let Some(ty) = self.schema.get(parent).filter(|ty| ty.kind != Kind::Object) {
            for possible in &ty.possible {
                needed.extend(needs(self.rules, self.schema, possible, name));
            }
        }
        self.needed.extend(&needed);
        self.denied.has_any(&needed)
    }

    fn content(&mut self, name: &Arc<str>, occurrences: &[Occurrence<'d>]) -> Content {
        let schema = self.schema;
        match schema.get(name) {
            Some(ty) if ty.kind == Kind::Enum => Content::Enum(Arc::clone(name), Arc::clone(&ty.value_names)),
            Some(ty) if matches!(ty.kind, Kind::Object | Kind::Interface | Kind::Union) => {
                Content::Composite(self.selection(name, occurrences))
            }
            _ => Content::Scalar(Leaf::of(name)),
        }
    }
}
