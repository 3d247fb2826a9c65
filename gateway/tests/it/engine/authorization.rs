//! `@authenticated`, `@requiresScopes` and `@policy`: what a caller may not have is null and an error, and not fetched.

use std::collections::BTreeSet;
use std::sync::Arc;

use pulse_gateway::engine::{ExecutionContext, PlanVariant, PolicyScopes};
use pulse_gateway::value::Value;
use pulse_types::{Caller, Identity, Permission, RequestId, Subject};
use serde_json::{Value as Json, json};

use super::supergraphs::{Blueprint, Platform, context};

const TYPES: &str = r#"
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
scalar requiresScopes__Scope
scalar policy__Policy
type Query @join__type(graph: A) @join__type(graph: B) {
  me: User @join__field(graph: A)
  people: [User!]! @join__field(graph: A)
  secret: String @join__field(graph: A) @authenticated
  feed: [Item] @join__field(graph: A)
  drafts: [Draft] @join__field(graph: A)
  notes: [Note] @join__field(graph: A)
  found: [Hit] @join__field(graph: A)
  vault: Vault @join__field(graph: A)
  rating: Rating @join__field(graph: A)
}
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String @join__field(graph: A)
  email: String @join__field(graph: A) @requiresScopes(scopes: [["user:read", "email:read"], ["admin"]])
  phone: String! @join__field(graph: A) @policy(policies: [["support"]])
  salary: Int @join__field(graph: A) @join__field(graph: B, external: true) @requiresScopes(scopes: [["hr"]])
  bonus: Int @join__field(graph: B, requires: "salary")
  remarks: [String] @join__field(graph: B) @authenticated
}
interface Item @join__type(graph: A) { id: ID! title: String }
type Book implements Item @join__implements(graph: A, interface: "Item") @join__type(graph: A) { id: ID! title: String }
type Draft implements Item @join__implements(graph: A, interface: "Item") @join__type(graph: A) {
  id: ID!
  title: String @authenticated
}
interface Note @join__type(graph: A) { text: String @authenticated by: String }
type Memo implements Note @join__implements(graph: A, interface: "Note") @join__type(graph: A) { text: String by: String }
type Secret @join__type(graph: A) @authenticated { text: String }
union Hit @join__type(graph: A) @join__unionMember(graph: A, member: "Book") @join__unionMember(graph: A, member: "Secret") = Book | Secret
type Vault @join__type(graph: A) @requiresScopes(scopes: ["gold"]) { gold: Int }
enum Rating @join__type(graph: A) @authenticated { HIGH @join__enumValue(graph: A) LOW @join__enumValue(graph: A) }
"#;

fn platform() -> Platform {
    let user = |id: &str, name: &str| json!({ "__typename": "User", "id": id, "name": name, "email": "e", "phone": "p", "salary": 7 });
    let a = json!({
        "$types": { "Book": ["Item"], "Draft": ["Item"], "Memo": ["Note"] },
        "Query": {
            "me": user("1", "Ann"),
            "people": [user("1", "Ann"), user("2", "Bob")],
            "secret": "s",
            "feed": [{ "__typename": "Book", "id": "b", "title": "Book" }, { "__typename": "Draft", "id": "d", "title": "Draft" }],
            "drafts": [{ "__typename": "Draft", "id": "d", "title": "Draft" }],
            "notes": [{ "__typename": "Memo", "text": "t", "by": "x" }],
            "found": [{ "__typename": "Book", "title": "Book" }, { "__typename": "Secret", "text": "hush" }],
            "vault": { "__typename": "Vault", "gold": 3 },
            "rating": "HIGH",
        },
        "User": [user("1", "Ann"), user("2", "Bob")],
    });
    let b = json!({ "User": [{ "id": "1", "bonus": 70, "remarks": ["r"] }, { "id": "2", "bonus": 70, "remarks": [] }] });
    Blueprint::new(TYPES, vec![("a", a), ("b", b)]).build()
}

fn anonymous() -> Caller {
    Caller::anonymous(RequestId::new(chrono::DateTime::UNIX_EPOCH))
}

/// Somebody with these scopes and policies.
fn somebody(scopes: &[&str], policies: &[&str]) -> Caller {
    let identity = Identity {
        issuer: "https://issuer.example".into(),
        subject: "ann".into(),
        org: None,
        policies: policies.iter().map(|policy| (*policy).to_owned()).collect::<BTreeSet<_>>(),
        claims: serde_json::Map::new(),
    };
    Caller {
        subject: Subject::External,
        identity: Some(Arc::new(identity)),
        permissions: scopes.iter().map(|scope| Permission::from((*scope).to_owned())).collect(),
        ..anonymous()
    }
}

/// The response to a caller and what the subgraphs were asked for it, a line each.
async fn seen(platform: &Platform, caller: &Caller, document: &str, variables: Json) -> String {
    let engine = &platform.engine;
    let before = platform.log().lines().count();
    let whole = engine.prepare(document, None).await.unwrap();
    let operation = match engine.denied(&whole, caller, &PolicyScopes::new()) {
        None => whole,
        Some(denied) => {
            let variant = PlanVariant { denied, ..PlanVariant::default() };
            engine.prepare_variant(document, None, &variant).await.unwrap()
        }
    };
    let context = ExecutionContext { caller: Arc::new(caller.clone()), ..context() };
    let result = engine.execute(&operation, Some(Value::from(&variables)), context).await;
    let mut lines = vec![String::from_utf8(result.body.to_vec()).unwrap()];
    lines.extend(platform.log().lines().skip(before).map(ToOwned::to_owned));
    lines.join("\n")
}

async fn anonymously(document: &str) -> String {
    seen(&platform(), &anonymous(), document, Json::Null).await
}

#[tokio::test]
async fn a_forbidden_field_is_null_with_an_error_and_not_fetched() {
    insta::assert_snapshot!(anonymously("{ me { id name remarks } }").await, @r#"
    {"data":{"me":{"id":"1","name":"Ann","remarks":null}},"errors":[{"message":"sign in to ask for `User.remarks`","path":["me","remarks"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {me{id name}} {}
    "#);
    insta::assert_snapshot!(anonymously("{ secret mine: me { id } }").await, @r#"
    {"data":{"secret":null,"mine":{"id":"1"}},"errors":[{"message":"sign in to ask for `Query.secret`","path":["secret"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {mine: me{id}} {}
    "#);
    insta::assert_snapshot!(anonymously("{ secret again: secret }").await, @r#"{"data":{"secret":null,"again":null},"errors":[{"message":"sign in to ask for `Query.secret`","path":["secret"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"sign in to ask for `Query.secret`","path":["again"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}"#);
}

#[tokio::test]
async fn an_object_of_which_nothing_may_be_seen_is_still_there() {
    insta::assert_snapshot!(anonymously("{ me { email } people { email } }").await, @r#"
    {"data":{"me":{"email":null},"people":[{"email":null},{"email":null}]},"errors":[{"message":"sign in to ask for `User.email`","path":["me","email"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"sign in to ask for `User.email`","path":["people",0,"email"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"sign in to ask for `User.email`","path":["people",1,"email"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {me{...a} people{...a}}

    fragment a on User {__typename} {}
    "#);
}

#[tokio::test]
async fn a_forbidden_field_that_cannot_be_null_takes_its_parent_along() {
    insta::assert_snapshot!(anonymously("{ me { name phone } }").await, @r#"
    {"data":{"me":null},"errors":[{"message":"sign in to ask for `User.phone`","path":["me","phone"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {me{name}} {}
    "#);
}

#[tokio::test]
async fn scopes_are_alternatives_of_which_one_must_be_had_as_a_whole() {
    let platform = platform();
    let mut lines = Vec::new();
    for scopes in [["user:read"].as_slice(), &["user:read", "email:read"], &["admin"]] {
        lines.push(seen(&platform, &somebody(scopes, &[]), "{ me { email } }", Json::Null).await);
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"data":{"me":{"email":null}},"errors":[{"message":"you may not ask for `User.email`","path":["me","email"],"extensions":{"code":"FORBIDDEN","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {me{__typename}} {}
    {"data":{"me":{"email":"e"}}}
    a {me{email}} {}
    {"data":{"me":{"email":"e"}}}
    a {me{email}} {}
    "#);
}

#[tokio::test]
async fn policies_are_granted_by_the_issuer_or_by_the_settings() {
    let platform = platform();
    let operation = platform.engine.prepare("{ me { phone } }", None).await.unwrap();
    let denied =
        |caller: &Caller, table: &PolicyScopes| platform.engine.denied(&operation, caller, table).is_some();
    let table = PolicyScopes::from([("support".to_owned(), vec!["staff".to_owned(), "admin".to_owned()])]);
    assert!(denied(&somebody(&[], &[]), &table));
    assert!(!denied(&somebody(&[], &["support"]), &PolicyScopes::new()));
    assert!(!denied(&somebody(&["admin"], &[]), &table));
    assert!(denied(&somebody(&["admin"], &[]), &PolicyScopes::new()));
}

#[tokio::test]
async fn types_are_guarded_wherever_they_are_returned() {
    insta::assert_snapshot!(anonymously("{ vault { gold } rating }").await, @r#"{"data":{"vault":null,"rating":null},"errors":[{"message":"sign in to ask for `Query.vault`","path":["vault"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"sign in to ask for `Query.rating`","path":["rating"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}"#);
    insta::assert_snapshot!(anonymously("{ found { __typename ... on Book { title } ... on Secret { text } } }").await, @r#"
    {"data":{"found":[{"__typename":"Book","title":"Book"},{"__typename":"Secret","text":null}]},"errors":[{"message":"sign in to ask for `Secret.text`","path":["found",1,"text"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {found{__typename ...on Book{title} ...on Secret{__typename}}} {}
    "#);
}

#[tokio::test]
async fn each_implementation_keeps_its_own_rules_behind_an_interface() {
    insta::assert_snapshot!(anonymously("{ feed { id title } drafts { title } }").await, @r#"
    {"data":{"feed":[{"id":"b","title":"Book"},{"id":"d","title":null}],"drafts":[{"title":null}]},"errors":[{"message":"sign in to ask for `Item.title`","path":["feed",1,"title"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"sign in to ask for `Draft.title`","path":["drafts",0,"title"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {feed{id __typename ...on Book{title}} drafts{__typename}} {}
    "#);
    insta::assert_snapshot!(anonymously("{ feed { ...Titled } } fragment Titled on Item { heading: title }").await, @r#"
    {"data":{"feed":[{"heading":"Book"},{"heading":null}]},"errors":[{"message":"sign in to ask for `Item.title`","path":["feed",1,"heading"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {feed{__typename ...on Book{heading: title}}} {}
    "#);
}

#[tokio::test]
async fn rules_of_an_interface_hold_for_what_is_selected_through_it() {
    insta::assert_snapshot!(anonymously("{ notes { text by } }").await, @r#"
    {"data":{"notes":[{"text":null,"by":"x"}]},"errors":[{"message":"sign in to ask for `Note.text`","path":["notes",0,"text"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {notes{by __typename}} {}
    "#);
}

#[tokio::test]
async fn a_forbidden_field_may_still_be_fetched_for_another() {
    insta::assert_snapshot!(anonymously("{ me { salary bonus } }").await, @r#"
    {"data":{"me":{"salary":null,"bonus":70}},"errors":[{"message":"sign in to ask for `User.salary`","path":["me","salary"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {me{__typename id salary}} {}
    b query($representations:[_Any!]!){_entities(representations: $representations){...on User{bonus}}} {"representations":[{"__typename":"User","salary":7,"id":"1"}]}
    "#);
}

#[tokio::test]
async fn a_field_that_is_left_out_is_no_violation() {
    let platform = platform();
    let document = "query($with: Boolean!) { me { name remarks @include(if: $with) } }";
    let without = seen(&platform, &anonymous(), document, json!({ "with": false })).await;
    let with = seen(&platform, &anonymous(), document, json!({ "with": true })).await;
    insta::assert_snapshot!(format!("{without}\n{with}"), @r#"
    {"data":{"me":{"name":"Ann"}}}
    a {me{name}} {}
    {"data":{"me":{"name":"Ann","remarks":null}},"errors":[{"message":"sign in to ask for `User.remarks`","path":["me","remarks"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    a {me{name}} {}
    "#);
    let never = anonymously("{ me { name remarks @skip(if: true) } }").await;
    insta::assert_snapshot!(never, @r#"
    {"data":{"me":{"name":"Ann"}}}
    a {me{name}} {}
    "#);
}

#[tokio::test]
async fn an_operation_that_nothing_is_demanded_for_is_asked_no_more() {
    let platform = platform();
    for document in ["{ me { id name } }", "{ __typename }", "{ __schema { queryType { name } } }"] {
        let operation = platform.engine.prepare(document, None).await.unwrap();
        assert_eq!(
            platform.engine.denied(&operation, &anonymous(), &PolicyScopes::new()),
            None,
            "{document}"
        );
    }
}

#[tokio::test]
async fn clients_do_not_see_what_the_directives_are_called() {
    let document = "{ __schema { directives { name } types { name } } }";
    let shown = anonymously(document).await;
    for hidden in ["requiresScopes", "authenticated", "policy", "Scope", "Policy"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}
