//! A subgraph's SDL, read for execution.

use std::collections::{BTreeMap, BTreeSet};

use graphql_tools::parser::schema as ast;
use graphql_tools::static_graphql::schema::{Document, Field, InputValue, TypeDefinition, Value as Literal};

type Definition = ast::Definition<'static, String>;
type TypeExtension = ast::TypeExtension<'static, String>;

/// A subgraph's schema.
pub(super) struct SubgraphSchema {
    /// For validation: extensions folded in, with what federation and the specification add.
    pub(super) document: Document,
    types: BTreeMap<String, TypeDefinition>,
    pub(super) roots: [Option<String>; 3],
    /// Objects and interfaces that implement an interface or are in a union, by its name.
    possible: BTreeMap<String, BTreeSet<String>>,
    /// The fields of each resolvable key, by type.
    keys: BTreeMap<String, Vec<String>>,
}

const ADDED: &str = r"
scalar _Any scalar Int scalar Float scalar String scalar Boolean scalar ID
type _Service { sdl: String }
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
";

impl SubgraphSchema {
    pub(super) fn parse(sdl: &str) -> Self {
        let text = without_links(sdl);
        let parse = |text: &str| {
            let document = graphql_tools::parser::parse_schema::<String>(text);
            document.unwrap_or_else(|error| panic!("{error}\n{text}")).into_static()
        };
        let mut schema = Self {
            document: Document { definitions: Vec::new() },
            types: BTreeMap::new(),
            roots: [None, None, None],
            possible: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        for definition in parse(&text).definitions.into_iter().chain(parse(ADDED).definitions) {
            schema.add(definition);
        }
        for (root, name) in schema.roots.iter_mut().zip(["Query", "Mutation", "Subscription"]) {
            if root.is_none() && schema.types.contains_key(name) {
                *root = Some(name.to_owned());
            }
        }
        schema.add_entities(&parse);
        schema.index();
        schema.finish();
        schema
    }

    fn add(&mut self, definition: Definition) {
        match definition {
            Definition::SchemaDefinition(roots) => {
                self.roots = [roots.query, roots.mutation, roots.subscription];
            }
            Definition::TypeDefinition(ty) => self.merge(ty),
            Definition::TypeExtension(extension) => self.merge(extended(extension)),
            Definition::DirectiveDefinition(_) => self.document.definitions.push(definition),
        }
    }

    fn merge(&mut self, ty: TypeDefinition) {
        let Some(known) = self.types.get_mut(ty.name()) else {
            self.types.insert(ty.name().to_owned(), ty);
            return;
        };
        match (known, ty) {
            (TypeDefinition::Object(known), TypeDefinition::Object(more)) => {
                known.fields.extend(more.fields);
                known.directives.extend(more.directives);
                known.implements_interfaces.extend(more.implements_interfaces);
            }
            (TypeDefinition::Interface(known), TypeDefinition::Interface(more)) => {
                known.fields.extend(more.fields);
                known.directives.extend(more.directives);
            }
            (TypeDefinition::Union(known), TypeDefinition::Union(more)) => known.types.extend(more.types),
            (TypeDefinition::Enum(known), TypeDefinition::Enum(more)) => known.values.extend(more.values),
            (TypeDefinition::InputObject(known), TypeDefinition::InputObject(more)) => {
                known.fields.extend(more.fields);
            }
            _ => {}
        }
    }

    /// `_entities`, where there are any.
    fn add_entities(&mut self, parse: &impl Fn(&str) -> Document) {
        let root = self.roots[0].get_or_insert_with(|| "Query".to_owned()).clone();
        let is_entity = |ty: &&TypeDefinition| directives(ty).iter().any(|directive| directive.name == "key");
        let entities = self.types.values().filter(is_entity).map(TypeDefinition::name);
        let entities: Vec<_> = entities.map(ToOwned::to_owned).collect();
        let mut text = format!("type {root} {{ _service: _Service! }}");
        if !entities.is_empty() {
            let objects =
                entities.iter().filter(|name| matches!(self.types[*name], TypeDefinition::Object(_)));
            let objects: Vec<_> = objects.map(String::as_str).collect();
            text = format!(
                "type {root} {{ _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }}
                 union _Entity = {}",
                objects.join(" | ")
            );
        }
        parse(&text).definitions.into_iter().for_each(|definition| self.add(definition));
    }

    fn index(&mut self) {
        for (name, ty) in &self.types {
            let above = match ty {
                TypeDefinition::Object(object) => &object.implements_interfaces,
                TypeDefinition::Interface(interface) => &interface.implements_interfaces,
                TypeDefinition::Union(union) => {
                    self.possible.entry(name.clone()).or_default().extend(union.types.iter().cloned());
                    continue;
                }
                _ => continue,
            };
            for interface in above {
                self.possible.entry(interface.clone()).or_default().insert(name.clone());
            }
            let keys = directives(ty).iter().filter(|directive| {
                directive.name == "key"
                    && !directive
                        .arguments
                        .iter()
                        .any(|(name, value)| name == "resolvable" && *value == Literal::Boolean(false))
            });
            let fields = keys.filter_map(|key| {
                key.arguments.iter().find_map(|(name, value)| match value {
                    Literal::String(fields) if name == "fields" => Some(fields.clone()),
                    _ => None,
                })
            });
            self.keys.insert(name.clone(), fields.collect());
        }
    }

    fn finish(&mut self) {
        self.document.definitions.extend(self.types.values().cloned().map(Definition::TypeDefinition));
        let [query, mutation, subscription] = self.roots.clone();
        let roots = ast::SchemaDefinition { query, mutation, subscription, ..Default::default() };
        self.document.definitions.insert(0, Definition::SchemaDefinition(roots));
    }

    pub(super) fn field(&self, parent: &str, name: &str) -> Option<&Field> {
        let fields = match self.types.get(parent)? {
            TypeDefinition::Object(object) => &object.fields,
            TypeDefinition::Interface(interface) => &interface.fields,
            _ => return None,
        };
        fields.iter().find(|field| field.name == name)
    }

    pub(super) fn inputs(&self, name: &str) -> Option<&[InputValue]> {
        match self.types.get(name)? {
            TypeDefinition::InputObject(input) => Some(&input.fields),
            _ => None,
        }
    }

    pub(super) fn is_abstract(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(TypeDefinition::Interface(_) | TypeDefinition::Union(_)))
    }

    pub(super) fn is_composite(&self, name: &str) -> bool {
        self.is_abstract(name) || matches!(self.types.get(name), Some(TypeDefinition::Object(_)))
    }

    pub(super) fn satisfies(&self, concrete: &str, condition: &str) -> bool {
        concrete == condition || self.possible(condition).any(|name| name == concrete)
    }

    pub(super) fn possible(&self, name: &str) -> impl Iterator<Item = &str> {
        self.possible.get(name).into_iter().flatten().map(String::as_str)
    }

    /// The field sets of a type's resolvable keys.
    pub(super) fn keys(&self, name: &str) -> &[String] {
        self.keys.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// SDL without the lines that link specifications: the parser knows no extensions of `schema`.
fn without_links(sdl: &str) -> String {
    let is_link = |line: &str| line.starts_with("extend schema") || line.trim_start().starts_with("@link");
    sdl.lines().filter(|line| !is_link(line)).flat_map(|line| [line, "\n"]).collect()
}

fn directives(ty: &TypeDefinition) -> &[graphql_tools::static_graphql::schema::Directive] {
    match ty {
        TypeDefinition::Object(object) => &object.directives,
        TypeDefinition::Interface(interface) => &interface.directives,
        _ => &[],
    }
}

fn extended(extension: TypeExtension) -> TypeDefinition {
    match extension {
        TypeExtension::Scalar(it) => TypeDefinition::Scalar(ast::ScalarType::new(it.name)),
        TypeExtension::Object(it) => TypeDefinition::Object(ast::ObjectType {
            position: it.position,
            description: None,
            name: it.name,
            implements_interfaces: it.implements_interfaces,
            directives: it.directives,
            fields: it.fields,
        }),
        TypeExtension::Interface(it) => TypeDefinition::Interface(ast::InterfaceType {
            position: it.position,
            description: None,
            name: it.name,
            implements_interfaces: it.implements_interfaces,
            directives: it.directives,
            fields: it.fields,
        }),
        TypeExtension::Union(it) => {
            let mut union = ast::UnionType::new(it.name);
            union.types = it.types;
            TypeDefinition::Union(union)
        }
        TypeExtension::Enum(it) => {
            let mut values = ast::EnumType::new(it.name);
            values.values = it.values;
            TypeDefinition::Enum(values)
        }
        TypeExtension::InputObject(it) => {
            let mut input = ast::InputObjectType::new(it.name);
            input.fields = it.fields;
            TypeDefinition::InputObject(input)
        }
    }
}
