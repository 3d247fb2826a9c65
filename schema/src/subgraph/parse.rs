//! From SDL to [`Subgraph`].

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use async_graphql_parser::{
    Error, Pos, Positioned, parse_schema,
    types::{
        BaseType, ConstDirective, DirectiveDefinition, FieldDefinition, InputValueDefinition,
        SchemaDefinition, ServiceDocument, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
    },
};
use async_graphql_value::Name;

use super::{
    Directive, DirectiveDef, EnumValue, Field, Kind, ROOT_TYPES, Subgraph, TypeDef,
    links::{self, Links},
    spec::Fed,
    text, upgrade, usage,
};
use crate::{SubgraphSdl, code::Code, diagnostic::Diagnostic};

const BUILTIN_DIRECTIVES: [&str; 5] = ["deprecated", "include", "oneOf", "skip", "specifiedBy"];

/// Reads one subgraph; `None` if its SDL cannot be read at all.
pub(crate) fn parse(input: &SubgraphSdl, graph: String, report: &mut Vec<Diagnostic>) -> Option<Subgraph> {
    let mut subgraph = read(input, graph, false, report)?;
    upgrade::upgrade(&mut subgraph);
    usage::collect(&mut subgraph);
    Some(subgraph)
}

/// Reads a schema as it stands, with all that belongs to linked specifications.
pub(crate) fn parse_whole(name: &str, sdl: &str, report: &mut Vec<Diagnostic>) -> Option<Subgraph> {
    let input = SubgraphSdl { name: name.to_owned(), url: None, sdl: sdl.to_owned() };
    read(&input, String::new(), true, report)
}

fn read(input: &SubgraphSdl, graph: String, whole: bool, report: &mut Vec<Diagnostic>) -> Option<Subgraph> {
    let document = match document(&input.sdl) {
        Ok(document) => document,
        Err((pos, message)) => {
            report.push(
                Diagnostic::error(Code::InvalidGraphql, "", message)
                    .at_place(&input.name, pos)
                    .help("correct the SDL of this subgraph at this place"),
            );
            return None;
        }
    };
    let mut schemas = Vec::new();
    let mut types = Vec::new();
    let mut directives = Vec::new();
    for definition in document.definitions {
        match definition {
            TypeSystemDefinition::Schema(schema) => schemas.push(schema),
            TypeSystemDefinition::Type(ty) => types.push(ty),
            TypeSystemDefinition::Directive(directive) => directives.push(directive),
        }
    }
    let mut reader = Reader::new(input, graph, whole, report);
    reader.read_schemas(&schemas);
    for directive in directives {
        reader.read_directive_definition(directive);
    }
    // Definitions before extensions, so that an extension finds what it extends.
    let (extensions, definitions): (Vec<_>, Vec<_>) = types.into_iter().partition(|ty| ty.node.extend);
    for ty in definitions.into_iter().chain(extensions) {
        reader.read_type(ty);
    }
    Some(reader.subgraph)
}

fn document(sdl: &str) -> Result<ServiceDocument, (Pos, String)> {
    let sdl = text::prepare(sdl)
        .map_err(|pos| (pos, format!("brackets are nested deeper than {} levels", text::NESTING_LIMIT)))?;
    parse_schema(sdl).map_err(|error| (error.positions().next().unwrap_or_default(), syntax(&error)))
}

struct Reader<'a> {
    subgraph: Subgraph,
    sdl: &'a str,
    /// Whether what belongs to linked specifications is kept.
    whole: bool,
    /// Own name of a root type to the usual one.
    renamed: BTreeMap<String, &'static str>,
    report: &'a mut Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn new(input: &'a SubgraphSdl, graph: String, whole: bool, report: &'a mut Vec<Diagnostic>) -> Self {
        let subgraph = Subgraph {
            name: input.name.clone(),
            url: input.url.clone(),
            graph,
            types: BTreeMap::new(),
            directives: BTreeMap::new(),
            spec_definitions: Vec::new(),
            schema_directives: Vec::new(),
            links: Links::default(),
            composed: Vec::new(),
            key_fields: BTreeSet::new(),
            used_fields: BTreeSet::new(),
        };
        Self { subgraph, sdl: &input.sdl, whole, renamed: BTreeMap::new(), report }
    }

    fn read_schemas(&mut self, schemas: &[Positioned<SchemaDefinition>]) {
        let applied: Vec<_> = schemas.iter().flat_map(|schema| schema.node.directives.clone()).collect();
        self.subgraph.links = links::read(&applied, &self.subgraph.name, self.report);
        for schema in schemas {
            self.read_roots(&schema.node);
        }
        self.read_schema_directives(&applied);
    }

    fn read_roots(&mut self, schema: &SchemaDefinition) {
        let roots = [&schema.query, &schema.mutation, &schema.subscription];
        for (root, usual) in roots.into_iter().zip(ROOT_TYPES) {
            if let Some(root) = root {
                self.renamed.insert(root.node.to_string(), usual);
            }
        }
    }

    fn read_schema_directives(&mut self, applied: &[Positioned<ConstDirective>]) {
        for directive in applied {
            let directive = self.directive(directive);
            if directive.fed == Some(Fed::ComposeDirective)
                && let Some(name) = directive.str_arg("name")
            {
                self.subgraph.composed.push((name.to_owned(), directive.pos));
            }
            self.subgraph.schema_directives.push(directive);
        }
    }

    fn read_directive_definition(&mut self, definition: Positioned<DirectiveDefinition>) {
        let Positioned { mut node, pos } = definition;
        node.is_repeatable = text::is_repeatable(self.sdl, pos);
        if let Some(description) = &mut node.description {
            description.node = unescaped(&description.node);
        }
        let name = node.name.node.to_string();
        if is_cache_control_of_its_own(&self.subgraph, &node) {
            self.subgraph.links.disown(&name);
        }
        if !self.whole && (name == "link" || BUILTIN_DIRECTIVES.contains(&name.as_str())) {
            return;
        }
        let args = self.inputs(&format!("@{name}"), node.arguments.clone());
        let definition = DirectiveDef { definition: node, args, pos };
        if let Some(fed) = self.subgraph.links.directive(&name).filter(|_| !self.whole) {
            return self.subgraph.spec_definitions.push((fed, definition));
        }
        if self.subgraph.directives.insert(name.clone(), definition).is_some() {
            self.refuse(
                format!("@{name}"),
                pos,
                "directive is defined twice",
                "remove one of the definitions",
            );
        }
    }

    fn read_type(&mut self, definition: Positioned<TypeDefinition>) {
        let pos = definition.node.name.pos;
        let written = definition.node.name.node.to_string();
        if !self.whole && self.subgraph.links.is_machinery(&written) {
            return;
        }
        let name = self.type_name(&written);
        if name == written
            && ROOT_TYPES.contains(&name.as_str())
            && self.renamed.values().any(|usual| *usual == name)
            && !self.renamed.contains_key(&name)
        {
            let diagnostic = Diagnostic::error(
                root_used(&name),
                &name,
                format!("{name} is a type here, but the schema definition names another type as that root"),
            );
            self.report.push(
                diagnostic
                    .at(&self.subgraph, pos)
                    .help("rename this type, or name it in the schema definition"),
            );
            return;
        }
        let extend = definition.node.extend;
        let part = self.type_def(name.clone(), definition);
        match self.subgraph.types.entry(name.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(part);
            }
            Entry::Occupied(_) if !extend => self.refuse(
                name,
                pos,
                "type is defined twice",
                "remove one of the definitions, or write `extend`",
            ),
            Entry::Occupied(mut entry) if entry.get().kind == part.kind => {
                let duplicates = fold(entry.get_mut(), part);
                for (coordinate, pos) in duplicates {
                    self.refuse(coordinate, pos, "is defined twice", "remove one of the definitions");
                }
            }
            Entry::Occupied(entry) => {
                let message =
                    format!("extends {} {name} as {}", entry.get().kind.as_str(), part.kind.as_str());
                self.refuse(name.clone(), pos, &message, "extend it as what it is");
            }
        }
    }

    fn type_def(&mut self, name: String, definition: Positioned<TypeDefinition>) -> TypeDef {
        let TypeDefinition { extend, description, directives, kind, name: written } = definition.node;
        let directives: Vec<_> = directives.iter().map(|directive| self.directive(directive)).collect();
        let mut ty = TypeDef {
            extension: extend || super::has(&directives, Fed::Extends),
            kind: kind_of(&kind),
            name,
            description: described(description),
            directives,
            implements: BTreeMap::new(),
            fields: BTreeMap::new(),
            members: BTreeMap::new(),
            values: BTreeMap::new(),
            pos: written.pos,
        };
        match kind {
            TypeKind::Scalar => {}
            TypeKind::Object(object) => {
                self.read_names(&ty.name, &mut ty.implements, object.implements);
                self.read_fields(&mut ty, object.fields);
            }
            TypeKind::Interface(interface) => {
                self.read_names(&ty.name, &mut ty.implements, interface.implements);
                self.read_fields(&mut ty, interface.fields);
            }
            TypeKind::Union(union) => self.read_names(&ty.name, &mut ty.members, union.members),
            TypeKind::Enum(definition) => self.read_values(&mut ty, definition.values),
            TypeKind::InputObject(input) => ty.fields = self.inputs(&ty.name, input.fields),
        }
        if ty.kind == Kind::Object && !self.whole {
            upgrade::fold_type_level_directives(&mut ty);
        }
        ty
    }

    fn read_names(&mut self, owner: &str, into: &mut BTreeMap<String, Pos>, names: Vec<Positioned<Name>>) {
        for name in names {
            if into.insert(self.type_name(&name.node), name.pos).is_some() {
                self.refuse(
                    owner.to_owned(),
                    name.pos,
                    &format!("names {} twice", name.node),
                    "name it once",
                );
            }
        }
    }

    fn read_fields(&mut self, ty: &mut TypeDef, fields: Vec<Positioned<FieldDefinition>>) {
        for definition in fields {
            let FieldDefinition { description, name, arguments, ty: field_type, directives } =
                definition.node;
            let is_machinery = ty.name == "Query" && ["_service", "_entities"].contains(&name.node.as_str());
            if is_machinery {
                continue;
            }
            let coordinate = format!("{}.{}", ty.name, name.node);
            let field = Field {
                name: name.node.to_string(),
                description: described(description),
                args: self.inputs(&coordinate, arguments),
                ty: self.rename(field_type.node),
                default: None,
                directives: directives.iter().map(|directive| self.directive(directive)).collect(),
                pos: name.pos,
            };
            if ty.fields.insert(field.name.clone(), field).is_some() {
                self.refuse(coordinate, name.pos, "field is defined twice", "remove one of the definitions");
            }
        }
    }

    fn read_values(
        &mut self,
        ty: &mut TypeDef,
        values: Vec<Positioned<async_graphql_parser::types::EnumValueDefinition>>,
    ) {
        for definition in values {
            let name = definition.node.value;
            let value = EnumValue {
                description: described(definition.node.description),
                directives: definition
                    .node
                    .directives
                    .iter()
                    .map(|directive| self.directive(directive))
                    .collect(),
                pos: name.pos,
            };
            if ty.values.insert(name.node.to_string(), value).is_some() {
                self.refuse(
                    format!("{}.{}", ty.name, name.node),
                    name.pos,
                    "value is defined twice",
                    "remove one of the definitions",
                );
            }
        }
    }

    fn inputs(
        &mut self,
        owner: &str,
        definitions: Vec<Positioned<InputValueDefinition>>,
    ) -> BTreeMap<String, Field> {
        let mut inputs = BTreeMap::new();
        for definition in definitions {
            let InputValueDefinition { description, name, ty, default_value, directives } = definition.node;
            let input = Field {
                name: name.node.to_string(),
                description: described(description),
                args: BTreeMap::new(),
                ty: self.rename(ty.node),
                default: default_value.map(|value| value.node),
                directives: directives.iter().map(|directive| self.directive(directive)).collect(),
                pos: name.pos,
            };
            if inputs.insert(input.name.clone(), input).is_some() {
                self.refuse(
                    owner.to_owned(),
                    name.pos,
                    &format!("{} is defined twice", name.node),
                    "remove one of the definitions",
                );
            }
        }
        inputs
    }

    fn directive(&self, directive: &Positioned<ConstDirective>) -> Directive {
        let name = directive.node.name.node.to_string();
        let args = &directive.node.arguments;
        Directive {
            fed: self.subgraph.links.directive(&name),
            name,
            args: args.iter().map(|(name, value)| (name.node.to_string(), value.node.clone())).collect(),
            pos: directive.pos,
        }
    }

    fn type_name(&self, name: &str) -> String {
        self.renamed.get(name).map_or_else(|| name.to_owned(), |usual| (*usual).to_owned())
    }

    fn rename(&self, ty: Type) -> Type {
        let base = match ty.base {
            BaseType::Named(name) => BaseType::Named(Name::new(self.type_name(&name))),
            BaseType::List(inner) => BaseType::List(Box::new(self.rename(*inner))),
        };
        Type { base, nullable: ty.nullable }
    }

    fn refuse(&mut self, coordinate: String, pos: Pos, message: &str, help: &str) {
        self.report.push(
            Diagnostic::error(Code::InvalidGraphql, coordinate, message).at(&self.subgraph, pos).help(help),
        );
    }
}

fn described(description: Option<Positioned<String>>) -> Option<String> {
    description.map(|text| unescaped(&text.node))
}

/// The parser leaves the backslash before quotes in block strings.
fn unescaped(description: &str) -> String {
    description.replace(r#"\""""#, r#"""""#)
}

/// Whether a directive goes by the name of `@cacheControl` and takes what that does not.
fn is_cache_control_of_its_own(subgraph: &Subgraph, definition: &DirectiveDefinition) -> bool {
    let Some(Fed::CacheControl) = subgraph.links.directive(&definition.name.node) else { return false };
    let known = Fed::CacheControl.definition().args;
    let is_known = |name: &str| known.iter().any(|argument| argument.name == name);
    definition.arguments.iter().any(|argument| !is_known(&argument.node.name.node))
}

/// Adds an extension to what it extends, and returns what both define.
fn fold(ty: &mut TypeDef, part: TypeDef) -> Vec<(String, Pos)> {
    let mut duplicates = Vec::new();
    for (name, field) in part.fields {
        if let Some(field) = ty.fields.insert(name.clone(), field) {
            duplicates.push((format!("{}.{name}", ty.name), field.pos));
        }
    }
    for (name, value) in part.values {
        if let Some(value) = ty.values.insert(name.clone(), value) {
            duplicates.push((format!("{}.{name}", ty.name), value.pos));
        }
    }
    ty.directives.extend(part.directives);
    ty.implements.extend(part.implements);
    ty.members.extend(part.members);
    ty.extension &= part.extension;
    duplicates
}

fn root_used(name: &str) -> Code {
    match name {
        "Mutation" => Code::RootMutationUsed,
        "Subscription" => Code::RootSubscriptionUsed,
        _ => Code::RootQueryUsed,
    }
}

fn kind_of(kind: &TypeKind) -> Kind {
    match kind {
        TypeKind::Scalar => Kind::Scalar,
        TypeKind::Object(_) => Kind::Object,
        TypeKind::Interface(_) => Kind::Interface,
        TypeKind::Union(_) => Kind::Union,
        TypeKind::Enum(_) => Kind::Enum,
        TypeKind::InputObject(_) => Kind::InputObject,
    }
}

/// The last line of the parser's message, which says what was expected.
pub(crate) fn syntax(error: &Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let last = last.trim().trim_start_matches("= ").replace('_', " ");
    format!("syntax error: {last}")
}
