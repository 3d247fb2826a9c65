//! Plans that today's planner does not make, but that a plan may be: every node inside every other.
#![expect(clippy::needless_pass_by_value, reason = "plans read better without borrows in between")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::BoxStream;
use hive_router_query_planner::planner::plan_nodes::PlanNode;
use pulse_types::{Caller, RequestId};
use rustc_hash::FxHashMap;
use serde_json::{Value as Json, json};

use super::*;
use crate::engine::plan::PlanCompiler;
use crate::ports::{Subgraph, SubgraphFault, SubgraphRequest};
use crate::value::Text;

/// Answers each text with a fixed document, and each entity with its key and the fetch's name.
struct Scripted;

#[async_trait]
impl Subgraph for Scripted {
    fn name(&self) -> &'static str {
        "s"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Err(SubgraphFault::Malformed("it has no SDL".into()))
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        // Others get their turn first, so that answers come in another order than questions.
        tokio::task::yield_now().await;
        let data = match &*request.query {
            "root" => Value::from(
                &json!({ "a": [{ "__typename": "A", "id": 1, "b": { "__typename": "B", "id": 2 } }] }),
            ),
            name => {
                let asked = request.variables.get("representations").and_then(Value::as_list).cloned();
                let answer = |representation: Value| {
                    let key = Text::from(format!("{name}{}", representation.get("id").unwrap()));
                    Value::Object([(key, true.into())].into_iter().collect())
                };
                let entities = asked.unwrap_or_default().into_iter().map(answer).collect();
                Value::Object([("_entities".into(), Value::List(entities))].into_iter().collect())
            }
        };
        Ok(SubgraphResponse { data, ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("it does not stream".into()))
    }
}

fn fetch(name: &str) -> Json {
    let requires = json!([{ "kind": "Field", "name": "id", "selections": { "items": [] } }]);
    let requires = if name == "root" { Json::Null } else { json!({ "items": requires }) };
    let operation = json!({ "selection_set": { "items": [] } });
    let document = json!({ "operation": operation, "fragments": [] });
    json!({
        "kind": "Fetch", "id": 0, "serviceName": "s", "requires": requires,
        "operation": { "document": document, "document_str": name, "hash": 0, "name_write_position": 0 },
    })
}

fn flatten(path: Json, node: Json) -> Json {
    json!({ "kind": "Flatten", "path": path, "node": node })
}

async fn run(plan: Json, variables: Json) -> String {
    let node: PlanNode = serde_json::from_value(plan).unwrap();
    let subgraphs: FxHashMap<Arc<str>, Arc<dyn Subgraph>> =
        std::iter::once((Arc::from("s"), Arc::new(Scripted) as _)).collect();
    let conditions = TypeConditions::default();
    let compiler = PlanCompiler { subgraphs: &subgraphs, conditions: &conditions, policies: None };
    let node = compiler.node(&node, &Vec::new()).unwrap();
    let variables = Value::from(&variables);
    let context = ExecutionContext {
        caller: Arc::new(Caller::anonymous(RequestId::new(chrono::DateTime::UNIX_EPOCH))),
        headers: Arc::default(),
        deadline: Instant::now() + Duration::from_secs(10),
        uploads: None,
        include_plan: false,
        tell_cost: None,
        toll: None,
        tag_limit: None,
    };
    let masking = super::Masking::default();
    let run = Run {
        variables: variables.as_object().unwrap(),
        context: &context,
        conditions: &conditions,
        names_subgraphs: true,
        masking: &masking,
        reuse: None,
        state: Mutex::new(State::new(Object::new(), None)),
    };
    run.node(&node).await;
    let data = run.state.into_inner().unwrap().data;
    data.value(&graph::Item::Object(Graph::ROOT)).to_string()
}

#[tokio::test]
async fn nodes_inside_a_flatten_work_at_its_path() {
    let at_b = flatten(json!([{ "Field": "b" }]), fetch("y"));
    let parallel = json!({ "kind": "Parallel", "nodes": [fetch("x"), at_b] });
    let condition = |variable: &str| json!({ "kind": "Condition", "condition": variable, "ifClause": parallel, "elseClause": fetch("z") });
    let inside = json!({ "kind": "Sequence", "nodes": [condition("yes"), condition("no")] });
    let plan = json!({ "kind": "Sequence", "nodes": [fetch("root"), flatten(json!([{ "Field": "a" }, "@"]), inside)] });
    insta::assert_snapshot!(run(plan, json!({ "yes": true, "no": false })).await, @r#"{"a":[{"__typename":"A","id":1,"b":{"__typename":"B","id":2,"y2":true},"x1":true,"z1":true}]}"#);
}

#[tokio::test]
async fn sequences_run_beside_each_other_and_see_their_own_answers() {
    let at_b = |name: &str| flatten(json!([{ "Field": "a" }, "@", { "Field": "b" }]), fetch(name));
    let at_a = |name: &str| flatten(json!([{ "Field": "a" }, "@", { "TypeCondition": ["A"] }]), fetch(name));
    let at_no_a = flatten(json!([{ "Field": "a" }, "@", { "TypeCondition": ["C"] }]), fetch("no"));
    let first = json!({ "kind": "Sequence", "nodes": [at_a("p"), at_b("q"), at_no_a] });
    let second = json!({ "kind": "Sequence", "nodes": [at_b("r"), { "kind": "Parallel", "nodes": [at_a("s"), at_b("t")] }] });
    let both = json!({ "kind": "Parallel", "nodes": [first, second] });
    let plan = json!({ "kind": "Sequence", "nodes": [fetch("root"), both] });
    insta::assert_snapshot!(run(plan, json!({})).await, @r#"{"a":[{"__typename":"A","id":1,"b":{"__typename":"B","id":2,"r2":true,"q2":true,"t2":true},"p1":true,"s1":true}]}"#);
}

#[tokio::test]
async fn root_fetch_inside_a_flatten_merges_there() {
    let inside = flatten(json!([{ "Field": "a" }, "@", { "Field": "b" }]), fetch("root"));
    let plan = json!({ "kind": "Sequence", "nodes": [fetch("root"), inside] });
    insta::assert_snapshot!(run(plan, json!({})).await, @r#"{"a":[{"__typename":"A","id":1,"b":{"__typename":"B","id":2,"a":[{"__typename":"A","id":1,"b":{"__typename":"B","id":2}}]}}]}"#);
}
