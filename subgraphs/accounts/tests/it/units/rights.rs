//! Who sees and changes units.

use pulse_types::{Caller, Effect, Permission, Resource, ResourceKind, ResourceRights};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CREATE, DELETE, Inside, LIST, MOVE, RENAME, code};
use crate::harness::{show, without};

const ADD: &str = "mutation ($input: AddUnitMembersInput!) { addUnitMembers(input: $input) { addedIds } }";

/// The same caller with something said of units.
fn with(caller: &Caller, said: &[(Effect, Permission, &str)]) -> Caller {
    let right = |(effect, permission, unit): &(Effect, Permission, &str)| {
        let unit = Resource::new(ResourceKind::UNIT, unit.parse::<Uuid>().unwrap());
        (*effect, permission.clone(), unit)
    };
    let rights: ResourceRights = said.iter().map(right).collect();
    Caller { rights, ..caller.clone() }
}

/// All that can be done to a unit, or in it.
fn changes(inside: &Inside, unit: &str) -> Vec<(&'static str, Value)> {
    vec![
        (RENAME, json!({ "id": unit, "name": "other" })),
        (ADD, json!({ "id": unit, "userIds": [inside.owner.id.to_string()] })),
        (CREATE, json!({ "kind": "TEAM", "name": "new", "parentId": unit })),
        (DELETE, json!({ "id": unit, "recursive": true })),
    ]
}

#[tokio::test]
async fn viewers_and_members_see_units_and_admins_manage_them() {
    let inside = Inside::new().await;
    for (name, role, may) in [("Bea", "VIEWER", false), ("Cid", "MEMBER", false), ("Dan", "ADMIN", true)] {
        let person = inside.accounts.member(&inside.owner, name, role).await;
        assert_eq!(inside.names(&person.caller).await, "north east blue green south");
        for (query, input) in changes(&inside, &inside.south) {
            let answer = inside.accounts.run(&person.caller, query, json!({ "input": input })).await;
            assert_eq!(code(&answer), if may { "none" } else { "FORBIDDEN" }, "{role}: {answer}");
        }
    }
    let blind = without(&inside.owner.caller, &Permission::UNIT_READ);
    insta::assert_snapshot!(show(&inside.accounts.run(&blind, LIST, json!({})).await), @r#"{"errors":[{"message":"you need the permission unit:read in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["organization","units"]}],"data":{"organization":{"units":null}}}"#);
    let own = inside.ask(&blind, "{ me { name units { unit { name } } } }").await;
    assert_eq!((code(&own), &own["data"]["me"]["name"]), ("FORBIDDEN", &json!("Ada")));
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let inside = Inside::new().await;
    let eve = inside.accounts.register("Eve").await;
    let (_, eve) = inside.accounts.found(&eve, "elsewhere").await;
    let query = format!("{{ unit(id: \"{}\") {{ name }} }}", inside.north);
    assert_eq!(inside.ask(&eve.caller, &query).await, json!({ "data": { "unit": null } }));
    let of = json!({ "of": [{ "__typename": "Unit", "id": inside.north }] });
    let entities =
        "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Unit { name parent { name } } } }";
    let hidden = json!({ "data": { "_entities": [null] } });
    assert_eq!(inside.accounts.run(&eve.caller, entities, of.clone()).await, hidden);
    assert_eq!(inside.accounts.run(&inside.accounts.anonymous(), entities, of.clone()).await, hidden);
    let seen = inside.accounts.run(&inside.owner.caller, entities, of).await;
    assert_eq!(seen["data"]["_entities"][0]["name"], "north");
    for (query, input) in changes(&inside, &inside.south) {
        let answer = inside.accounts.run(&eve.caller, query, json!({ "input": input })).await;
        assert_eq!(code(&answer), "NOT_FOUND", "{answer}");
    }
    assert_eq!(inside.names(&eve.caller).await, "");
    assert_eq!(inside.names(&inside.owner.caller).await, "north east blue green south");
    // An organization of one's own in which one does not act.
    let (_, ada) = inside.accounts.found(&inside.owner, "second").await;
    let other = r#"{ organization(slug: "acme") { slug units { nodes { name } } } }"#;
    insta::assert_snapshot!(show(&inside.ask(&ada.caller, other).await), @r#"{"errors":[{"message":"you act in another organization: call `switchOrganization` to see what is inside this one","extensions":{"code":"FORBIDDEN"},"path":["organization","units"]}],"data":{"organization":{"slug":"acme","units":null}}}"#);
}

#[tokio::test]
async fn rights_on_one_unit_are_for_that_and_not_for_those_beside_it() {
    let inside = Inside::new().await;
    let bea = inside.accounts.member(&inside.owner, "Bea", "VIEWER").await;
    let all = [&inside.east, &inside.blue];
    let said: Vec<_> =
        all.iter().map(|unit| (Effect::Allow, Permission::UNIT_MANAGE, unit.as_str())).collect();
    let manager = with(&bea.caller, &said);
    let run = async |query: &str, input: Value| {
        inside.accounts.run(&manager, query, json!({ "input": input })).await
    };
    for unit in [&inside.north, &inside.green, &inside.south] {
        for (query, input) in changes(&inside, unit) {
            assert_eq!(code(&run(query, input.clone()).await), "FORBIDDEN", "{query} {input}");
        }
    }
    let refused = run(RENAME, json!({ "id": inside.green, "name": "x" })).await;
    insta::assert_snapshot!(show(&refused), @r#"{"errors":[{"message":"you need the permission unit:manage in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["updateUnit"]}],"data":null}"#);
    // Where it has rights on both, it moves; not out of what it manages, nor into anything else.
    assert_eq!(code(&run(MOVE, json!({ "id": inside.blue, "parentId": inside.south })).await), "FORBIDDEN");
    assert_eq!(code(&run(MOVE, json!({ "id": inside.blue })).await), "FORBIDDEN");
    assert_eq!(code(&run(MOVE, json!({ "id": inside.east, "parentId": inside.south })).await), "FORBIDDEN");
    assert_eq!(code(&run(CREATE, json!({ "kind": "TEAM", "name": "x" })).await), "FORBIDDEN");
    for (query, input) in changes(&inside, &inside.blue).into_iter().take(2) {
        assert_eq!(code(&run(query, input).await), "none", "{query}");
    }
    let made = run(CREATE, json!({ "kind": "ORGANIZATION", "name": "new", "parentId": inside.east })).await;
    let new = made["data"]["createUnit"]["unit"]["id"].as_str().unwrap().to_owned();
    // What is inside may be kept from it.
    let kept = [said, vec![(Effect::Deny, Permission::UNIT_MANAGE, new.as_str())]].concat();
    let manager = with(&bea.caller, &kept);
    let input = json!({ "input": { "id": inside.east, "recursive": true } });
    assert_eq!(code(&inside.accounts.run(&manager, DELETE, input).await), "FORBIDDEN");
    assert_eq!(inside.names(&inside.owner.caller).await, "north east new other green south");
}

#[tokio::test]
async fn whoever_may_see_one_unit_sees_that_alone() {
    let inside = Inside::new().await;
    let input = json!({ "id": inside.east, "userIds": [inside.owner.id.to_string()] });
    inside.run(ADD, input).await;
    let blind = without(&without(&inside.owner.caller, &Permission::UNIT_READ), &Permission::MEMBER_READ);
    let guest = Caller { subject: pulse_types::Subject::External, ..blind };
    let guest = with(&guest, &[(Effect::Allow, Permission::UNIT_READ, &inside.east)]);
    assert_eq!(code(&inside.ask(&guest, "{ organization { id } }").await), "none");
    let look = format!(
        r#"{{ unit(id: "{}") {{ name parent {{ name }} ancestors {{ name }} children {{ totalCount }} members {{ nodes {{ name }} }} }}
             other: unit(id: "{}") {{ name }} }}"#,
        inside.east, inside.north
    );
    insta::assert_snapshot!(show(&inside.ask(&guest, &look).await), @r#"{"errors":[{"message":"you need the permission member:read in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["unit","members"]}],"data":{"unit":{"name":"east","parent":null,"ancestors":[],"children":{"totalCount":0},"members":null},"other":null}}"#);
    let said =
        [Permission::UNIT_READ, Permission::MEMBER_READ].map(|p| (Effect::Allow, p, inside.east.as_str()));
    let seen = inside.ask(&with(&guest, &said), &look).await;
    assert_eq!(seen["data"]["unit"]["members"]["nodes"], json!([{ "name": "Ada" }]));
}

#[tokio::test]
async fn what_is_withheld_is_nowhere_to_be_seen() {
    let inside = Inside::new().await;
    let people = json!([inside.owner.id.to_string()]);
    for unit in [&inside.east, &inside.green] {
        inside.run(ADD, json!({ "id": unit, "userIds": people })).await;
    }
    let denied = with(
        &inside.owner.caller,
        &[
            (Effect::Deny, Permission::UNIT_READ, &inside.east),
            (Effect::Deny, Permission::UNIT_READ, &inside.blue),
        ],
    );
    assert_eq!(inside.names(&denied).await, "north green south");
    let look = format!(
        r#"{{ me {{ units {{ unit {{ name }} }} }} hidden: unit(id: "{}") {{ name }}
             unit(id: "{}") {{ children {{ totalCount nodes {{ name }} }} descendants {{ totalCount }} memberCount(withInner: true) }} }}"#,
        inside.blue, inside.north
    );
    insta::assert_snapshot!(show(&inside.ask(&denied, &look).await), @r#"{"data":{"me":{"units":[{"unit":{"name":"green"}}]},"hidden":null,"unit":{"children":{"totalCount":1,"nodes":[{"name":"green"}]},"descendants":{"totalCount":1},"memberCount":1}}}"#);
    let faceless = with(&inside.owner.caller, &[(Effect::Deny, Permission::MEMBER_READ, &inside.east)]);
    let count = format!(
        r#"{{ north: unit(id: "{}") {{ memberCount(withInner: true) }} east: unit(id: "{}") {{ memberCount }} }}"#,
        inside.north, inside.east
    );
    let text = show(&inside.ask(&faceless, &count).await).replace(&inside.east, "[east]");
    insta::assert_snapshot!(text, @r#"{"errors":[{"message":"you need the permission member:read on unit:[east]; ask an admin of the organization","extensions":{"code":"FORBIDDEN"},"path":["east","memberCount"]}],"data":{"north":{"memberCount":1},"east":{"memberCount":null}}}"#);
}

#[tokio::test]
async fn nobody_gets_anybody_by_a_unit_what_they_could_not_give() {
    const ASSIGN: &str =
        "mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }";
    const GRANT: &str =
        "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { grant { id } } }";
    const REMOVE: &str =
        "mutation ($input: RemoveUnitMembersInput!) { removeUnitMembers(input: $input) { removedIds } }";
    const INVITE: &str =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
    let inside = Inside::new().await;
    let cid = inside.accounts.member(&inside.owner, "Cid", "MEMBER").await;
    let (north, south) = (&*inside.north, &*inside.south);
    // Whoever belongs to north, or to something in it, is an admin; whoever belongs to south makes no roles.
    let given = json!({ "input": { "unitId": north, "template": "ADMIN" } });
    inside.accounts.data(&inside.owner.caller, ASSIGN, given).await;
    let withheld = json!({ "input": { "unitId": south, "effect": "DENY", "permission": "role:manage" } });
    inside.accounts.data(&inside.owner.caller, GRANT, withheld).await;
    let people = |unit: &str| json!({ "id": unit, "userIds": [cid.id.to_string()] });
    inside.accounts.data(&inside.owner.caller, ADD, json!({ "input": people(south) })).await;

    // Somebody who looks after units, and is asked to invite, but is no admin.
    let mut permissions: Vec<_> = cid.caller.permissions.iter().cloned().collect();
    permissions.extend([Permission::UNIT_MANAGE, Permission::MEMBER_MANAGE]);
    let manager = Caller { permissions: permissions.into_iter().collect(), ..cid.caller.clone() };
    let invitee = json!({ "email": "dan@example.com", "role": "VIEWER", "unitIds": [north] });
    let wide = [
        (ADD, people(north)),
        (ADD, people(&inside.east)),
        (REMOVE, people(south)),
        (MOVE, json!({ "id": south, "parentId": north })),
        (DELETE, json!({ "id": south })),
        (INVITE, invitee.clone()),
    ];
    for (query, input) in &wide {
        let answer = inside.accounts.run(&manager, query, json!({ "input": input })).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(code(&answer), "FORBIDDEN", "{answer}");
        assert!(message.starts_with("you may not give what you do not have: "), "{input}: {message}");
    }
    // Where nothing is given and nothing withheld, looking after units is enough.
    let create = json!({ "input": { "kind": "TEAM", "name": "plain" } });
    let made = inside.accounts.data(&manager, CREATE, create).await;
    let plain = made["createUnit"]["unit"]["id"].as_str().unwrap().to_owned();
    inside.accounts.data(&manager, ADD, json!({ "input": people(&plain) })).await;
    inside.accounts.data(&manager, REMOVE, json!({ "input": people(&plain) })).await;
    // An owner may give all of it.
    for (query, input) in wide {
        let answer = inside.accounts.run(&inside.owner.caller, query, json!({ "input": input })).await;
        assert_eq!(code(&answer), "none", "{input}: {answer}");
    }
}
