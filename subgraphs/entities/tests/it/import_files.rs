//! Importing files: in any order, gone on with, rehearsed, by rules for conflicts.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use pulse_entities::import::{
    Format, ImportError, ImportOptions, Mapping, OnConflict, Report, Source, import,
};
use pulse_types::OrgId;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::Graph;

fn entity(key: &str, name: &str) -> String {
    json!({ "kind": "entity", "key": key, "type": "thing", "name": name }).to_string()
}

fn relationship(source: &str, target: &str, confidence: f64) -> String {
    json!({ "kind": "relationship", "type": "needs", "source": source, "target": target, "confidence": confidence })
        .to_string()
}

/// A file of `count` entities and as many relationships, in no order.
fn mixed(count: usize, seed: u64) -> String {
    let mut lines: Vec<String> = (0..count).map(|n| entity(&format!("k{n}"), &format!("K {n}"))).collect();
    lines.extend((0..count).map(|n| relationship(&format!("k{n}"), &format!("k{}", n * 7 % count), 1.0)));
    lines.shuffle(&mut StdRng::seed_from_u64(seed));
    lines.join("\n")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn lines(path: &Path) -> Source {
    Source::files([(path.to_owned(), Format::JsonLines)])
}

fn batches_of(batch_size: usize) -> ImportOptions {
    ImportOptions { batch_size, ..ImportOptions::default() }
}

async fn run(graph: &Graph, source: Source, options: &ImportOptions) -> Result<Report, ImportError> {
    import(&graph.store, graph.caller.org.unwrap(), source, options, |_| {}).await
}

/// Runs an import that is dropped after `batches` batches, wherever it is then.
async fn break_off(graph: &Graph, source: Source, options: &ImportOptions, batches: usize) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let org = graph.caller.org.unwrap();
    let importing = import(&graph.store, org, source, options, move |_| sender.send(()).unwrap());
    tokio::select! {
        biased;
        () = async { for _ in 0..batches { receiver.recv().await.unwrap(); } } => {}
        ended = importing => panic!("it came to its end: {ended:?}"),
    }
}

#[tokio::test]
async fn what_has_broken_off_anywhere_is_gone_on_with_and_everything_is_stored_once() {
    let seed = rand::rng().random();
    let mut random = StdRng::seed_from_u64(seed);
    let folder = Folder::new();
    let path = folder.file("mixed.jsonl", &mixed(100, seed));
    for _ in 0..3 {
        let graph = Graph::new().await;
        let options = batches_of(10);
        for _ in 0..random.random_range(1..4) {
            break_off(&graph, lines(&path), &options, random.random_range(1..6)).await;
        }
        let report = run(&graph, lines(&path), &options).await.unwrap();
        assert!(report.has_gone_on);
        let told = format!("{report} of seed {seed}");
        assert_eq!(
            told,
            format!(
                "200 lines: entities 100 created, 0 updated, 0 unchanged; relationships 100 created, 0 updated, 0 unchanged; 0 bad lines of seed {seed}"
            )
        );
        // Ten batches of each pass, and the end of it.
        assert_eq!(graph.traces().await, [1, 100, 100, 0, 201, 21], "seed {seed}");
        assert_eq!(graph.count("entities.imports").await, 0);
    }
}

#[tokio::test]
async fn an_import_that_goes_on_remembers_what_was_wrong_before() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let bad = format!("nothing\n{}\n{}", mixed(40, 1), relationship("k1", "nowhere", 1.0));
    let path = folder.file("bad.jsonl", &bad);
    break_off(&graph, lines(&path), &batches_of(10), 2).await;
    let report = run(&graph, lines(&path), &batches_of(10)).await.unwrap();
    assert_snapshot!(report, @"82 lines: entities 40 created, 0 updated, 0 unchanged; relationships 40 created, 0 updated, 0 unchanged; 2 bad lines");
    assert_eq!((report.bad_lines[0].line, report.bad_lines[1].line), (1, 82));
}

#[tokio::test]
async fn another_file_another_rule_and_from_the_start_begin_anew() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let path = folder.file("one.jsonl", &mixed(40, 2));
    break_off(&graph, lines(&path), &batches_of(10), 3).await;
    let skipping = ImportOptions { on_conflict: OnConflict::Skip, ..batches_of(10) };
    let report = run(&graph, lines(&path), &skipping).await.unwrap();
    assert_eq!(
        (report.entities.unchanged >= 30, report.entities.created),
        (true, 40 - report.entities.unchanged)
    );
    let anew = ImportOptions { from_start: true, ..batches_of(10) };
    let report = run(&graph, lines(&path), &anew).await.unwrap();
    assert_eq!((report.entities.unchanged, report.relationships.unchanged), (40, 40));
    // The one that broke off is still known, and comes to its end.
    assert_eq!(graph.count("entities.imports").await, 0);
}

#[tokio::test]
async fn two_processes_at_the_same_import_do_not_store_anything_twice() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let path = folder.file("one.jsonl", &mixed(200, 3));
    let options = batches_of(10);
    let (one, other) = tokio::join!(run(&graph, lines(&path), &options), run(&graph, lines(&path), &options));
    let ended = [one, other].into_iter().filter_map(|ended| match ended {
        Ok(_) => Some(()),
        Err(ImportError::Elsewhere) => None,
        Err(error) => panic!("{error}"),
    });
    assert!(ended.count() <= 1);
    run(&graph, lines(&path), &options).await.unwrap();
    assert_eq!(graph.traces().await[..5], [1, 200, 200, 0, 401]);
}

#[tokio::test]
async fn rules_say_what_becomes_of_what_is_there_and_different() {
    let folder = Folder::new();
    let before = [entity("a", "A"), entity("b", "B"), relationship("a", "b", 0.5)].join("\n");
    let after = [
        entity("a", "A"),
        entity("b", "other"),
        entity("c", "C"),
        relationship("a", "b", 0.9),
        relationship("a", "c", 0.9),
        entity("c", "twice"),
    ];
    let (before, after) =
        (folder.file("before.jsonl", &before), folder.file("after.jsonl", &after.join("\n")));
    for (rule, expected) in [
        (
            OnConflict::Update,
            "6 lines: entities 1 created, 2 updated, 1 unchanged; relationships 1 created, 1 updated, 0 unchanged; 0 bad lines",
        ),
        (
            OnConflict::Skip,
            "6 lines: entities 1 created, 0 updated, 1 unchanged, 2 different and left so; relationships 1 created, 0 updated, 0 unchanged, 1 different and left so; 0 bad lines",
        ),
    ] {
        let graph = Graph::new().await;
        run(&graph, lines(&before), &ImportOptions::default()).await.unwrap();
        let options = ImportOptions { on_conflict: rule, ..ImportOptions::default() };
        let traces = graph.traces().await;
        let rehearsed = ImportOptions { is_dry_run: true, ..options.clone() };
        let rehearsed = run(&graph, lines(&after), &rehearsed).await.unwrap();
        assert_eq!(graph.traces().await, traces, "{rule:?} without doing it");
        assert_eq!(run(&graph, lines(&after), &options).await.unwrap().to_string(), expected, "{rule:?}");
        assert_eq!(rehearsed.to_string(), expected, "{rule:?} without doing it");
        let again = run(&graph, lines(&after), &options).await.unwrap();
        assert_eq!((again.entities.created, again.relationships.created), (0, 0));
    }
}

#[tokio::test]
async fn a_conflict_that_must_not_be_ends_the_import_before_its_batch() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let before = folder
        .file("before.jsonl", &[entity("b", "B"), entity("z", "Z"), relationship("b", "z", 0.5)].join("\n"));
    run(&graph, lines(&before), &ImportOptions::default()).await.unwrap();
    let text = [
        entity("a", "A"),
        entity("b", "B"),
        entity("c", "C"),
        entity("b", "other"),
        relationship("b", "z", 1.0),
    ];
    let path = folder.file("after.jsonl", &text.join("\n"));
    let failing = ImportOptions { on_conflict: OnConflict::Fail, ..batches_of(2) };

    let rehearsed =
        run(&graph, lines(&path), &ImportOptions { is_dry_run: true, ..failing.clone() }).await.unwrap();
    let refused: Vec<_> =
        rehearsed.bad_lines.iter().map(|bad| format!("{}: {}", bad.line, bad.reason)).collect();
    assert_snapshot!(refused.join("\n"), @r#"
    4: an entity with the key "b" is there already, and different
    5: a relationship "needs" from "b" to "z" is there already, and different
    "#);
    assert_eq!(graph.count("entities.entities").await, 2);

    let error = run(&graph, lines(&path), &failing).await.unwrap_err();
    assert_snapshot!(error, @r#"line 4: an entity with the key "b" is there already, and different: choose what becomes of conflicts, to skip or to update them"#);
    assert_eq!(graph.count("entities.entities").await, 3);
    // The same file with nothing in the way: what it has stored itself is no conflict.
    let path = folder.file("after.jsonl", &text[..3].join("\n"));
    let report = run(&graph, lines(&path), &failing).await.unwrap();
    assert_eq!((report.entities.created, report.entities.unchanged), (1, 2));
}

#[tokio::test]
async fn a_rehearsal_says_what_would_be_and_does_nothing() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let strict = "mutation { createEntityType(input: { name: \"strict\", propertiesSchema: { required: [\"size\"] } }) { __typename } }";
    graph.data(strict, json!({})).await;
    let odd = json!({ "kind": "entity", "key": "s", "type": "strict", "name": "S" }).to_string();
    let text = format!("{}\n{odd}\n{}\nnothing", mixed(50, 4), relationship("k1", "s", 1.0));
    let path = folder.file("mixed.jsonl", &text);
    let traces = graph.traces().await;
    let dry = ImportOptions { is_dry_run: true, ..batches_of(7) };
    let rehearsed = run(&graph, lines(&path), &dry).await.unwrap();
    assert_eq!((graph.traces().await, graph.count("entities.imports").await), (traces, 0));
    assert_eq!(run(&graph, lines(&path), &batches_of(7)).await.unwrap(), rehearsed);
    assert_snapshot!(rehearsed, @"103 lines: entities 50 created, 0 updated, 0 unchanged; relationships 50 created, 0 updated, 0 unchanged; 3 bad lines");
    assert_eq!(rehearsed.types_created, 1);
    let rehearsed = run(&graph, lines(&path), &dry).await.unwrap();
    assert_eq!((rehearsed.entities.unchanged, rehearsed.relationships.unchanged), (50, 50));
}

#[tokio::test]
async fn relationships_lead_to_nothing_in_another_organization() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let path =
        folder.file("a.jsonl", &[entity("a", "A"), entity("b", "B"), relationship("a", "b", 1.0)].join("\n"));
    run(&graph, lines(&path), &ImportOptions::default()).await.unwrap();
    let other = OrgId::new(graph.store.clock().now());
    let path = folder.file("b.jsonl", &[entity("b", "other"), relationship("b", "a", 1.0)].join("\n"));
    let report = import(&graph.store, other, lines(&path), &ImportOptions::default(), |_| {}).await.unwrap();
    assert_eq!((report.entities.created, report.relationships.created), (1, 0));
    assert_snapshot!(report.bad_lines[0].reason, @r#"`target` refers to no entity of this organization: none has the key "a""#);
    let data = graph.data("{ entity(key: \"b\") { name version } }", json!({})).await;
    assert_eq!(data["entity"], json!({ "name": "B", "version": 1 }));
}

#[tokio::test]
async fn tables_and_graphml_come_in_with_a_mapping() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let mapping = r#"{ "entities": { "key": "id", "type": { "value": "city" }, "name": "label",
                         "properties": { "people": { "column": "pop", "as": "integer" } } },
                       "relationships": { "type": { "value": "road" }, "source": "from", "target": "to" } }"#;
    let roads = folder.file("roads.csv", "from,to\n1,2\n1,3\n");
    let cities = folder.file("cities.csv", "id,label,pop\n1,Bern,134794\n2,Biel,many\n3,Thun,43476\n");
    let files = [(roads, Format::Csv), (cities, Format::Csv)];
    let source = Source::files(files).mapped(Mapping::try_new(mapping).unwrap());
    let report = run(&graph, source, &ImportOptions::default()).await.unwrap();
    assert_snapshot!(report, @"7 lines: entities 2 created, 0 updated, 0 unchanged; relationships 1 created, 0 updated, 0 unchanged; 2 bad lines");
    let bad: Vec<_> =
        report.bad_lines.iter().map(|bad| format!("{} {}: {}", bad.file, bad.line, bad.reason)).collect();
    assert_snapshot!(bad.join("\n"), @r#"
    0 2: `target` refers to no entity of this organization: none has the key "2"
    1 3: `pop` is "many": expected a whole number
    "#);

    let graphml = r#"<graphml><key id="t" for="all" attr.name="type"/><graph>
        <edge source="1" target="x"><data key="t">visits</data></edge>
        <node id="x"><data key="t">person</data></node></graph></graphml>"#;
    let source = Source::files([(folder.file("x.graphml", graphml), Format::GraphMl)]);
    let report = run(&graph, source, &ImportOptions::default()).await.unwrap();
    assert_eq!((report.entities.created, report.relationships.created, report.bad_line_count), (1, 1, 0));
}

#[tokio::test]
async fn what_cannot_be_read_on_leaves_what_came_before() {
    let (graph, folder) = (Graph::new().await, Folder::new());
    let cut = r#"<graphml><key id="t" for="all" attr.name="type"/><graph><node id="x"><data key="t">person</data></node>"#;
    let path = folder.file("x.graphml", cut);
    let error =
        run(&graph, Source::files([(path.clone(), Format::GraphMl)]), &ImportOptions::default()).await;
    let ImportError::Read { name, source } = error.unwrap_err() else { panic!("it cannot be read") };
    assert_eq!(name, path.display().to_string());
    assert_snapshot!(source, @"line 1, column 104: the file ends before </graphml>: it was cut off");
    let missing = run(&graph, lines(Path::new("/no/such.jsonl")), &ImportOptions::default()).await;
    assert_snapshot!(missing.unwrap_err(), @"cannot open /no/such.jsonl");
}
