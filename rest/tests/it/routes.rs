//! Which routes follow from a schema.

use pulse_rest::{Mapping, RestError, Routes};

use crate::own;

/// A supergraph of one subgraph, around these definitions.
fn supergraph(definitions: &str) -> String {
    let subgraph = pulse_schema::SubgraphSdl {
        name: "one".to_owned(),
        url: None,
        sdl: format!(
            "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\"]) {definitions}"
        ),
    };
    pulse_schema::compose(&[subgraph]).unwrap().supergraph
}

#[test]
fn every_route_of_the_api_has_one_place() {
    let lines: Vec<String> = own()
        .summaries()
        .into_iter()
        .map(|route| format!("{:6} {} {}", route.method, route.path, route.id))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

fn lines(supergraph: &str, mapping: &str) -> Result<String, RestError> {
    let routes = Routes::derive(supergraph, &Mapping::read(mapping)?)?.summaries();
    let lines: Vec<String> =
        routes.iter().map(|route| format!("{} {} {}", route.method, route.path, route.document)).collect();
    Ok(lines.join("\n"))
}

const SHELF: &str = "type Query { book(id: ID, isbn: String): Book books(first: Int, after: String): BookConnection! \
    shelf: Shelf! count(of: [Int!]! = [1]): Int! }
    type Mutation { createBook(input: NewBook!): BookPayload! archiveBook(input: Which!): ArchivePayload! \
    deleteBook(input: Which!): Gone! clearShelf: Boolean! }
    type Subscription { bookChanged(after: String): Book! }
    type Book @key(fields: \"id\") { id: ID! version: Int! title: String! isbn: String cover: Cover author: Author \
    reviews(first: Int, after: String): BookConnection }
    type Cover { color: String! texture: String }
    type Author @key(fields: \"id\") { id: ID! name: String! }
    type Shelf { width: Float! books(first: Int): BookConnection! }
    type BookConnection { pageInfo: PageInfo! nodes: [Book!]! totalCount: Int! }
    type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
    input NewBook { title: String! idempotencyKey: String }
    input Which { id: ID! }
    type BookPayload { book: Book! }
    type ArchivePayload { book: Book! archivedAt: String! }
    type Gone { id: ID! }";

#[test]
fn each_rule_makes_its_routes() {
    insta::assert_snapshot!(lines(&supergraph(SHELF), "").unwrap());
}

#[test]
fn a_mapping_moves_and_hides() {
    let mapping = "[query.shelf]\npath = '/my/shelf'\n[query.count]\nskip = 'of no use'\n\
        [mutation.archiveBook]\npath = '/archive/{book:id}'\nmethod = 'PUT'\n[types.Book]\nomit = ['isbn']";
    let supergraph = supergraph(SHELF);
    let (plain, moved) = (lines(&supergraph, "").unwrap(), lines(&supergraph, mapping).unwrap());
    assert!(plain.contains("GET /count") && !moved.contains("GET /count"), "{moved}");
    assert!(moved.contains("GET /my/shelf/books query"), "{moved}");
    assert!(moved.contains("PUT /archive/{book} mutation"), "{moved}");
    assert!(!moved.contains("isbn cover"), "{moved}");
}

#[test]
fn a_mapping_that_says_what_cannot_be_is_refused() {
    let refused = |mapping: &str| lines(&supergraph(SHELF), mapping).unwrap_err().to_string();
    let refusals = [
        refused("[query.shelves]\npath = '/x'"),
        refused("[types.Book]\nomit = ['colour']"),
        refused("[types.Bock]\nomit = ['isbn']"),
        refused("[query.shelf]\npath = 'x'"),
        refused("[query.shelf]\npath = '/x/{id}'"),
        refused("[mutation.archiveBook]\npath = '/x/{isbn}'"),
        refused("[query.shelf]\npath = '/books'"),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}
