//! What the registry says.

use crate::row::Expect::{Data, Null};
use crate::row::{NOT_FOUND, Row, manage, read, write};

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
