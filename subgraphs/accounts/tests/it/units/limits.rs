//! What a tree of units cannot be.

use serde_json::json;

use super::{CREATE, Inside, MOVE, RENAME, code, make};
use crate::harness::show;

#[tokio::test]
async fn names_and_places_have_rules() {
    let inside = Inside::new().await;
    let create = async |name: &str, parent: &str| {
        inside.run(CREATE, json!({ "kind": "TEAM", "name": name, "parentId": parent })).await
    };
    insta::assert_snapshot!(show(&create("x", &inside.blue).await), @r#"{"errors":[{"message":"nothing can be inside a team: choose a sub-organization, or leave `parentId` out","extensions":{"code":"BAD_USER_INPUT","field":"input.parentId"},"path":["createUnit"]}],"data":null}"#);
    insta::assert_snapshot!(show(&create("green", &inside.north).await), @r#"{"errors":[{"message":"there is one called \"green\" in the same place already: choose another name","extensions":{"code":"CONFLICT","field":"input.name"},"path":["createUnit"]}],"data":null}"#);
    let nowhere = inside.owner.id.to_string();
    let text = show(&create("x", &nowhere).await).replace(&nowhere, "[id]");
    insta::assert_snapshot!(text, @r#"{"errors":[{"message":"there is no sub-organization with the id [id] to put it into","extensions":{"code":"NOT_FOUND","field":"input.parentId"},"path":["createUnit"]}],"data":null}"#);
    assert_eq!(code(&create("", &inside.north).await), "BAD_USER_INPUT");
    assert_eq!(code(&create("a\nb", &inside.north).await), "BAD_USER_INPUT");
    // Elsewhere the name is free, until both are in one place.
    assert_eq!(code(&create("green", &inside.east).await), "none");
    let taken = inside.run(RENAME, json!({ "id": inside.north, "name": "south" })).await;
    assert_eq!(code(&taken), "CONFLICT");
    let taken = inside.run(MOVE, json!({ "id": inside.green, "parentId": inside.east })).await;
    insta::assert_snapshot!(show(&taken), @r#"{"errors":[{"message":"there is one called \"green\" in the same place already: choose another name","extensions":{"code":"CONFLICT","field":"input.name"},"path":["moveUnit"]}],"data":null}"#);
    for (unit, into) in [(&inside.north, &inside.north), (&inside.north, &inside.east)] {
        let moved = inside.run(MOVE, json!({ "id": unit, "parentId": into })).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(show(&moved), @r#"{"errors":[{"message":"a sub-organization cannot be moved into itself or into what is inside it","extensions":{"code":"BAD_USER_INPUT","field":"input.parentId"},"path":["moveUnit"]}],"data":null}"#);
        }
    }
    assert_eq!(inside.names(&inside.owner.caller).await, "north east blue green green south");
}

#[tokio::test]
async fn there_are_eight_levels_and_no_more() {
    let inside = Inside::new().await;
    let mut last = inside.south.clone();
    for n in 2..=8 {
        let caller = &inside.owner.caller;
        last = make(&inside.accounts, caller, ("ORGANIZATION", &format!("level {n}")), Some(&last)).await;
    }
    let ninth = inside.run(CREATE, json!({ "kind": "TEAM", "name": "level 9", "parentId": last })).await;
    insta::assert_snapshot!(show(&ninth), @r#"{"errors":[{"message":"at most 8 levels of sub-organizations and teams: choose a place further up","extensions":{"code":"BAD_USER_INPUT","field":"input.parentId"},"path":["createUnit"]}],"data":null}"#);
    // It counts what is inside, too.
    let query = format!("{{ unit(id: \"{last}\") {{ parent {{ id }} }} }}");
    let above = inside.ask(&inside.owner.caller, &query).await["data"]["unit"]["parent"]["id"].clone();
    let moved = inside.run(MOVE, json!({ "id": inside.east, "parentId": above })).await;
    assert_eq!(moved["errors"][0]["message"], ninth["errors"][0]["message"]);
    assert_eq!(code(&inside.run(MOVE, json!({ "id": inside.blue, "parentId": above })).await), "none");
}

#[tokio::test]
async fn there_are_a_thousand_units_and_no_more() {
    let inside = Inside::new().await;
    let mut connection = inside.accounts.database.connect().await.unwrap();
    let fill = "INSERT INTO accounts.units (org_id, id, kind, name, created_at, updated_at)
                SELECT $1, gen_random_uuid(), 'team', 'filling ' || n, now(), now() FROM generate_series(1, 994) AS n";
    let org = inside.owner.caller.org.unwrap();
    sqlx::query(fill).bind(org).execute(&mut connection).await.unwrap();
    let create = async |name: &str| inside.run(CREATE, json!({ "kind": "TEAM", "name": name })).await;
    let (one, two) = tokio::join!(create("one"), create("two"));
    let refused = if code(&one) == "none" { &two } else { &one };
    insta::assert_snapshot!(show(refused), @r#"{"errors":[{"message":"an organization has at most 1000 sub-organizations and teams: delete some first","extensions":{"code":"CONFLICT"},"path":["createUnit"]}],"data":null}"#);
    assert_eq!(inside.accounts.count("SELECT count(*) FROM accounts.units").await, 1_000);
}
