//! Random queries over lists that are never longer than asked for: what they cost is never above the estimate.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use graphql_tools::static_graphql::query::{self, Definition, Selection, SelectionSet};
use pulse_gateway::engine::{CostRules, Engine, EngineConfig};
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value as Json, json};

use super::supergraphs::{context, supergraph};

const TYPES: &str = r#"
    directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
    directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
    type Query @join__type(graph: ACCOUNTS) @join__type(graph: PRODUCTS) @join__type(graph: REVIEWS) {
      users(first: Int!): [User!] @join__field(graph: ACCOUNTS) @listSize(slicingArguments: ["first"])
      topProducts(first: Int = 3): [Product!] @join__field(graph: PRODUCTS) @listSize(slicingArguments: ["first"])
    }
    type User @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: REVIEWS, key: "id") @cost(weight: 3) {
      id: ID!
      name: String @join__field(graph: ACCOUNTS) @cost(weight: 1)
      reviews(first: Int): [Review!] @join__field(graph: REVIEWS) @listSize(slicingArguments: ["first"])
    }
    type Product @join__type(graph: PRODUCTS, key: "upc") @join__type(graph: REVIEWS, key: "upc") {
      upc: String!
      name: String @join__field(graph: PRODUCTS)
      price: Int @join__field(graph: PRODUCTS) @cost(weight: 2)
      reviews(first: Int = 2): [Review!] @join__field(graph: REVIEWS) @listSize(slicingArguments: ["first"])
    }
    type Review @join__type(graph: REVIEWS) { id: ID! body: String author: User product: Product @cost(weight: 5) }
"#;

/// Answers whatever it is asked, with lists of any length up to the one that is asked for.
struct Generator(&'static str);

#[async_trait]
impl Subgraph for Generator {
    fn name(&self) -> &str {
        self.0
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let document = graphql_tools::parser::parse_query::<String>(&request.query).unwrap().into_static();
        let variables = serde_json::to_value(&request.variables).unwrap();
        let mut answer = Answering {
            document: &document,
            variables: &variables,
            random: StdRng::seed_from_u64(request.query_hash),
        };
        let set = document.definitions.iter().find_map(|definition| match definition {
            Definition::Operation(query::OperationDefinition::Query(it)) => Some(&it.selection_set),
            Definition::Operation(query::OperationDefinition::SelectionSet(set)) => Some(set),
            _ => None,
        });
        let data = answer.object(set.unwrap(), "Query");
        Ok(SubgraphResponse { data: Value::from(&data), ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("it has no news".to_owned()))
    }
}

struct Answering<'a> {
    document: &'a query::Document,
    variables: &'a Json,
    random: StdRng,
}

impl<'a> Answering<'a> {
    fn object(&mut self, set: &'a SelectionSet, ty: &str) -> Json {
        let mut object = json!({});
        self.fill(&mut object, set, ty);
        object
    }

    fn fill(&mut self, object: &mut Json, set: &'a SelectionSet, ty: &str) {
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).clone();
                    object[key] = self.field(field, ty);
                }
                Selection::InlineFragment(fragment) => match &fragment.type_condition {
                    Some(query::TypeCondition::On(name)) if name != ty => {}
                    _ => self.fill(object, &fragment.selection_set, ty),
                },
                Selection::FragmentSpread(spread) => {
                    let named = self.document.definitions.iter().find_map(|definition| match definition {
                        Definition::Fragment(it) if it.name == spread.fragment_name => Some(it),
                        _ => None,
                    });
                    let fragment = named.unwrap();
                    let query::TypeCondition::On(name) = &fragment.type_condition;
                    if name == ty {
                        self.fill(object, &fragment.selection_set, ty);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &'a query::Field, ty: &str) -> Json {
        let set = &field.selection_set;
        match field.name.as_str() {
            "__typename" => ty.into(),
            "users" => self.list(field, "User", 0),
            "topProducts" => self.list(field, "Product", 3),
            "reviews" => self.list(field, "Review", if ty == "Product" { 2 } else { 10 }),
            "author" if self.random.random_bool(0.2) => Json::Null,
            "author" => self.object(set, "User"),
            "product" => self.object(set, "Product"),
            "price" => self.random.random_range(0..100).into(),
            "_entities" => {
                let variable = match &field.arguments[0].1 {
                    query::Value::Variable(name) => name,
                    other => panic!("{other}"),
                };
                let asked = self.variables[variable].as_array().unwrap().clone();
                asked.iter().map(|it| self.object(set, it["__typename"].as_str().unwrap())).collect()
            }
            _ => format!("{}", self.random.random_range(0..20)).into(),
        }
    }

    fn list(&mut self, field: &'a query::Field, ty: &str, default: u64) -> Json {
        let given = field.arguments.iter().find(|(name, _)| name == "first").map(|(_, value)| value);
        let first = match given {
            Some(query::Value::Int(number)) => number.as_i64().unwrap().try_into().unwrap(),
            Some(query::Value::Variable(name)) => self.variables[name].as_u64().unwrap_or(default),
            _ => default,
        };
        let length = self.random.random_range(0..=first);
        (0..length).map(|_| self.object(&field.selection_set, ty)).collect()
    }
}

fn engine() -> Engine {
    let names = ["accounts", "products", "reviews"];
    let cost = CostRules { counted: true, ..CostRules::default() };
    let config = EngineConfig { cost, max_depth: 50, ..EngineConfig::default() };
    let subgraphs = names.map(|name| Arc::new(Generator(name)) as Arc<dyn Subgraph>);
    Engine::load(&supergraph(&names, TYPES), subgraphs.to_vec(), &config).unwrap()
}

/// A selection set on a type, at most so deep.
fn selection(random: &mut StdRng, ty: &str, depth: u32) -> String {
    let leaves: &[&str] = match ty {
        "User" => &["id", "name", "__typename"],
        "Product" => &["upc", "name", "price"],
        "Review" => &["id", "body"],
        _ => &["__typename"],
    };
    let inner: &[(&str, &str)] = match ty {
        "Query" => &[("users", "User"), ("topProducts", "Product")],
        "User" | "Product" => &[("reviews", "Review")],
        _ => &[("author", "User"), ("product", "Product")],
    };
    let mut fields = vec![leaves[random.random_range(0..leaves.len())].to_owned()];
    for (name, of) in inner.iter().filter(|_| depth > 0) {
        for alias in 0..random.random_range(0..=2) {
            let first = match random.random_range(0..3) {
                _ if *name == "author" || *name == "product" => String::new(),
                0 if *name != "users" => String::new(),
                1 => "(first: $n)".to_owned(),
                _ => format!("(first: {})", random.random_range(0..4)),
            };
            let when = ["", " @include(if: $yes)", " @skip(if: $yes)"][random.random_range(0..3)];
            let inside = selection(random, of, depth - 1);
            fields.push(format!("{name}{alias}: {name}{first}{when} {inside}"));
        }
    }
    format!("{{ {} }}", fields.join(" "))
}

#[tokio::test]
async fn actual_cost_is_never_above_the_estimate() {
    let engine = engine();
    let mut random = StdRng::seed_from_u64(7);
    let mut cost_something = 0;
    for _ in 0..200 {
        let selections = selection(&mut random, "Query", 4);
        let declared = [("$n", "$n: Int! = 2"), ("$yes", "$yes: Boolean! = true")];
        let used = declared.iter().filter(|(name, _)| selections.contains(name));
        let used: Vec<_> = used.map(|(_, declaration)| *declaration).collect();
        let head = if used.is_empty() { String::new() } else { format!("query ({})", used.join(", ")) };
        let document = format!("{head} {selections}");
        let given = json!({ "n": random.random_range(0..4), "yes": random.random_bool(0.5) });
        let variables = Some(Value::from(&given));
        let operation =
            engine.prepare(&document, None).await.unwrap_or_else(|errors| panic!("{errors:?}: {document}"));
        let estimate = engine.estimate(&operation, variables.as_ref()).unwrap();
        let result = engine.execute(&operation, variables, context()).await;
        let actual = result.cost.unwrap();
        assert!(actual <= estimate.cost, "{actual} > {}: {document} {given}", estimate.cost);
        cost_something += u32::from(!actual.is_zero());
    }
    assert!(cost_something > 50, "only {cost_something} of the queries cost anything");
}
