//! Who belongs to units.

use std::sync::Arc;

use async_graphql::Request;
use serde_json::{Value, json};

use super::{Inside, code};
use crate::harness::{ADD_MEMBER, Person, add, show};

const ADD: &str = "mutation ($input: AddUnitMembersInput!) {
    addUnitMembers(input: $input) { addedIds unit { memberCount } } }";
const REMOVE: &str = "mutation ($input: RemoveUnitMembersInput!) {
    removeUnitMembers(input: $input) { removedIds unit { memberCount } } }";
const LEAVE: &str = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";
const MEMBERS: &str =
    "query ($id: ID!, $with: Boolean, $first: Int, $after: String, $last: Int) { unit(id: $id) {
    memberCount(withInner: $with)
    members(withInner: $with, first: $first, after: $after, last: $last) {
        totalCount edges { addedAt node { name } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";

fn ids(people: &[&Person]) -> Value {
    people.iter().map(|person| json!(person.id.to_string())).collect()
}

impl Inside {
    async fn add(&self, unit: &str, people: &[&Person]) -> Value {
        self.accounts.pass(1);
        self.run(ADD, json!({ "id": unit, "userIds": ids(people) })).await
    }

    async fn remove(&self, unit: &str, people: &[&Person]) -> Value {
        self.run(REMOVE, json!({ "id": unit, "userIds": ids(people) })).await
    }

    /// The names of a page of members, and how many there are.
    async fn members(&self, variables: Value) -> (String, i64, Value) {
        let data = self.accounts.data(&self.owner.caller, MEMBERS, variables).await;
        let members = &data["unit"]["members"];
        assert_eq!(members["totalCount"], data["unit"]["memberCount"]);
        let edges = members["edges"].as_array().unwrap().iter();
        let names: Vec<_> = edges.map(|edge| edge["node"]["name"].as_str().unwrap()).collect();
        (names.join(" "), members["totalCount"].as_i64().unwrap(), members["pageInfo"].clone())
    }
}

#[tokio::test]
async fn members_are_added_and_removed_several_at_once() {
    let inside = Inside::new().await;
    let bea = inside.accounts.member(&inside.owner, "Bea", "VIEWER").await;
    let cid = inside.accounts.member(&inside.owner, "Cid", "MEMBER").await;
    insta::assert_snapshot!(show(&inside.add(&inside.blue, &[&cid, &bea, &cid]).await), @r#"{"data":{"addUnitMembers":{"addedIds":["[id]","[id]"],"unit":{"memberCount":2}}}}"#);
    // Whoever belongs to it stays as they are.
    let again = inside.add(&inside.blue, &[&inside.owner, &cid]).await;
    assert_eq!(again["data"]["addUnitMembers"]["addedIds"], ids(&[&inside.owner]));
    let nothing = inside.add(&inside.blue, &[&bea]).await;
    assert_eq!(nothing["data"]["addUnitMembers"]["addedIds"], json!([]));
    let removed = inside.remove(&inside.blue, &[&bea, &cid]).await;
    insta::assert_snapshot!(show(&removed), @r#"{"data":{"removeUnitMembers":{"removedIds":["[id]","[id]"],"unit":{"memberCount":1}}}}"#);
    let removed = inside.remove(&inside.blue, &[&bea]).await;
    assert_eq!(removed["data"]["removeUnitMembers"]["removedIds"], json!([]));
    inside.add(&inside.blue, &[&bea]).await;
    let accounts = &inside.accounts;
    let told =
        "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.unit_member' AND attributes ? 'unit'
                   AND attributes->>'user' = key::text
                   AND (kind, version) IN (('created', 1), ('deleted', 2), ('created', 3))";
    assert_eq!(accounts.count(told).await, 6);
    let kept = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.unit_member' AND version = 1 AND value ? 'unit'";
    assert_eq!(accounts.count(kept).await, 2);
    let facts =
        "SELECT count(*) FROM platform.audit WHERE action IN ('unit:add_member', 'unit:remove_member')
                    AND subject = 'accounts.unit_member' AND key IS NOT NULL";
    assert_eq!(accounts.count(facts).await, 6);
}

#[tokio::test]
async fn members_are_listed_in_the_order_of_being_added() {
    let inside = Inside::new().await;
    let mut people = Vec::new();
    for name in ["Bea", "Cid", "Dan", "Eve"] {
        people.push(inside.accounts.member(&inside.owner, name, "VIEWER").await);
    }
    let [bea, cid, dan, eve] = &people[..] else { unreachable!("four people") };
    inside.add(&inside.blue, &[dan]).await;
    inside.add(&inside.blue, &[bea]).await;
    inside.add(&inside.green, &[dan, eve]).await;
    inside.add(&inside.north, &[cid]).await;
    inside.add(&inside.south, &[&inside.owner]).await;
    let page = |with: bool, first: i64, after: &Value| json!({ "id": inside.north, "with": with, "first": first, "after": after });
    assert_eq!(inside.members(page(false, 9, &Value::Null)).await.0, "Cid");
    let (names, count, info) = inside.members(page(true, 2, &Value::Null)).await;
    assert_eq!((names.as_str(), count), ("Dan Bea", 4));
    let (names, _, info) = inside.members(page(true, 2, &info["endCursor"])).await;
    assert_eq!((names.as_str(), &info["hasNextPage"]), ("Eve Cid", &json!(false)));
    let last = inside.members(json!({ "id": inside.north, "with": true, "last": 3 })).await;
    assert_eq!((last.0.as_str(), &last.2["hasPreviousPage"]), ("Bea Eve Cid", &json!(true)));
    let (names, _, info) = inside.members(json!({ "id": inside.blue, "first": 1 })).await;
    assert_eq!(names, "Dan");
    let next = inside.members(json!({ "id": inside.blue, "first": 1, "after": info["endCursor"] })).await;
    assert_eq!(next.0, "Bea");
    let own = "{ me { units { addedAt unit { name } } teams: units(kind: TEAM) { unit { name } } } }";
    let own = inside.ask(&dan.caller, own).await;
    insta::assert_snapshot!(show(&own), @r#"{"data":{"me":{"units":[{"addedAt":"2027-01-15T08:00:06+00:00","unit":{"name":"blue"}},{"addedAt":"2027-01-15T08:00:08+00:00","unit":{"name":"green"}}],"teams":[{"unit":{"name":"blue"}},{"unit":{"name":"green"}}]}}}"#);
}

#[tokio::test]
async fn only_members_of_the_organization_are_added_and_a_hundred_at_once() {
    let inside = Inside::new().await;
    let stranger = inside.accounts.register("Eve").await;
    let refused = inside.add(&inside.blue, &[&inside.owner, &stranger]).await;
    let text = show(&refused).replace(&stranger.id.to_string(), "[stranger]");
    insta::assert_snapshot!(text, @r#"{"errors":[{"message":"the person [stranger] is no member of the organization: add them to it first","extensions":{"code":"NOT_FOUND","field":"input.userIds"},"path":["addUnitMembers"]}],"data":null}"#);
    let many: Vec<_> = vec![&inside.owner; 101];
    insta::assert_snapshot!(show(&inside.add(&inside.blue, &many).await), @r#"{"errors":[{"message":"name 1 to 100 people at once, not 101","extensions":{"code":"BAD_USER_INPUT","field":"input.userIds"},"path":["addUnitMembers"]}],"data":null}"#);
    assert_eq!(code(&inside.remove(&inside.blue, &[]).await), "BAD_USER_INPUT");
    assert_eq!(code(&inside.add(&inside.owner.id.to_string(), &[&inside.owner]).await), "NOT_FOUND");
    assert_eq!(inside.accounts.count("SELECT count(*) FROM accounts.unit_members").await, 0);
}

#[tokio::test]
async fn a_person_belongs_to_a_hundred_units_at_most() {
    let inside = Inside::new().await;
    let mut connection = inside.accounts.database.connect().await.unwrap();
    let fill = "WITH made AS (
                    INSERT INTO accounts.units (org_id, id, kind, name, created_at, updated_at)
                    SELECT $1, gen_random_uuid(), 'team', 'filling ' || n, now(), now() FROM generate_series(1, 99) AS n
                    RETURNING id)
                INSERT INTO accounts.unit_members (org_id, unit, user_id, added_at, version)
                SELECT $1, id, $2, now(), 2 * row_number() OVER () - 1 FROM made";
    let org = inside.owner.caller.org.unwrap();
    sqlx::query(fill).bind(org).bind(inside.owner.id).execute(&mut connection).await.unwrap();
    let owner = [&inside.owner];
    let (one, two) = tokio::join!(inside.add(&inside.blue, &owner), inside.add(&inside.green, &owner));
    let refused = if code(&one) == "none" { &two } else { &one };
    let text = show(refused).replace(&inside.owner.id.to_string(), "[owner]");
    insta::assert_snapshot!(text, @r#"{"errors":[{"message":"the person [owner] would belong to more than 100 sub-organizations and teams: remove them from some first","extensions":{"code":"CONFLICT","field":"input.userIds"},"path":["addUnitMembers"]}],"data":null}"#);
    assert_eq!(inside.accounts.count("SELECT count(*) FROM accounts.unit_members").await, 100);
}

#[tokio::test]
async fn whoever_leaves_the_organization_leaves_its_units() {
    let inside = Inside::new().await;
    let bea = inside.accounts.member(&inside.owner, "Bea", "VIEWER").await;
    inside.add(&inside.blue, &[&bea]).await;
    inside.add(&inside.north, &[&bea]).await;
    inside.accounts.data(&bea.caller, LEAVE, json!({ "id": bea.id.to_string() })).await;
    let accounts = &inside.accounts;
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.unit_members").await, 0);
    let told = "SELECT count(DISTINCT attributes->>'unit') FROM platform.outbox
                 WHERE subject = 'accounts.unit_member' AND kind = 'deleted' AND version IN (2, 4)";
    assert_eq!(accounts.count(told).await, 2);
    // Who comes back belongs to none, and goes on behind what was.
    accounts.data(&inside.owner.caller, ADD_MEMBER, add("Bea", "VIEWER")).await;
    assert_eq!(inside.members(json!({ "id": inside.north, "with": true })).await.1, 0);
    inside.add(&inside.blue, &[&bea]).await;
    let version = "SELECT max(version) FROM accounts.unit_members";
    assert_eq!(accounts.count(version).await, 5);
}

#[tokio::test]
async fn somebody_is_added_and_leaves_at_once() {
    let inside = Inside::new().await;
    let bea = inside.accounts.member(&inside.owner, "Bea", "VIEWER").await;
    let leave = inside.accounts.run(&bea.caller, LEAVE, json!({ "id": bea.id.to_string() }));
    let people = [&bea];
    let (added, left) = tokio::join!(inside.add(&inside.blue, &people), leave);
    assert_eq!(left.get("errors"), None);
    assert!(["none", "NOT_FOUND"].contains(&code(&added)), "{added}");
    assert_eq!(inside.accounts.count("SELECT count(*) FROM accounts.unit_members").await, 0);
}

#[tokio::test]
async fn what_is_read_says_whose_belonging_it_is_made_of() {
    let inside = Inside::new().await;
    let owner = inside.owner.id.to_string();
    inside.add(&inside.blue, &[&inside.owner]).await;
    let query = format!(
        r#"{{ me {{ units {{ unit {{ name }} }} }} unit(id: "{}") {{ members(withInner: true) {{ nodes {{ name }} }} }} }}"#,
        inside.east
    );
    let mut request = Request::new(query);
    let wanted = async_graphql::Value::from_json(json!({ "tags": true })).unwrap();
    request.extensions.insert("pulse".to_owned(), wanted);
    let caller = Arc::new(inside.owner.caller.clone());
    let response = inside.accounts.subgraph.api.execute(caller, request).await;
    let response = serde_json::to_value(response).unwrap();
    let tags: Vec<_> =
        response["extensions"]["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    for tag in [
        "accounts.unit".to_owned(),
        format!("accounts.unit_member?unit={}", inside.east),
        format!("accounts.unit_member?unit={}", inside.blue),
        format!("accounts.unit_member?user={owner}"),
        format!("accounts.user:{owner}"),
    ] {
        assert!(tags.contains(&tag.as_str()), "{tag} is not in {tags:?}");
    }
    let other = format!("accounts.unit_member?unit={}", inside.green);
    assert!(!tags.contains(&other.as_str()), "{tags:?}");
}
