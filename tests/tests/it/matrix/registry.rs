//! What the registry says.

use crate::row::Expect::{Data, Null};
use crate::row::{NOT_FOUND, Row, manage, read, write};

const PUBLISH: &str = r#"mutation { publishOperations(input: {
    client: "alpha", version: "2", manifest: "{ \"b\": \"query Other { organization { name } }\" }" }) { isUnchanged } }"#;

pub(super) const ROWS: &[Row] = &[
    read("schemaVariant", "{ schemaVariant(environment: \"alpha\") { name current { supergraph } } }", Null),
    read("schemaVariants", "{ schemaVariants { totalCount nodes { id environment name } } }", Data),
    read("schemaVersion", "{ schemaVersion(id: \"@schemaVersion\") { subgraph sdl url message } }", Null),
    read(
        "schemaVersions",
        "{ schemaVersions(filter: { environment: \"alpha\" }) { totalCount nodes { id sdl } } }",
        Data,
    ),
    read("schemaComposition", "{ schemaComposition(id: \"@composition\") { supergraph } }", Null),
    read(
        "schemaCompositions",
        "{ schemaCompositions(filter: { environment: \"alpha\" }) { totalCount nodes { id supergraph } } }",
        Data,
    ),
    read("schemaDiff", "{ schemaDiff(from: \"@composition\", to: \"@composition\") { breaking } }", Null),
    read("clientApp", "{ clientApp(id: \"@client\") { name manifests { operations { document } } } }", Null),
    read("clientAppByName", "{ clientAppByName(name: \"alpha\") { id description } }", Null),
    read("clientApps", "{ clientApps { totalCount nodes { id name } } }", Data),
    manage(
        "createClientApp",
        "mutation { createClientApp(input: { name: \"second\" }) { clientApp { id } } }",
        Data,
    ),
    manage(
        "updateClientApp",
        "mutation { updateClientApp(input: { id: \"@client\", mode: ONLY }) { clientApp { mode } } }",
        NOT_FOUND,
    ),
    write("publishOperations", PUBLISH, NOT_FOUND),
    manage(
        "retireOperations",
        "mutation { retireOperations(input: { client: \"alpha\", version: \"1\" }) { clientApp { version } } }",
        NOT_FOUND,
    ),
    manage("deleteClientApp", "mutation { deleteClientApp(input: { id: \"@client\" }) { id } }", NOT_FOUND),
    // An environment of the same name is another one for another tenant.
    write(
        "publishSubgraph",
        "mutation { publishSubgraph(input: { environment: \"alpha\", subgraph: \"second\", sdl: \"type Query { b: Int }\" }) { isPublished } }",
        Data,
    ),
    manage(
        "removeSubgraph",
        "mutation { removeSubgraph(input: { environment: \"alpha\", subgraph: \"alpha\" }) { isRemoved } }",
        NOT_FOUND,
    ),
    manage(
        "rollBackSchema",
        "mutation { rollBackSchema(input: { environment: \"alpha\" }) { composition { number } } }",
        NOT_FOUND,
    ),
];
