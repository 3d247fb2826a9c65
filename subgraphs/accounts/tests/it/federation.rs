use insta::assert_snapshot;
use pulse_types::{Caller, Permission};
use serde_json::{Value, json};

use crate::harness::{Accounts, Person, show, without};

const ENTITIES: &str = "query ($of: [_Any!]!) { _entities(representations: $of) {
    ... on User { name email } ... on Organization { slug viewerRole } } }";

fn users(people: &[&Person]) -> Value {
    let of: Vec<_> = people.iter().map(|p| json!({ "__typename": "User", "id": p.id.to_string() })).collect();
    json!({ "of": of })
}

#[test]
fn the_sdl_builds_without_a_database() {
    let sdl = pulse_accounts::schema().sdl_with_options(async_graphql::SDLExportOptions::new().federation());
    for entity in ["type User @key(fields: \"id\")", "type Organization @key(fields: \"id\")"] {
        assert!(sdl.contains(&format!("\"\"\"\n{entity}")), "{entity} and its description: {sdl}");
    }
}

#[tokio::test]
async fn users_of_the_same_tenant_are_found_in_one_statement_and_others_look_missing() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Ada").await;
    let (_, owner) = accounts.found(&owner, "acme").await;
    let viewer = accounts.member(&owner, "Bea", "VIEWER").await;
    let stranger = accounts.register("Eve").await;
    let of = users(&[&owner, &viewer, &stranger, &viewer]);
    // To whom addresses are shown is written down besides.
    let names = ENTITIES.replace("email", "");
    let before = accounts.store.statistics().statements();
    accounts.data(&viewer.caller, &names, of.clone()).await;
    assert_eq!(accounts.store.statistics().statements() - before, 1);
    let seen = accounts.run(&viewer.caller, ENTITIES, of.clone()).await;
    assert_snapshot!(show(&seen), @r#"{"data":{"_entities":[{"name":"Ada","email":"ada@example.com"},{"name":"Bea","email":"bea@example.com"},null,{"name":"Bea","email":"bea@example.com"}]}}"#);
    let blind = without(&viewer.caller, &Permission::MEMBER_READ);
    assert_snapshot!(show(&accounts.run(&blind, ENTITIES, of.clone()).await), @r#"{"data":{"_entities":[null,{"name":"Bea","email":"bea@example.com"},null,{"name":"Bea","email":"bea@example.com"}]}}"#);
    let nobody = json!({ "data": { "_entities": [null, null, null, null] } });
    assert_eq!(accounts.run(&accounts.anonymous(), ENTITIES, of).await, nobody);
}

#[tokio::test]
async fn who_is_in_two_tenants_sees_the_people_of_the_one_it_acts_in() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (first, ada) = accounts.found(&ada, "first").await;
    let one = accounts.member(&ada, "Bea", "MEMBER").await;
    let (second, in_second) = accounts.found(&ada, "second").await;
    let two = accounts.member(&in_second, "Cid", "MEMBER").await;
    let names = async |caller: &Caller| {
        let data = accounts.data(caller, ENTITIES, users(&[&ada, &one, &two])).await;
        let entities = data["_entities"].as_array().unwrap().clone();
        entities.iter().map(|user| user["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let known = |name: &str| Some(name.to_owned());
    assert_eq!(names(&accounts.switch(&ada, first).await.caller).await, [known("Ada"), known("Bea"), None]);
    assert_eq!(names(&accounts.switch(&ada, second).await.caller).await, [known("Ada"), None, known("Cid")]);
}

#[tokio::test]
async fn organizations_are_found_by_members_and_by_pulse_itself_in_its_tenant() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (first, ada) = accounts.found(&ada, "first").await;
    let (second, ada) = accounts.found(&ada, "second").await;
    let eve = accounts.register("Eve").await;
    let (third, _) = accounts.found(&eve, "third").await;
    let of: Vec<_> =
        [first, second, third].map(|id| json!({ "__typename": "Organization", "id": id.to_string() })).into();
    let of = json!({ "of": of });
    assert_snapshot!(show(&accounts.run(&ada.caller, ENTITIES, of.clone()).await), @r#"{"data":{"_entities":[{"slug":"first","viewerRole":"OWNER"},{"slug":"second","viewerRole":"OWNER"},null]}}"#);
    let system = Caller::system(first, ada.caller.request);
    assert_snapshot!(show(&accounts.run(&system, ENTITIES, of).await), @r#"{"data":{"_entities":[{"slug":"first","viewerRole":null},null,null]}}"#);
}
