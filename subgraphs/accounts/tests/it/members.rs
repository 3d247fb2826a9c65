use insta::assert_snapshot;
use pulse_types::Permission;
use serde_json::{Value, json};

use crate::harness::{ADD_MEMBER, Accounts, Person, add, show, without};

const MEMBERS: &str = "query ($first: Int, $after: String, $role: Role) { organization {
    members(first: $first, after: $after, role: $role) {
        totalCount edges { role joinedAt node { name email } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";
const CHANGE: &str = "mutation ($input: ChangeMemberRoleInput!) {
    changeMemberRole(input: $input) { membership { role user { name } } } }";
const REMOVE: &str = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";

/// An owner who acts in an organization of its own.
async fn owner(accounts: &Accounts) -> Person {
    let owner = accounts.register("Ada").await;
    accounts.found(&owner, "acme").await.1
}

async fn change(accounts: &Accounts, by: &Person, of: &Person, role: &str) -> Value {
    accounts.run(&by.caller, CHANGE, json!({ "input": { "userId": of.id.to_string(), "role": role } })).await
}

async fn remove(accounts: &Accounts, by: &Person, of: &Person) -> Value {
    accounts.run(&by.caller, REMOVE, json!({ "id": of.id.to_string() })).await
}

async fn owners(accounts: &Accounts) -> i64 {
    accounts.count("SELECT count(*) FROM accounts.memberships WHERE role = 'owner'").await
}

#[tokio::test]
async fn members_are_listed_in_the_order_of_joining() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    for (name, role) in [("Zoe", "ADMIN"), ("Bea", "MEMBER"), ("Cid", "VIEWER")] {
        accounts.member(&owner, name, role).await;
    }
    let first = accounts.run(&owner.caller, MEMBERS, json!({ "first": 2 })).await;
    let after = first["data"]["organization"]["members"]["pageInfo"]["endCursor"].clone();
    assert_snapshot!(show(&first), @r#"{"data":{"organization":{"members":{"totalCount":4,"edges":[{"role":"OWNER","joinedAt":"2027-01-15T08:00:01+00:00","node":{"name":"Ada","email":"ada@example.com"}},{"role":"ADMIN","joinedAt":"2027-01-15T08:00:02+00:00","node":{"name":"Zoe","email":"zoe@example.com"}}],"pageInfo":{"hasNextPage":true,"hasPreviousPage":false,"endCursor":"[cursor]"}}}}}"#);
    let next = accounts.data(&owner.caller, MEMBERS, json!({ "first": 2, "after": after })).await;
    let names = |data: &Value| -> Vec<String> {
        let edges = data["organization"]["members"]["edges"].as_array().unwrap();
        edges.iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&next), ["Bea", "Cid"]);
    let members = accounts.data(&owner.caller, MEMBERS, json!({ "role": "MEMBER" })).await;
    assert_eq!(
        (names(&members), members["organization"]["members"]["totalCount"].as_i64()),
        (vec!["Bea".to_owned()], Some(1))
    );
    let last =
        "{ organization { members(last: 3) { nodes { name } pageInfo { hasNextPage hasPreviousPage } } } }";
    assert_snapshot!(show(&accounts.run(&owner.caller, last, json!({})).await), @r#"{"data":{"organization":{"members":{"nodes":[{"name":"Zoe"},{"name":"Bea"},{"name":"Cid"}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true}}}}}"#);
    assert_snapshot!(show(&accounts.run(&owner.caller, MEMBERS, json!({ "first": 0 })).await), @r#"{"errors":[{"message":"`first` is 0, allowed is 1 to 100","extensions":{"code":"BAD_USER_INPUT","field":"first"},"path":["organization","members"]}],"data":{"organization":{"members":null}}}"#);
}

#[tokio::test]
async fn listing_members_takes_as_many_statements_for_many_as_for_few() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let statements = async || {
        let before = accounts.store.statistics().statements();
        accounts.data(&owner.caller, MEMBERS, json!({ "first": 100 })).await;
        accounts.store.statistics().statements() - before
    };
    let few = statements().await;
    for name in ["Bea", "Cid", "Dan", "Eve", "Fay"] {
        accounts.member(&owner, name, "MEMBER").await;
    }
    // The organization, a page of memberships, their people, and the total.
    assert_eq!((few, statements().await), (4, 4));
}

#[tokio::test]
async fn members_need_the_permission_and_the_organization() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let blind = without(&owner.caller, &Permission::MEMBER_READ);
    assert_snapshot!(show(&accounts.run(&blind, MEMBERS, json!({})).await), @r#"{"errors":[{"message":"you need the permission member:read in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["organization","members"]}],"data":{"organization":{"members":null}}}"#);
    let (_, elsewhere) = accounts.found(&owner, "elsewhere").await;
    let other = r#"{ organization(slug: "acme") { slug members { nodes { name } } } }"#;
    assert_snapshot!(show(&accounts.run(&elsewhere.caller, other, json!({})).await), @r#"{"errors":[{"message":"you act in another organization: call `switchOrganization` to see this one's members","extensions":{"code":"FORBIDDEN"},"path":["organization","members"]}],"data":{"organization":{"slug":"acme","members":null}}}"#);
}

#[tokio::test]
async fn a_registered_person_becomes_a_member_once() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    accounts.register("Bea").await;
    assert_snapshot!(show(&accounts.run(&owner.caller, ADD_MEMBER, add("Bea", "MEMBER")).await), @r#"{"data":{"addMember":{"membership":{"role":"MEMBER","joinedAt":"2027-01-15T08:00:02+00:00","user":{"name":"Bea","email":"bea@example.com"}}}}}"#);
    assert_snapshot!(show(&accounts.run(&owner.caller, ADD_MEMBER, add("Bea", "ADMIN")).await), @r#"{"errors":[{"message":"this person is a member already: change the role instead","extensions":{"code":"CONFLICT","field":"input.email"},"path":["addMember"]}],"data":null}"#);
    assert_snapshot!(show(&accounts.run(&owner.caller, ADD_MEMBER, add("Nobody", "MEMBER")).await), @r#"{"errors":[{"message":"nobody has registered with this email address: ask the person to register first","extensions":{"code":"NOT_FOUND","field":"input.email"},"path":["addMember"]}],"data":null}"#);
    assert_snapshot!(show(&accounts.run(&owner.caller, ADD_MEMBER, add("not an address", "MEMBER")).await), @r#"{"errors":[{"message":"this is not an email address: expected something like name@example.com","extensions":{"code":"BAD_USER_INPUT","field":"input.email"},"path":["addMember"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships WHERE role = 'member'").await, 1);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships").await, 2);
    let event = "SELECT count(*) FROM platform.outbox o JOIN accounts.memberships m ON m.user_id = o.key AND m.org_id = o.tenant
                  WHERE subject = 'accounts.membership' AND kind = 'created' AND attributes = '{\"role\": \"member\"}'";
    assert_eq!(accounts.count(event).await, 1);
}

#[tokio::test]
async fn members_and_viewers_manage_nobody() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let member = accounts.member(&owner, "Bea", "MEMBER").await;
    let viewer = accounts.member(&owner, "Cid", "VIEWER").await;
    accounts.register("Dan").await;
    for caller in [&member, &viewer] {
        let forbidden = accounts.run(&caller.caller, ADD_MEMBER, add("Dan", "VIEWER")).await;
        assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(
            change(&accounts, caller, &owner, "VIEWER").await["errors"][0]["extensions"]["code"],
            "FORBIDDEN"
        );
        assert_eq!(remove(&accounts, caller, &owner).await["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships").await, 3);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.history").await, 0);
}

#[tokio::test]
async fn owners_are_made_and_unmade_by_owners_alone() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let admin = accounts.member(&owner, "Bea", "ADMIN").await;
    let member = accounts.member(&owner, "Cid", "MEMBER").await;
    accounts.register("Dan").await;
    let add_owner = accounts.run(&admin.caller, ADD_MEMBER, add("Dan", "OWNER")).await;
    assert_snapshot!(show(&add_owner), @r#"{"errors":[{"message":"you need the permission organization:manage in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["addMember"]}],"data":null}"#);
    for refused in [
        change(&accounts, &admin, &member, "OWNER").await,
        change(&accounts, &admin, &admin, "OWNER").await,
        change(&accounts, &admin, &owner, "MEMBER").await,
        remove(&accounts, &admin, &owner).await,
    ] {
        assert_eq!(refused["errors"][0]["message"], add_owner["errors"][0]["message"]);
    }
    assert_eq!(owners(&accounts).await, 1);
    assert_snapshot!(show(&change(&accounts, &admin, &member, "ADMIN").await), @r#"{"data":{"changeMemberRole":{"membership":{"role":"ADMIN","user":{"name":"Cid"}}}}}"#);
    assert_snapshot!(show(&change(&accounts, &owner, &member, "OWNER").await), @r#"{"data":{"changeMemberRole":{"membership":{"role":"OWNER","user":{"name":"Cid"}}}}}"#);
    assert_snapshot!(show(&change(&accounts, &owner, &member, "VIEWER").await), @r#"{"data":{"changeMemberRole":{"membership":{"role":"VIEWER","user":{"name":"Cid"}}}}}"#);
    let kept = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.membership'
                   AND (version, value->>'role') IN ((1, 'member'), (2, 'admin'), (3, 'owner'))";
    assert_eq!(accounts.count(kept).await, 3);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    assert_snapshot!(show(&change(&accounts, &owner, &owner, "ADMIN").await), @r#"{"errors":[{"message":"an organization keeps at least one owner: make another member an owner first","extensions":{"code":"CONFLICT","field":"input.userId"},"path":["changeMemberRole"]}],"data":null}"#);
    assert_snapshot!(show(&remove(&accounts, &owner, &owner).await), @r#"{"errors":[{"message":"an organization keeps at least one owner: make another member an owner first","extensions":{"code":"CONFLICT","field":"input.userId"},"path":["removeMember"]}],"data":null}"#);
    assert_eq!(owners(&accounts).await, 1);
    let other = accounts.member(&owner, "Bea", "OWNER").await;
    let (one, two) = tokio::join!(remove(&accounts, &owner, &owner), remove(&accounts, &other, &other));
    assert_ne!(one.get("errors").is_some(), two.get("errors").is_some());
    assert_eq!(owners(&accounts).await, 1);
}

#[tokio::test]
async fn a_member_leaves_and_comes_back_under_a_later_version() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let member = accounts.member(&owner, "Bea", "VIEWER").await;
    assert_snapshot!(show(&remove(&accounts, &member, &member).await), @r#"{"data":{"removeMember":{"userId":"[id]"}}}"#);
    assert_snapshot!(show(&remove(&accounts, &owner, &member).await), @r#"{"errors":[{"message":"this person is no member of the organization","extensions":{"code":"NOT_FOUND","field":"input.userId"},"path":["removeMember"]}],"data":null}"#);
    assert_snapshot!(show(&accounts.run(&member.caller, "{ organization { slug } }", json!({})).await), @r#"{"data":{"organization":null}}"#);
    accounts.data(&owner.caller, ADD_MEMBER, add("Bea", "MEMBER")).await;
    assert_eq!(remove(&accounts, &owner, &member).await.get("errors"), None);
    let versions = "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.membership' AND tenant IS NOT NULL
                       AND (kind, version) IN (('created', 1), ('deleted', 2), ('created', 3), ('deleted', 4))";
    assert_eq!(accounts.count(versions).await, 5);
    let kept = "SELECT count(*) FROM accounts.history WHERE (version, value->>'role') IN ((1, 'viewer'), (3, 'member'))";
    assert_eq!(accounts.count(kept).await, 2);
}

#[tokio::test]
async fn an_owner_of_another_organization_manages_nobody_here() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let member = accounts.member(&owner, "Bea", "VIEWER").await;
    let stranger = accounts.register("Eve").await;
    let (_, stranger) = accounts.found(&stranger, "elsewhere").await;
    let changed = change(&accounts, &stranger, &member, "ADMIN").await;
    assert_snapshot!(show(&changed), @r#"{"errors":[{"message":"this person is no member of the organization","extensions":{"code":"NOT_FOUND","field":"input.userId"},"path":["changeMemberRole"]}],"data":null}"#);
    let removed = remove(&accounts, &stranger, &member).await;
    assert_eq!(removed["errors"][0]["message"], changed["errors"][0]["message"]);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships WHERE role = 'viewer'").await, 1);
}
