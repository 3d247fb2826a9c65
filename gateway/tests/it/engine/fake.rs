//! Subgraphs that answer from a JSON document. They read the request as a server would: fields, aliases, fragments and
//! `_entities`, so that a wrong request gets a wrong answer.
//!
//! In the document, `{"$error": TEXT}` in place of a value is `null` with an error, `{"$from": FIELD}` is what the
//! entity's representation, or an argument of a field around it, said.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use graphql_tools::static_graphql::query::{self, Definition, OperationDefinition, Selection, SelectionSet};
use pulse_gateway::ports::{Subgraph, SubgraphError, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;
use serde_json::{Map, Value as Json, json};

/// What a subgraph knows: `{"Query": {…}, "Mutation": {…}, "TYPE": [entities]}`.
pub(super) struct Fake {
    name: &'static str,
    data: Json,
    fault: Option<SubgraphFault>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(super) fn new(name: &'static str, data: Json, log: &Arc<Mutex<Vec<String>>>) -> Self {
        Self { name, data, fault: None, log: Arc::clone(log) }
    }

    pub(super) fn broken(mut self, fault: SubgraphFault) -> Self {
        self.fault = Some(fault);
        self
    }

    fn answer(&self, request: &SubgraphRequest) -> SubgraphResponse {
        let document = graphql_tools::parser::parse_query::<String>(&request.query).unwrap().into_static();
        // Numbers that JSON's usual types do not hold are not looked at here.
        let variables = serde_json::to_value(&request.variables).unwrap_or_default();
        let mut reader =
            Reader { fake: self, document: &document, variables: &variables, errors: Vec::new() };
        let (root, set) = reader.operation();
        let data = reader.object(&self.data[root], set, &Json::Null, &mut Vec::new());
        SubgraphResponse { data: Value::from(&data), errors: reader.errors, ..SubgraphResponse::default() }
    }
}

#[async_trait]
impl Subgraph for Fake {
    fn name(&self) -> &str {
        self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Err(SubgraphFault::Malformed("a fake has no SDL".into()))
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        self.log.lock().unwrap().push(format!(
            "{} {} {}",
            self.name,
            request.query.trim(),
            request.variables
        ));
        match &self.fault {
            // Silence until the deadline.
            Some(SubgraphFault::TimedOut(_)) => futures::future::pending().await,
            Some(fault) => Err(fault.clone()),
            None => Ok(self.answer(&request)),
        }
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let events = self.data["events"].as_array().unwrap().clone();
        let answers: Vec<_> = events
            .into_iter()
            .map(|event| {
                let fake = Self::new(self.name, json!({ "Subscription": event }), &self.log);
                Ok(fake.answer(&request))
            })
            .collect();
        Ok(futures::stream::iter(answers).boxed())
    }
}

struct Reader<'a> {
    fake: &'a Fake,
    document: &'a query::Document,
    variables: &'a Json,
    errors: Vec<SubgraphError>,
}

impl<'a> Reader<'a> {
    fn operation(&self) -> (&'static str, &'a SelectionSet) {
        let operation = self.document.definitions.iter().find_map(|definition| match definition {
            Definition::Operation(operation) => Some(operation),
            Definition::Fragment(_) => None,
        });
        match operation.unwrap() {
            OperationDefinition::SelectionSet(set) => ("Query", set),
            OperationDefinition::Query(it) => ("Query", &it.selection_set),
            OperationDefinition::Mutation(it) => ("Mutation", &it.selection_set),
            OperationDefinition::Subscription(it) => ("Subscription", &it.selection_set),
        }
    }

    fn object(&mut self, data: &Json, set: &SelectionSet, entity: &Json, path: &mut Vec<Value>) -> Json {
        let mut into = Map::new();
        self.select(data, set, (entity, path), &mut into);
        Json::Object(into)
    }

    fn select(
        &mut self,
        data: &Json,
        set: &SelectionSet,
        (entity, path): (&Json, &mut Vec<Value>),
        into: &mut Map<String, Json>,
    ) {
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    if !self.skipped(&field.directives) {
                        path.push(key.as_str().into());
                        let value = self.field(data, field, entity, path);
                        path.pop();
                        merge(into.entry(key.clone()).or_insert(Json::Null), value);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.type_condition.as_ref().map(|query::TypeCondition::On(name)| name);
                    if !self.skipped(&fragment.directives) && self.is(data, condition) {
                        self.select(data, &fragment.selection_set, (entity, &mut *path), into);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.definitions.iter().find_map(|definition| match definition {
                        Definition::Fragment(fragment) if fragment.name == spread.fragment_name => {
                            Some(fragment)
                        }
                        _ => None,
                    });
                    let fragment = fragment.unwrap();
                    let query::TypeCondition::On(condition) = &fragment.type_condition;
                    if self.is(data, Some(condition)) {
                        self.select(data, &fragment.selection_set, (entity, &mut *path), into);
                    }
                }
            }
        }
    }

    fn field(&mut self, data: &Json, field: &query::Field, entity: &Json, path: &mut Vec<Value>) -> Json {
        if field.name == "_entities" {
            let representations = self.argument(field, "representations");
            let found =
                representations.as_array().unwrap().iter().enumerate().map(|(index, representation)| {
                    path.push(index.into());
                    let value = self.entity(representation, &field.selection_set, path);
                    path.pop();
                    value
                });
            return Json::Array(found.collect());
        }
        let value = data.get(&field.name).cloned().unwrap_or_default();
        let arguments: Map<_, _> =
            field.arguments.iter().map(|(name, value)| (name.clone(), self.json(value))).collect();
        let arguments = Json::Object(arguments);
        self.complete(&value, field, if field.arguments.is_empty() { entity } else { &arguments }, path)
    }

    fn entity(&mut self, representation: &Json, set: &SelectionSet, path: &mut Vec<Value>) -> Json {
        let kind = representation["__typename"].as_str().unwrap();
        let known = self.fake.data[kind].as_array().cloned().unwrap_or_default();
        let matches = |entity: &&Json| {
            let mut fields =
                representation.as_object().unwrap().iter().filter(|(key, _)| *key != "__typename");
            fields.all(|(key, value)| entity.get(key).is_none_or(|known| known == value))
        };
        let Some(entity) = known.iter().find(matches) else { return Json::Null };
        if entity.get("$error").is_some() {
            return self.failed(entity, path);
        }
        let mut entity = entity.clone();
        entity.as_object_mut().unwrap().entry("__typename").or_insert_with(|| kind.into());
        self.object(&entity, set, representation, path)
    }

    fn complete(&mut self, value: &Json, field: &query::Field, entity: &Json, path: &mut Vec<Value>) -> Json {
        match value {
            Json::Object(object) if object.contains_key("$error") => self.failed(value, path),
            Json::Object(object) if object.contains_key("$from") => {
                entity.get(object["$from"].as_str().unwrap()).cloned().unwrap_or("nothing".into())
            }
            Json::Object(_) if !field.selection_set.items.is_empty() => {
                self.object(value, &field.selection_set, entity, path)
            }
            Json::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    path.push(index.into());
                    let value = self.complete(item, field, entity, path);
                    path.pop();
                    value
                });
                Json::Array(items.collect())
            }
            other => other.clone(),
        }
    }

    fn failed(&mut self, marker: &Json, path: &[Value]) -> Json {
        let extensions = marker.get("extensions").map_or(Value::Null, Value::from);
        let message = marker["$error"].as_str().unwrap().to_owned();
        self.errors.push(SubgraphError { message, path: Value::List(path.to_vec()), extensions });
        Json::Null
    }

    /// Interfaces that a fake's objects implement are listed in its data: `{"$types": {"Dog": ["Animal"]}}`.
    fn is(&self, data: &Json, condition: Option<&String>) -> bool {
        let (Some(name), Some(condition)) = (data["__typename"].as_str(), condition) else { return true };
        let above = &self.fake.data["$types"][name];
        name == condition || above.as_array().is_some_and(|above| above.contains(&json!(condition)))
    }

    fn skipped(&self, directives: &[query::Directive]) -> bool {
        directives.iter().any(|directive| {
            let value = self.json(&directive.arguments[0].1);
            (directive.name == "skip") == value.as_bool().unwrap()
        })
    }

    fn argument(&self, field: &query::Field, name: &str) -> Json {
        let argument = field.arguments.iter().find(|(argument, _)| argument == name);
        argument.map_or(Json::Null, |(_, value)| self.json(value))
    }

    fn json(&self, value: &query::Value) -> Json {
        match value {
            query::Value::Variable(name) => self.variables[name].clone(),
            query::Value::Int(number) => number.as_i64().into(),
            query::Value::Float(number) => (*number).into(),
            query::Value::String(text) | query::Value::Enum(text) => text.clone().into(),
            query::Value::Boolean(value) => (*value).into(),
            query::Value::Null => Json::Null,
            query::Value::List(items) => items.iter().map(|item| self.json(item)).collect(),
            query::Value::Object(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), self.json(value)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

/// A field that is selected twice answers with what both selected.
fn merge(target: &mut Json, source: Json) {
    match (target, source) {
        (Json::Object(target), Json::Object(source)) => {
            source.into_iter().for_each(|(key, value)| merge(target.entry(key).or_insert(Json::Null), value));
        }
        (Json::Array(target), Json::Array(source)) => {
            target.iter_mut().zip(source).for_each(|(target, source)| merge(target, source));
        }
        (target, source) => *target = source,
    }
}
