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
    // There is none such.
    Row {
        viewer: Null,
        member: Null,
        admin: Null,
        owner: Null,
        ..read("schemaCheck", "{ schemaCheck(id: \"@composition\") { verdict } }", Null)
    },
    read(
        "schemaChecks",
        "{ schemaChecks(filter: { environment: \"alpha\" }) { totalCount nodes { id } } }",
        Data,
    ),
    read("schemaRules", "{ schemaRules(environment: \"alpha\") { windowDays } }", Data),
    read(
        "schemaOverrides",
        "{ schemaOverrides(filter: { environment: \"alpha\" }) { totalCount nodes { id reason } } }",
        Data,
    ),
    read(
        "schemaUsage",
        "{ schemaUsage(filter: { environment: \"alpha\", coordinate: \"Query.a\" }) { requests users { operationName } } }",
        Data,
    ),
    write(
        "checkSubgraph",
        "mutation { checkSubgraph(input: { environment: \"alpha\", subgraph: \"second\", sdl: \"type Query { b: Int }\" }) { check { verdict } } }",
        Data,
    ),
    write(
        "reportSchemaUsage",
        "mutation { reportSchemaUsage(input: { environment: \"alpha\", operations: [{ signature: \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\", kind: QUERY, at: \"@to\", requests: 1, coordinates: [\"Query.a\"] }] }) { recorded } }",
        Data,
    ),
    manage(
        "setSchemaRules",
        "mutation { setSchemaRules(input: { environment: \"alpha\", windowDays: 7 }) { rules { windowDays } } }",
        Data,
    ),
    manage(
        "createSchemaOverride",
        "mutation { createSchemaOverride(input: { environment: \"alpha\", coordinate: \"Query.a\", reason: \"tried\", expiresAt: \"@to\" }) { schemaOverride { id } } }",
        Data,
    ),
    // There is none such.
    Row {
        admin: NOT_FOUND,
        owner: NOT_FOUND,
        ..manage(
            "deleteSchemaOverride",
            "mutation { deleteSchemaOverride(input: { id: \"@composition\" }) { id } }",
            NOT_FOUND,
        )
    },
    read("schemaSigningKey", "{ schemaSigningKey { publicKey } }", Data),
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
