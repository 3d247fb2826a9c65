//! What federation's directives ask of an executor.

use serde_json::json;

use super::shop::shop;
use super::supergraphs::Blueprint;

#[tokio::test]
async fn required_fields_travel_in_the_representation() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("{ products { shippingEstimate } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "shippingEstimate": 900
          },
          {
            "shippingEstimate": 50
          },
          {
            "shippingEstimate": 3
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products {products{__typename upc price weight}} {}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{shippingEstimate}}} {"representations":[{"__typename":"Product","price":900,"weight":100,"upc":"a"},{"__typename":"Product","price":50,"weight":20,"upc":"b"},{"__typename":"Product","price":3,"weight":1,"upc":"c"}]}
    "#);
}

#[tokio::test]
async fn required_fields_are_right_where_the_client_gives_their_name_to_another() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("{ products { price: name weight: upc shippingEstimate } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "price": "Table",
            "weight": "a",
            "shippingEstimate": 900
          },
          {
            "price": "Chair",
            "weight": "b",
            "shippingEstimate": 50
          },
          {
            "price": "Bread",
            "weight": "c",
            "shippingEstimate": 3
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products {products{__typename _client_price: name _client_weight: upc upc price weight}} {}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{shippingEstimate}}} {"representations":[{"__typename":"Product","price":900,"weight":100,"upc":"a"},{"__typename":"Product","price":50,"weight":20,"upc":"b"},{"__typename":"Product","price":3,"weight":1,"upc":"c"}]}
    "#);
}

#[tokio::test]
async fn required_field_that_is_null_is_sent_as_null() {
    let platform = shop()
        .with("products", |data| {
            data["Query"]["products"] =
                json!([{ "__typename": "Product", "upc": "a", "price": null, "weight": 1 }]);
        })
        .build();
    insta::assert_snapshot!(platform.run("{ products { shippingEstimate } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "shippingEstimate": null
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products {products{__typename upc price weight}} {}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{shippingEstimate}}} {"representations":[{"__typename":"Product","price":null,"weight":1,"upc":"a"}]}
    "#);
}

#[tokio::test]
async fn provided_field_needs_no_second_fetch() {
    let types = r#"
        type Query @join__type(graph: A) @join__type(graph: B) {
          post: Post @join__field(graph: B, provides: "author { name }")
          plain: Post @join__field(graph: B)
        }
        type Post @join__type(graph: B) {
          author: Author @join__field(graph: B)
        }
        type Author @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          name: String @join__field(graph: A) @join__field(graph: B, external: true)
        }
    "#;
    let post = json!({ "author": { "__typename": "Author", "id": "1", "name": "from b" } });
    let platform = Blueprint::new(
        types,
        vec![
            ("a", json!({ "Author": [{ "id": "1", "name": "from a" }] })),
            ("b", json!({ "Query": { "post": post, "plain": post } })),
        ],
    )
    .build();
    insta::assert_snapshot!(platform.run("{ post { author { name } } }").await, @r#"
    {
      "data": {
        "post": {
          "author": {
            "name": "from b"
          }
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.run("{ plain { author { name } } }").await, @r#"
    {
      "data": {
        "plain": {
          "author": {
            "name": "from a"
          }
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    b {post{author{name}}} {}
    b {plain{author{__typename id}}} {}
    a query($representations:[_Any!]!){_entities(representations: $representations){...on Author{name}}} {"representations":[{"__typename":"Author","id":"1"}]}
    "#);
}

/// Subgraph `a` knows the types behind the interface, `b` only the interface.
fn media() -> Blueprint {
    let types = r#"
        type Query @join__type(graph: A) @join__type(graph: B) {
          library: [Media!]! @join__field(graph: A)
          popular: [Media!]! @join__field(graph: B)
        }
        interface Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
          id: ID!
          title: String @join__field(graph: A)
          views: Int @join__field(graph: B)
        }
        type Book implements Media @join__implements(graph: A, interface: "Media") @join__type(graph: A, key: "id") {
          id: ID!
          title: String
          pages: Int
          views: Int @join__field
        }
        type Film implements Media @join__implements(graph: A, interface: "Media") @join__type(graph: A, key: "id") {
          id: ID!
          title: String
          minutes: Int
          views: Int @join__field
        }
    "#;
    let book = json!({ "__typename": "Book", "id": "1", "title": "Dune", "pages": 412 });
    let film = json!({ "__typename": "Film", "id": "2", "title": "Alien", "minutes": 117 });
    let a = json!({
        "$types": { "Book": ["Media"], "Film": ["Media"] },
        "Query": { "library": [book, film] },
        "Book": [book], "Film": [film], "Media": [book, film],
    });
    let known = |id: &str, views: i32| json!({ "__typename": "Media", "id": id, "views": views });
    let b = json!({
        "Query": { "popular": [known("2", 70), known("1", 30)] },
        "Media": [known("1", 30), known("2", 70)],
    });
    Blueprint::new(types, vec![("a", a), ("b", b)])
}

#[tokio::test]
async fn interface_object_adds_fields_to_every_implementation() {
    let platform = media().build();
    insta::assert_snapshot!(
        platform.run("{ library { __typename title views ... on Book { pages } } }").await,
        @r#"
    {
      "data": {
        "library": [
          {
            "__typename": "Book",
            "title": "Dune",
            "views": 30,
            "pages": 412
          },
          {
            "__typename": "Film",
            "title": "Alien",
            "views": 70
          }
        ]
      }
    }
    "#
    );
    insta::assert_snapshot!(platform.log(), @r#"
    a {library{__typename title id ...on Book{pages}}} {}
    b query($representations:[_Any!]!){_entities(representations: $representations){...on Media{views}}} {"representations":[{"__typename":"Media","id":"1"},{"__typename":"Media","id":"2"}]}
    "#);
}

#[tokio::test]
async fn interface_object_learns_its_type_from_the_subgraph_that_knows_it() {
    let platform = media().build();
    insta::assert_snapshot!(
        platform.run("{ popular { __typename views title ... on Film { minutes } } }").await,
        @r#"
    {
      "data": {
        "popular": [
          {
            "__typename": "Film",
            "views": 70,
            "title": "Alien",
            "minutes": 117
          },
          {
            "__typename": "Book",
            "views": 30,
            "title": "Dune"
          }
        ]
      }
    }
    "#
    );
    insta::assert_snapshot!(platform.run("{ popular { views } }").await, @r#"
    {
      "data": {
        "popular": [
          {
            "views": 70
          },
          {
            "views": 30
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    b {popular{__typename id views}} {}
    a query($representations:[_Any!]!){_entities(representations: $representations){...on Media{__typename title ...on Film{minutes}}}} {"representations":[{"__typename":"Media","id":"2"},{"__typename":"Media","id":"1"}]}
    b {popular{views}} {}
    "#);
}

#[tokio::test]
async fn query_behind_a_mutation_is_fetched_at_its_place() {
    let types = r"
        type Query @join__type(graph: A) @join__type(graph: B) {
          user: User @join__field(graph: A)
          health: String @join__field(graph: B)
        }
        type Mutation @join__type(graph: B) { done: Payload @join__field(graph: B) }
        type Payload @join__type(graph: B) { ok: Boolean query: Query }
        type User @join__type(graph: A) { name: String }
    ";
    let platform = Blueprint::new(
        types,
        vec![
            ("a", json!({ "Query": { "user": { "name": "Ada" } } })),
            ("b", json!({ "Mutation": { "done": { "ok": true, "query": { "__typename": "Query", "health": "well" } } } })),
        ],
    )
    .build();
    insta::assert_snapshot!(platform.run("mutation { done { ok again: query { health user { name } } } }").await, @r#"
    {
      "data": {
        "done": {
          "ok": true,
          "again": {
            "health": "well",
            "user": {
              "name": "Ada"
            }
          }
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @"
    b mutation{done{ok again: query{health __typename}}} {}
    a {user{name}} {}
    ");
}

#[tokio::test]
async fn supergraph_that_nobody_serves_is_refused_by_name() {
    let sdl = super::supergraphs::supergraph(&["a"], "type Query @join__type(graph: A) { a: Int }");
    let config = pulse_gateway::engine::EngineConfig::default();
    let refused = pulse_gateway::engine::Engine::load(&sdl, Vec::new(), &config).err().unwrap();
    insta::assert_snapshot!(refused, @"the supergraph needs the subgraph `a`, but nothing is served: add it, or compose without it");
}

#[tokio::test]
async fn supergraph_that_does_not_parse_is_refused() {
    let sdl = pulse_gateway::ports::SupergraphSdl { sdl: "type Query {".into(), version: String::new() };
    let config = pulse_gateway::engine::EngineConfig::default();
    assert!(pulse_gateway::engine::Engine::load(&sdl, Vec::new(), &config).is_err());
}

#[tokio::test]
async fn supergraph_that_the_planner_panics_on_is_refused() {
    let types = "type Query @join__type(graph: A) { a: Int } extend type Query { b: Int }";
    let sdl = super::supergraphs::supergraph(&["a"], types);
    let config = pulse_gateway::engine::EngineConfig::default();
    let refused = pulse_gateway::engine::Engine::load(&sdl, Vec::new(), &config).err().unwrap();
    insta::assert_snapshot!(refused, @"the planner refuses the supergraph: not yet implemented: TypeExtension not implemented");
}
