//! Sub-organizations and teams.

mod limits;
mod members;
mod rights;

use pulse_types::Caller;
use serde_json::{Value, json};

use crate::harness::{Accounts, Person, show};

const CREATE: &str =
    "mutation ($input: CreateUnitInput!) { createUnit(input: $input) { unit { id name version } } }";
const RENAME: &str =
    "mutation ($input: UpdateUnitInput!) { updateUnit(input: $input) { unit { name version } } }";
const MOVE: &str = "mutation ($input: MoveUnitInput!) {
    moveUnit(input: $input) { unit { version parent { name } ancestors { name } } } }";
const DELETE: &str =
    "mutation ($input: DeleteUnitInput!) { deleteUnit(input: $input) { deletedIds endedMemberships } }";
const LIST: &str =
    "query ($filter: UnitFilter, $first: Int, $after: String, $last: Int, $before: String) { organization {
    units(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";

/// An owner who acts in an organization of its own.
async fn owner(accounts: &Accounts) -> Person {
    let owner = accounts.register("Ada").await;
    accounts.found(&owner, "acme").await.1
}

/// Makes a unit; its id.
async fn make(
    accounts: &Accounts,
    caller: &Caller,
    (kind, name): (&str, &str),
    parent: Option<&str>,
) -> String {
    let input = json!({ "kind": kind, "name": name, "parentId": parent });
    let data = accounts.data(caller, CREATE, json!({ "input": input })).await;
    data["createUnit"]["unit"]["id"].as_str().unwrap().to_owned()
}

/// north (east (a team: blue), green), south
struct Inside {
    accounts: Accounts,
    owner: Person,
    north: String,
    east: String,
    blue: String,
    green: String,
    south: String,
}

impl Inside {
    async fn new() -> Self {
        let accounts = Accounts::new().await;
        let owner = owner(&accounts).await;
        let north = make(&accounts, &owner.caller, ("ORGANIZATION", "north"), None).await;
        let south = make(&accounts, &owner.caller, ("ORGANIZATION", "south"), None).await;
        let green = make(&accounts, &owner.caller, ("TEAM", "green"), Some(&north)).await;
        let east = make(&accounts, &owner.caller, ("ORGANIZATION", "east"), Some(&north)).await;
        let blue = make(&accounts, &owner.caller, ("TEAM", "blue"), Some(&east)).await;
        Self { accounts, owner, north, east, blue, green, south }
    }

    async fn run(&self, query: &str, input: Value) -> Value {
        self.accounts.run(&self.owner.caller, query, json!({ "input": input })).await
    }

    async fn ask(&self, caller: &Caller, query: &str) -> Value {
        self.accounts.run(caller, query, json!({})).await
    }

    /// The names of all units that the caller sees, in order.
    async fn names(&self, caller: &Caller) -> String {
        let data = self.accounts.data(caller, LIST, json!({ "first": 100 })).await;
        names(&data["organization"]["units"]["nodes"])
    }
}

fn names(nodes: &Value) -> String {
    let names: Vec<_> = nodes.as_array().unwrap().iter().map(|unit| unit["name"].as_str().unwrap()).collect();
    names.join(" ")
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn units_are_a_tree() {
    let inside = Inside::new().await;
    let query = format!(
        r#"{{ unit(id: "{}") {{ kind name parent {{ name }} ancestors {{ name }} version
             children {{ totalCount nodes {{ name kind }} }} teams: children(kind: TEAM) {{ nodes {{ name }} }}
             descendants {{ totalCount nodes {{ name ancestors {{ name }} }} }}
             below: descendants(levels: 1) {{ nodes {{ name parent {{ name }} }} }} }} }}"#,
        inside.north
    );
    insta::assert_snapshot!(show(&inside.ask(&inside.owner.caller, &query).await), @r#"{"data":{"unit":{"kind":"ORGANIZATION","name":"north","parent":null,"ancestors":[],"version":1,"children":{"totalCount":2,"nodes":[{"name":"east","kind":"ORGANIZATION"},{"name":"green","kind":"TEAM"}]},"teams":{"nodes":[{"name":"green"}]},"descendants":{"totalCount":3,"nodes":[{"name":"east","ancestors":[{"name":"north"}]},{"name":"blue","ancestors":[{"name":"north"},{"name":"east"}]},{"name":"green","ancestors":[{"name":"north"}]}]},"below":{"nodes":[{"name":"east","parent":{"name":"north"}},{"name":"green","parent":{"name":"north"}}]}}}}"#);
    assert_eq!(inside.names(&inside.owner.caller).await, "north east blue green south");
    let list = async |variables: Value| {
        let data = inside.accounts.data(&inside.owner.caller, LIST, variables).await;
        data["organization"]["units"].clone()
    };
    let first = list(json!({ "first": 2 })).await;
    assert_eq!((names(&first["nodes"]), first["totalCount"].as_i64()), ("north east".to_owned(), Some(5)));
    let next = list(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(names(&next["nodes"]), "blue green");
    assert_eq!(next["pageInfo"]["hasNextPage"], true);
    let before = list(json!({ "last": 1, "before": next["pageInfo"]["startCursor"] })).await;
    assert_eq!(names(&before["nodes"]), "east");
    assert_eq!(before["pageInfo"]["hasPreviousPage"], true);
    let teams = list(json!({ "filter": { "kind": "TEAM" } })).await;
    assert_eq!(names(&teams["nodes"]), "blue green");
    let top = list(json!({ "filter": { "topLevel": true } })).await;
    assert_eq!(names(&top["nodes"]), "north south");
    let directly = list(json!({ "filter": { "parentId": inside.north } })).await;
    assert_eq!(names(&directly["nodes"]), "east green");
}

#[tokio::test]
async fn wrong_arguments_of_lists_are_refused() {
    let inside = Inside::new().await;
    let both = json!({ "filter": { "parentId": inside.north, "topLevel": true } });
    let caller = &inside.owner.caller;
    insta::assert_snapshot!(show(&inside.accounts.run(caller, LIST, both).await), @r#"{"errors":[{"message":"give `parentId` or `topLevel`, not both","extensions":{"code":"BAD_USER_INPUT","field":"filter.topLevel"},"path":["organization","units"]}],"data":{"organization":{"units":null}}}"#);
    let deep = format!("{{ unit(id: \"{}\") {{ descendants(levels: 9) {{ totalCount }} }} }}", inside.north);
    insta::assert_snapshot!(show(&inside.ask(caller, &deep).await), @r#"{"errors":[{"message":"`levels` is 9, allowed is 1 to 8","extensions":{"code":"BAD_USER_INPUT","field":"levels"},"path":["unit","descendants"]}],"data":{"unit":{"descendants":null}}}"#);
    let many = format!("{{ unit(id: \"{}\") {{ children(first: 101) {{ totalCount }} }} }}", inside.north);
    assert_eq!(code(&inside.ask(caller, &many).await), "BAD_USER_INPUT");
}

#[tokio::test]
async fn reading_units_takes_as_many_statements_for_many_as_for_few() {
    // What one read of units asks, and of how many kinds its statements are. What several fields ask for comes in one turn, or
    // in two, as it happens.
    const READS: [(&str, u64); 5] = [
        // The organization, and its units.
        (
            "totalCount nodes { name parent { name } ancestors { name } children { totalCount nodes { name } } }",
            2,
        ),
        ("nodes { memberCount }", 3),
        // The page, and its people.
        ("nodes { members(first: 5) { nodes { name } } }", 4),
        ("nodes { members(withInner: true) { nodes { name } } }", 4),
        // And to what these belong.
        ("nodes { members(first: 5) { nodes { units { unit { name } } } } }", 6),
    ];
    let inside = Inside::new().await;
    let caller = &inside.owner.caller;
    let belong = "mutation ($input: AddUnitMembersInput!) { addUnitMembers(input: $input) { addedIds } }";
    let people = json!([inside.owner.id.to_string()]);
    inside.run(belong, json!({ "id": inside.blue, "userIds": people })).await;
    let count = async || {
        for (asked, kinds) in READS {
            let query = format!("{{ organization {{ units(first: 100) {{ {asked} }} }} }}");
            let before = inside.accounts.store.statistics().statements();
            inside.accounts.data(caller, &query, json!({})).await;
            let statements = inside.accounts.store.statistics().statements() - before;
            assert!((2..=2 * kinds).contains(&statements), "{asked}: {statements}");
        }
    };
    count().await;
    let mut people = vec![inside.owner.id.to_string()];
    for name in ["Bea", "Cid", "Dan"] {
        people.push(inside.accounts.member(&inside.owner, name, "VIEWER").await.id.to_string());
    }
    for name in ["a", "b", "c", "d", "e"] {
        let unit = make(&inside.accounts, caller, ("TEAM", name), Some(&inside.south)).await;
        inside.run(belong, json!({ "id": unit, "userIds": people })).await;
    }
    count().await;
}

#[tokio::test]
async fn a_unit_is_renamed_and_moved_with_what_is_inside_it() {
    let inside = Inside::new().await;
    let renamed =
        inside.run(RENAME, json!({ "id": inside.east, "name": " west ", "expectedVersion": 1 })).await;
    insta::assert_snapshot!(show(&renamed), @r#"{"data":{"updateUnit":{"unit":{"name":"west","version":2}}}}"#);
    let same = inside.run(RENAME, json!({ "id": inside.east, "name": "west" })).await;
    assert_eq!(same["data"]["updateUnit"]["unit"]["version"], 2);
    let stale = inside.run(RENAME, json!({ "id": inside.east, "name": "x", "expectedVersion": 1 })).await;
    insta::assert_snapshot!(show(&stale), @r#"{"errors":[{"message":"this is version 2 by now, not 1: read it again and repeat your change","extensions":{"code":"CONFLICT","field":"input.expectedVersion"},"path":["updateUnit"]}],"data":null}"#);
    let moved =
        inside.run(MOVE, json!({ "id": inside.east, "parentId": inside.south, "expectedVersion": 2 })).await;
    insta::assert_snapshot!(show(&moved), @r#"{"data":{"moveUnit":{"unit":{"version":3,"parent":{"name":"south"},"ancestors":[{"name":"south"}]}}}}"#);
    assert_eq!(inside.names(&inside.owner.caller).await, "north green south west blue");
    let moved = inside.run(MOVE, json!({ "id": inside.east, "parentId": null })).await;
    assert_eq!(moved["data"]["moveUnit"]["unit"]["ancestors"], json!([]));
    assert_eq!(inside.names(&inside.owner.caller).await, "north green south west blue");
    let accounts = &inside.accounts;
    let kept = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.unit'
                   AND (version, value->>'name') IN ((1, 'east'), (2, 'west'), (3, 'west'))";
    assert_eq!(accounts.count(kept).await, 3);
    let told = "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.unit' AND kind = 'updated'
                   AND (changed::text LIKE '%name%' AND before IS NULL
                     OR changed::text LIKE '%parent%' AND before ? 'parent' AND attributes->>'kind' = 'organization')";
    assert_eq!(accounts.count(told).await, 3);
    let facts = "SELECT count(*) FROM platform.audit WHERE action IN ('unit:update', 'unit:move')";
    assert_eq!(accounts.count(facts).await, 3);
}

#[tokio::test]
async fn two_moves_at_once_make_no_circle() {
    let inside = Inside::new().await;
    let into = async |id: &str, parent: &str| inside.run(MOVE, json!({ "id": id, "parentId": parent })).await;
    let (one, two) = tokio::join!(into(&inside.north, &inside.south), into(&inside.south, &inside.north));
    let refused = if code(&one) == "none" { &two } else { &one };
    assert_ne!(one.get("errors").is_some(), two.get("errors").is_some(), "{one} {two}");
    insta::assert_snapshot!(show(refused), @r#"{"errors":[{"message":"a sub-organization cannot be moved into itself or into what is inside it","extensions":{"code":"BAD_USER_INPUT","field":"input.parentId"},"path":["moveUnit"]}],"data":null}"#);
    let roots = "SELECT count(*) FROM accounts.units WHERE parent IS NULL";
    assert_eq!(inside.accounts.count(roots).await, 1);
    assert_eq!(inside.names(&inside.owner.caller).await.split(' ').count(), 5);
}

#[tokio::test]
async fn a_unit_with_something_inside_is_deleted_when_that_is_said() {
    let inside = Inside::new().await;
    let people = json!([inside.owner.id.to_string()]);
    let belong = "mutation ($input: AddUnitMembersInput!) { addUnitMembers(input: $input) { addedIds } }";
    for unit in [&inside.blue, &inside.north] {
        inside.run(belong, json!({ "id": unit, "userIds": people })).await;
    }
    insta::assert_snapshot!(show(&inside.run(DELETE, json!({ "id": inside.north })).await), @r#"{"errors":[{"message":"1 sub-organizations, 2 teams and 2 memberships would go with it: move what is to stay, or give `recursive: true`","extensions":{"code":"CONFLICT","field":"input.recursive"},"path":["deleteUnit"]}],"data":null}"#);
    let stale =
        inside.run(DELETE, json!({ "id": inside.north, "recursive": true, "expectedVersion": 2 })).await;
    assert_eq!(code(&stale), "CONFLICT");
    let deleted =
        inside.run(DELETE, json!({ "id": inside.north, "recursive": true, "expectedVersion": 1 })).await;
    let expected = json!([inside.north, inside.east, inside.blue, inside.green]);
    assert_eq!(deleted["data"]["deleteUnit"], json!({ "deletedIds": expected, "endedMemberships": 2 }));
    assert_eq!(inside.names(&inside.owner.caller).await, "south");
    assert_eq!(code(&inside.run(DELETE, json!({ "id": inside.north })).await), "NOT_FOUND");
    assert_eq!(inside.run(DELETE, json!({ "id": inside.south })).await.get("errors"), None);
    let told =
        "SELECT count(*) FROM platform.outbox WHERE subject LIKE 'accounts.unit%' AND kind = 'deleted'";
    assert_eq!(inside.accounts.count(told).await, 7);
    let kept = "SELECT count(*) FROM accounts.history WHERE subject LIKE 'accounts.unit%'";
    assert_eq!(inside.accounts.count(kept).await, 7);
    let facts = "SELECT sum(items)::bigint FROM platform.audit WHERE action = 'unit:delete'";
    assert_eq!(inside.accounts.count(facts).await, 5);
}

#[tokio::test]
async fn making_a_unit_twice_under_one_key_makes_one() {
    let inside = Inside::new().await;
    let input = json!({ "kind": "TEAM", "name": "red", "parentId": inside.south, "idempotencyKey": "k" });
    let (one, two) = tokio::join!(inside.run(CREATE, input.clone()), inside.run(CREATE, input));
    assert_eq!(one["data"], two["data"]);
    assert_eq!(inside.names(&inside.owner.caller).await, "north east blue green south red");
    let other = inside.run(CREATE, json!({ "kind": "TEAM", "name": "other", "idempotencyKey": "k" })).await;
    assert_eq!(code(&other), "CONFLICT");
}
