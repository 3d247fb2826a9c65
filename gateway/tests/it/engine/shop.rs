//! The supergraph that most cases use: accounts, products, reviews, stock.

use serde_json::json;

use super::supergraphs::Blueprint;

const TYPES: &str = r#"
type Query @join__type(graph: ACCOUNTS) @join__type(graph: PRODUCTS) @join__type(graph: REVIEWS) @join__type(graph: STOCK) {
  me: User @join__field(graph: ACCOUNTS)
  users: [User!]! @join__field(graph: ACCOUNTS)
  products: [Product!]! @join__field(graph: PRODUCTS)
  grid: [[Product]] @join__field(graph: PRODUCTS)
  echo(text: String, filter: Filter, list: [Int!], at: Time, kind: Kind, id: ID, ratio: Float, pick: Pick): Any @join__field(graph: PRODUCTS)
  topReview: Review @join__field(graph: REVIEWS)
}
type Mutation @join__type(graph: ACCOUNTS) @join__type(graph: REVIEWS) {
  rename(name: String!): User @join__field(graph: ACCOUNTS)
  review(body: String!): Review @join__field(graph: REVIEWS)
}
type User @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  name: String @join__field(graph: ACCOUNTS)
  email: String! @join__field(graph: ACCOUNTS)
  reviews: [Review!] @join__field(graph: REVIEWS)
}
type Product
  @join__type(graph: PRODUCTS, key: "upc") @join__type(graph: REVIEWS, key: "upc") @join__type(graph: STOCK, key: "upc") {
  upc: ID!
  name: String @join__field(graph: PRODUCTS)
  kind: Kind @join__field(graph: PRODUCTS)
  price: Int @join__field(graph: PRODUCTS) @join__field(graph: STOCK, external: true)
  weight: Int @join__field(graph: PRODUCTS) @join__field(graph: STOCK, external: true)
  reviews: [Review!]! @join__field(graph: REVIEWS)
  inStock: Boolean @join__field(graph: STOCK)
  shippingEstimate: Int @join__field(graph: STOCK, requires: "price weight")
  warehouse: String! @join__field(graph: STOCK)
}
type Review @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  body: String
  author: User
  product: Product!
}
enum Kind @join__type(graph: PRODUCTS) {
  FURNITURE @join__enumValue(graph: PRODUCTS)
  FOOD @join__enumValue(graph: PRODUCTS)
  SECRET @join__enumValue(graph: PRODUCTS) @inaccessible
}
input Filter @join__type(graph: PRODUCTS) {
  name: String!
  limit: Int = 10
  kinds: [Kind!] = [FOOD]
  inner: Filter
}
input Pick @join__type(graph: PRODUCTS) @oneOf {
  one: Int
  other: String
}
scalar Time @join__type(graph: PRODUCTS)
scalar Any @join__type(graph: PRODUCTS)
"#;

/// Three products, two people, three reviews.
pub(super) fn shop() -> Blueprint {
    let accounts = json!({
        "Query": {
            "me": { "__typename": "User", "id": "1", "name": "Ada", "email": "ada@example.org" },
            "users": [
                { "__typename": "User", "id": "1", "name": "Ada", "email": "ada@example.org" },
                { "__typename": "User", "id": "2", "name": null, "email": "bob@example.org" },
            ],
        },
        "Mutation": { "rename": { "__typename": "User", "id": "1", "name": { "$from": "name" } } },
        "User": [
            { "id": "1", "name": "Ada", "email": "ada@example.org" },
            { "id": "2", "name": null, "email": "bob@example.org" },
        ],
    });
    let table = json!({
        "__typename": "Product", "upc": "a", "name": "Table", "kind": "FURNITURE", "price": 900, "weight": 100
    });
    let chair = json!({
        "__typename": "Product", "upc": "b", "name": "Chair", "kind": "FURNITURE", "price": 50, "weight": 20
    });
    let bread = json!({ "__typename": "Product", "upc": "c", "name": "Bread", "kind": "FOOD", "price": 3, "weight": 1 });
    let products = json!({
        "Query": {
            "products": [table, chair, bread],
            "grid": [[table, null], null, [chair]],
            "echo": { "$from": "text" },
        },
        "Product": [table, chair, bread],
    });
    let first = json!({ "id": "r1", "body": "Solid", "author": { "__typename": "User", "id": "1" },
        "product": { "__typename": "Product", "upc": "a" } });
    let second = json!({ "id": "r2", "body": null, "author": { "__typename": "User", "id": "2" },
        "product": { "__typename": "Product", "upc": "a" } });
    let third = json!({ "id": "r3", "body": "Fresh", "author": null,
        "product": { "__typename": "Product", "upc": "c" } });
    let reviews = json!({
        "Query": { "topReview": first },
        "Mutation": { "review": { "id": "r4", "body": { "$from": "body" },
            "author": { "__typename": "User", "id": "1" }, "product": { "__typename": "Product", "upc": "b" } } },
        "Product": [
            { "upc": "a", "reviews": [first, second] },
            { "upc": "b", "reviews": [] },
            { "upc": "c", "reviews": [third] },
        ],
        "User": [{ "id": "1", "reviews": [first] }, { "id": "2", "reviews": [second] }],
        "Review": [first, second, third],
    });
    let stock = json!({
        "Query": {},
        "Product": [
            { "upc": "a", "inStock": true, "shippingEstimate": { "$from": "price" }, "warehouse": "north" },
            { "upc": "b", "inStock": false, "shippingEstimate": { "$from": "price" }, "warehouse": "south" },
            { "upc": "c", "inStock": true, "shippingEstimate": { "$from": "price" }, "warehouse": "south" },
        ],
    });
    let subgraphs =
        vec![("accounts", accounts), ("products", products), ("reviews", reviews), ("stock", stock)];
    Blueprint::new(TYPES, subgraphs)
}
