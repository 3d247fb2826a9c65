use std::io::{self, Cursor, Read};

use insta::assert_snapshot;
use pulse_entities::import::{
    Format, ImportError, ImportOptions, Limits, Progress, ReadError, Report, Source, import,
};
use serde_json::json;

use crate::Graph;

/// `count` entities and a relationship from each to the one before it.
fn file(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let line = json!({ "kind": "entity", "key": format!("k{n}"), "type": "package", "name": format!("K {n}"),
                           "properties": { "n": n, "ratio": 1e18 } });
        text.push_str(&format!("{line}\n"));
    }
    for n in 1..count {
        let (source, target) = (format!("k{n}"), format!("k{}", n - 1));
        let line = json!({ "kind": "relationship", "type": "depends_on", "source": source, "target": target, "confidence": 0.5 });
        text.push_str(&format!("{line}\n"));
    }
    text
}

fn stream(text: &[u8]) -> Source {
    Source::stream(Cursor::new(text.to_vec()), Format::JsonLines)
}

async fn run(graph: &Graph, text: &[u8], options: &ImportOptions) -> Report {
    import(&graph.store, graph.caller.org.unwrap(), stream(text), options, |_| {}).await.unwrap()
}

fn batches_of(batch_size: usize) -> ImportOptions {
    ImportOptions { batch_size, ..ImportOptions::default() }
}

#[tokio::test]
async fn a_file_is_imported_and_a_second_time_changes_nothing() {
    let graph = Graph::new().await;
    let text = file(50);
    let mut seen = Vec::new();
    let org = graph.caller.org.unwrap();
    let progress = |progress: Progress| seen.push(progress.lines);
    let report = import(&graph.store, org, stream(text.as_bytes()), &batches_of(20), progress).await.unwrap();
    assert_snapshot!(report, @"99 lines: entities 50 created, 0 updated, 0 unchanged; relationships 49 created, 0 updated, 0 unchanged; 0 bad lines");
    assert_eq!(seen, [20, 40, 60, 80, 99, 99]);

    let before = graph.traces().await;
    // One type, 50 entities, 49 relationships; an event for each; an audit fact for each batch.
    assert_eq!(before, [1, 50, 49, 0, 100, 5]);
    assert_snapshot!(run(&graph, text.as_bytes(), &batches_of(20)).await, @"99 lines: entities 0 created, 0 updated, 50 unchanged; relationships 0 created, 0 updated, 49 unchanged; 0 bad lines");
    assert_eq!(graph.traces().await, before);

    let data = graph
        .data(
            "{ entities { totalCount } relationships { totalCount } entity(key: \"k3\") { properties } }",
            json!({}),
        )
        .await;
    assert_snapshot!(data, @r#"{"entities":{"totalCount":50},"relationships":{"totalCount":49},"entity":{"properties":{"n":3,"ratio":1000000000000000000}}}"#);
}

#[tokio::test]
async fn bad_lines_are_skipped_and_reported_with_their_numbers() {
    let graph = Graph::new().await;
    graph.create_types(&["strict"]).await;
    let strict = "mutation { updateEntityType(input: { name: \"strict\", propertiesSchema: { required: [\"size\"] } }) { __typename } }";
    graph.data(strict, json!({})).await;
    let lines: [&[u8]; 16] = [
        b"\xef\xbb\xbf{\"kind\": \"entity\", \"key\": \"a\", \"type\": \"package\", \"name\": \"A\"}\r",
        b"{\"kind\": \"entity\", \"key\": \"b\", \"type\": \"package\"}",
        b"{\"kind\": \"person\", \"key\": \"c\"}",
        b"not JSON",
        b"{\"kind\": \"entity\", \"key\": \"d\", \"type\": \"package\", \"name\": \"\xff\"}",
        b"",
        b"{\"kind\": \"entity\", \"key\": \"e\", \"type\": \"package\", \"name\": \"E\", \"confidence\": 1.5}",
        b"{\"kind\": \"entity\", \"key\": \"f\", \"type\": \"no type\", \"name\": \"F\"}",
        b"{\"kind\": \"entity\", \"key\": \"g\", \"type\": \"strict\", \"name\": \"G\"}",
        b"{\"kind\": \"entity\", \"key\": \"h\", \"type\": \"package\", \"name\": \"H\", \"colour\": \"red\"}",
        b"{\"kind\": \"entity\", \"key\": \"i\", \"type\": \"package\", \"name\": \"I\", \"description\": \"zero \\u0000\"}",
        b"{\"kind\": \"entity\", \"key\": \"j\", \"type\": \"package\", \"name\": \"JJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJJ\"}",
        b"{\"kind\": \"relationship\", \"type\": \"t\", \"source\": \"a\", \"target\": \"nowhere\"}",
        b"{\"kind\": \"relationship\", \"type\": \"t\", \"source\": \"a\"}",
        b"[1, 2]",
        b"{\"kind\": \"entity\", \"key\": \"z\", \"type\": \"package\", \"name\": \"Z\"}",
    ];
    let options = ImportOptions {
        limits: Limits { record_bytes: 140, ..Limits::default() },
        ..ImportOptions::default()
    };
    let report = run(&graph, &lines.join(&b'\n'), &options).await;
    let bad = report
        .bad_lines
        .iter()
        .map(|bad| format!("{}: {}", bad.line, bad.reason))
        .collect::<Vec<_>>()
        .join("\n");
    assert_snapshot!(bad, @r#"
    2: missing field `name`
    3: unknown variant `person`, expected `entity` or `relationship` at column 17
    4: not a JSON object
    5: not UTF-8 from byte 60 of the line on
    7: `confidence` is 1.5, allowed is 0 to 1
    8: `type` is "no type": a type's name is a letter and up to 63 more letters, digits, `_`, `-` or `.`
    9: `properties` do not fit the type "strict": "size" is a required property
    10: unknown field `colour`, expected one of `key`, `type`, `name`, `description`, `confidence`, `properties`
    11: `description` contains the character U+0000
    12: the line is longer than 140 bytes
    13: `target` refers to no entity of this organization: none has the key "nowhere"
    14: missing field `target`
    15: not a JSON object
    "#);
    assert_snapshot!(report, @"16 lines: entities 2 created, 0 updated, 0 unchanged; relationships 0 created, 0 updated, 0 unchanged; 13 bad lines");
}

#[tokio::test]
async fn only_the_first_hundred_bad_lines_are_named() {
    let graph = Graph::new().await;
    let report = run(&graph, "bad\n".repeat(250).as_bytes(), &ImportOptions::default()).await;
    assert_eq!((report.bad_lines.len(), report.bad_line_count), (100, 250));
}

#[tokio::test]
async fn relationships_may_come_before_their_entities() {
    let graph = Graph::new().await;
    let backwards: Vec<_> = file(30).lines().rev().map(str::to_owned).collect();
    let report = run(&graph, backwards.join("\n").as_bytes(), &batches_of(7)).await;
    assert_eq!((report.relationships.created, report.bad_line_count), (29, 0));

    let other = Graph::new().await;
    let options = ImportOptions { max_waiting_bytes: 1_000, ..batches_of(7) };
    let report = run(&other, backwards.join("\n").as_bytes(), &options).await;
    assert!(report.bad_line_count > 10, "{report}");
    assert!(report.bad_lines[0].reason.ends_with("put entities before their relationships"), "{report}");
    // What comes first the first time is there the second time.
    let report = run(&other, backwards.join("\n").as_bytes(), &options).await;
    assert_eq!(
        (report.relationships.created + report.relationships.unchanged, report.bad_line_count),
        (29, 0)
    );
}

#[tokio::test]
async fn lines_with_the_same_key_hold_in_their_order() {
    let graph = Graph::new().await;
    let line = |name: &str| {
        format!("{}\n", json!({ "kind": "entity", "key": "a", "type": "package", "name": name }))
    };
    let report =
        run(&graph, [line("first"), line("second")].concat().as_bytes(), &ImportOptions::default()).await;
    assert_eq!((report.entities.created, report.entities.updated), (1, 1));
    let data = graph.data("{ entity(key: \"a\") { name version } }", json!({})).await;
    assert_eq!(data["entity"], json!({ "name": "second", "version": 2 }));
}

/// What a file is after the disk has gone.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[tokio::test]
async fn an_import_that_broke_off_leaves_whole_batches_and_finishes_when_started_again() {
    let graph = Graph::new().await;
    let text = file(50);
    let broken = Cursor::new(text.as_bytes()[..text.len() / 2].to_vec()).chain(Broken);
    let broken = Source::stream(broken, Format::JsonLines);
    let org = graph.caller.org.unwrap();
    let error = import(&graph.store, org, broken, &batches_of(20), |_| {}).await.unwrap_err();
    assert!(matches!(error, ImportError::Read { source: ReadError::Io { line: 40.., .. }, .. }), "{error}");
    assert_eq!(graph.count("entities.entities").await % 20, 0);

    let report = run(&graph, text.as_bytes(), &batches_of(20)).await;
    assert_eq!(report.entities.created + report.entities.unchanged, 50);
    assert_eq!(report.bad_line_count, 0);
    assert_eq!(graph.traces().await[..5], [1, 50, 49, 0, 100]);
}
