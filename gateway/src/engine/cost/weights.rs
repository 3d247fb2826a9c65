//! What a supergraph says of costs: `@cost` and `@listSize`, as IBM's cost directive specification and Apollo's cost v0.1
//! have them, by whatever names the supergraph links them.

use graphql_tools::parser::schema as ast;
use graphql_tools::static_graphql::schema as sdl;
use rustc_hash::FxHashMap;

use super::Cost;
use crate::engine::LoadError;

/// The weights and sizes of a supergraph.
#[derive(Debug, Default)]
pub(in crate::engine) struct Weights {
    /// `@cost` of objects, scalars and enums.
    types: FxHashMap<String, Cost>,
    /// Of objects' and interfaces' fields, by the type's name.
    fields: FxHashMap<String, FxHashMap<String, FieldWeights>>,
    /// `@cost` of input objects' fields, by the type's name.
    inputs: FxHashMap<String, FxHashMap<String, Cost>>,
    /// Which interfaces a type implements.
    interfaces: FxHashMap<String, Vec<String>>,
}

/// What is said of a field.
#[derive(Debug, Default)]
pub(super) struct FieldWeights {
    pub(super) weight: Option<Cost>,
    pub(super) size: Option<ListSize>,
    pub(super) arguments: FxHashMap<String, Cost>,
}

impl FieldWeights {
    fn is_empty(&self) -> bool {
        self.weight.is_none() && self.size.is_none() && self.arguments.is_empty()
    }
}

/// `@listSize`.
#[derive(Debug, Clone)]
pub(super) struct ListSize {
    pub(super) assumed: Option<u64>,
    /// Paths of arguments: `["first"]`, or `["page", "first"]` inside an input object.
    pub(super) slicing: Vec<Vec<String>>,
    /// Paths of fields below this one whose lists have the size: `["edges"]`.
    pub(super) sized: Vec<Vec<String>>,
    /// Whether exactly one slicing argument must be given.
    pub(super) one: bool,
}

impl Weights {
    /// Reads the directives and takes them out of the document: the planner needs none of them, and knows fewer forms.
    pub(in crate::engine) fn take(document: &mut sdl::Document) -> Result<Self, LoadError> {
        let names = Names::linked(document);
        let mut weights = Self::default();
        for definition in &mut document.definitions {
            if let ast::Definition::TypeDefinition(definition) = definition {
                weights.type_definition(definition, &names)?;
            }
        }
        Ok(weights)
    }

    /// The `@cost` of a type.
    pub(super) fn of_type(&self, name: &str) -> Option<Cost> {
        self.types.get(name).copied()
    }

    /// Whether anything is said of a type itself or its fields.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.types.contains_key(name)
            || self.fields.contains_key(name)
            || self.interfaces.get(name).into_iter().flatten().any(|above| self.fields.contains_key(above))
    }

    /// What is said of a field, by its type or else by an interface of its type.
    pub(super) fn of_field(&self, parent: &str, field: &str) -> Option<&FieldWeights> {
        let own = |name: &str| self.fields.get(name)?.get(field);
        own(parent).or_else(|| self.interfaces.get(parent)?.iter().find_map(|interface| own(interface)))
    }

    /// The `@cost` of an input object's field.
    pub(super) fn of_input(&self, parent: &str, field: &str) -> Option<Cost> {
        self.inputs.get(parent)?.get(field).copied()
    }

    fn type_definition(
        &mut self,
        definition: &mut sdl::TypeDefinition,
        names: &Names,
    ) -> Result<(), LoadError> {
        match definition {
            ast::TypeDefinition::Scalar(ty) => self.weigh_type(&ty.name, &mut ty.directives, names),
            ast::TypeDefinition::Enum(ty) => self.weigh_type(&ty.name, &mut ty.directives, names),
            ast::TypeDefinition::Union(_) => Ok(()),
            ast::TypeDefinition::Object(ty) => {
                if !ty.implements_interfaces.is_empty() {
                    self.interfaces.insert(ty.name.clone(), ty.implements_interfaces.clone());
                }
                self.weigh_type(&ty.name, &mut ty.directives, names)?;
                self.weigh_fields(&ty.name, &mut ty.fields, names)
            }
            ast::TypeDefinition::Interface(ty) => self.weigh_fields(&ty.name, &mut ty.fields, names),
            ast::TypeDefinition::InputObject(ty) => {
                self.weigh_type(&ty.name, &mut ty.directives, names)?;
                for input in &mut ty.fields {
                    let at = || format!("{}.{}", ty.name, input.name);
                    if let Some(weight) = names.take_cost(&mut input.directives, at)? {
                        let inputs = self.inputs.entry(ty.name.clone()).or_default();
                        inputs.insert(input.name.clone(), weight);
                    }
                }
                Ok(())
            }
        }
    }

    fn weigh_type(
        &mut self,
        name: &str,
        directives: &mut Vec<sdl::Directive>,
        names: &Names,
    ) -> Result<(), LoadError> {
        if let Some(weight) = names.take_cost(directives, || name.to_owned())? {
            self.types.insert(name.to_owned(), weight);
        }
        Ok(())
    }

    fn weigh_fields(
        &mut self,
        parent: &str,
        fields: &mut [sdl::Field],
        names: &Names,
    ) -> Result<(), LoadError> {
        for field in fields {
            let name = &field.name;
            let at = || format!("{parent}.{name}");
            let mut weights = FieldWeights {
                weight: names.take_cost(&mut field.directives, at)?,
                size: names.take_size(&mut field.directives, at)?,
                arguments: FxHashMap::default(),
            };
            for argument in &mut field.arguments {
                let at = || format!("{parent}.{name}({}:)", argument.name);
                if let Some(weight) = names.take_cost(&mut argument.directives, at)? {
                    weights.arguments.insert(argument.name.clone(), weight);
                }
            }
            if !weights.is_empty() {
                self.fields.entry(parent.to_owned()).or_default().insert(name.clone(), weights);
            }
        }
        Ok(())
    }
}

/// What the supergraph calls the two directives.
struct Names {
    cost: Vec<String>,
    list_size: Vec<String>,
}

impl Names {
    /// By the schema's `@link`s; by their own names where nothing is linked.
    fn linked(document: &sdl::Document) -> Self {
        let mut names = Self { cost: Vec::new(), list_size: Vec::new() };
        for definition in &document.definitions {
            if let ast::Definition::SchemaDefinition(schema) = definition {
                let links = schema.directives.iter().filter(|directive| directive.name == "link");
                links.for_each(|link| names.link(link));
            }
        }
        if names.cost.is_empty() {
            names.cost.push("cost".to_owned());
        }
        if names.list_size.is_empty() {
            names.list_size.push("listSize".to_owned());
        }
        names
    }

    fn link(&mut self, link: &sdl::Directive) {
        let Some(url) = text(argument(link, "url")) else { return };
        let prefix = if url.contains("/cost/") || url.contains("cost-spec") || url.ends_with("/cost") {
            "cost"
        } else if url.contains("specs.apollo.dev/federation/") {
            "federation"
        } else {
            return;
        };
        let prefix = text(argument(link, "as")).unwrap_or(prefix);
        let imported = |name: &str| match argument(link, "import") {
            Some(ast::Value::List(imports)) => imports.iter().find_map(|import| import_as(import, name)),
            _ => None,
        };
        // A feature's directive of the feature's own name needs no prefix.
        let is_cost = !url.contains("specs.apollo.dev/federation/");
        let cost = if is_cost { prefix.to_owned() } else { format!("{prefix}__cost") };
        self.cost.push(imported("@cost").unwrap_or(cost));
        self.list_size.push(imported("@listSize").unwrap_or_else(|| format!("{prefix}__listSize")));
    }

    fn take_cost(
        &self,
        directives: &mut Vec<sdl::Directive>,
        at: impl Fn() -> String,
    ) -> Result<Option<Cost>, LoadError> {
        let Some(cost) = take(directives, &self.cost) else { return Ok(None) };
        let weight = argument(&cost, "weight");
        let parsed = match weight {
            Some(ast::Value::Int(number)) => {
                number.as_i64().and_then(|number| u64::try_from(number).ok()).map(Cost::new)
            }
            Some(ast::Value::String(text)) => Cost::parse(text),
            Some(ast::Value::Float(number)) => Cost::parse(&number.to_string()),
            _ => None,
        };
        parsed.map(Some).ok_or_else(|| LoadError::Cost {
            at: at(),
            what: "`@cost` needs a `weight` that is a number and not negative".to_owned(),
        })
    }

    fn take_size(
        &self,
        directives: &mut Vec<sdl::Directive>,
        at: impl Fn() -> String,
    ) -> Result<Option<ListSize>, LoadError> {
        let Some(size) = take(directives, &self.list_size) else { return Ok(None) };
        let wrong = |what: &str| LoadError::Cost { at: at(), what: what.to_owned() };
        let assumed = match argument(&size, "assumedSize") {
            None | Some(ast::Value::Null) => None,
            Some(ast::Value::Int(number)) => {
                let number = number.as_i64().and_then(|number| u64::try_from(number).ok());
                Some(number.ok_or_else(|| wrong("`assumedSize` of `@listSize` must not be negative"))?)
            }
            Some(_) => return Err(wrong("`assumedSize` of `@listSize` must be a whole number")),
        };
        let paths = |name: &str| {
            match argument(&size, name) {
                None | Some(ast::Value::Null) => Ok(Vec::new()),
                Some(ast::Value::List(items)) => {
                    items.iter().map(|item| text(Some(item)).map(path).ok_or(())).collect()
                }
                Some(ast::Value::String(text)) => Ok(vec![path(text)]),
                Some(_) => Err(()),
            }
            .map_err(|()| wrong(&format!("`{name}` of `@listSize` must be a list of names")))
        };
        Ok(Some(ListSize {
            assumed,
            slicing: paths("slicingArguments")?,
            sized: paths("sizedFields")?,
            one: argument(&size, "requireOneSlicingArgument") != Some(&ast::Value::Boolean(false)),
        }))
    }
}

/// Takes the first directive out that has one of these names, and drops further ones.
fn take(directives: &mut Vec<sdl::Directive>, names: &[String]) -> Option<sdl::Directive> {
    let is_meant = |directive: &sdl::Directive| names.contains(&directive.name);
    if !directives.iter().any(is_meant) {
        return None;
    }
    let (meant, others) = std::mem::take(directives).into_iter().partition(is_meant);
    *directives = others;
    let meant: Vec<sdl::Directive> = meant;
    meant.into_iter().next()
}

/// `page.first`, `page { first }` and `first` alike.
fn path(text: &str) -> Vec<String> {
    let names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    names.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

fn argument<'d>(directive: &'d sdl::Directive, name: &str) -> Option<&'d sdl::Value> {
    directive.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn text(value: Option<&sdl::Value>) -> Option<&str> {
    match value {
        Some(ast::Value::String(text)) => Some(text),
        _ => None,
    }
}

/// What an import calls a directive: `"@cost"` or `{name: "@cost", as: "@price"}`.
fn import_as(import: &sdl::Value, name: &str) -> Option<String> {
    let bare = |text: &str| text.trim_start_matches('@').to_owned();
    match import {
        ast::Value::String(text) if text == name => Some(bare(text)),
        ast::Value::Object(fields) => {
            let field = |wanted: &str| {
                fields.iter().find(|(field, _)| field == wanted).and_then(|(_, value)| text(Some(value)))
            };
            (field("name") == Some(name)).then(|| bare(field("as").unwrap_or(name)))
        }
        _ => None,
    }
}
