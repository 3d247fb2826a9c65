//! Exports, and that they come in again as the same.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use insta::assert_snapshot;
use pulse_entities::export::{ExportError, Exported, Output, Part, Sink, export};
use pulse_entities::import::{Format, ImportOptions, Source, import};
use pulse_types::{Caller, Effect, OrgId, Permission, Permissions, RequestId, Resource, ResourceKind};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Graph;

#[derive(Default)]
struct Pieces {
    entities: Vec<u8>,
    relationships: Vec<u8>,
}

impl Sink for Pieces {
    async fn write(&mut self, part: Part, bytes: &[u8]) -> io::Result<()> {
        match part {
            Part::Entities => self.entities.extend_from_slice(bytes),
            Part::Relationships => self.relationships.extend_from_slice(bytes),
        }
        Ok(())
    }
}

impl Pieces {
    fn whole(mut self) -> Vec<u8> {
        self.entities.append(&mut self.relationships);
        self.entities
    }
}

async fn exported(graph: &Graph, caller: &Arc<Caller>, output: Output) -> (Pieces, Exported) {
    let (mut pieces, session) = (Pieces::default(), graph.store.session(Arc::clone(caller)));
    let exported = export(&session, output, &mut pieces, |_| {}).await.unwrap();
    (pieces, exported)
}

/// 1,200 entities, more than a page, with properties of all sorts, and as many relationships.
async fn large() -> Graph {
    let graph = Graph::new().await;
    let mut text = String::new();
    for n in 0..1_200_u32 {
        let odd = ["plain", "<&>\"'", "two\nlines\r\n", "\u{1}\u{ffff}", "=1+1", ""][n as usize % 6];
        let properties = json!({ "n": n, "ratio": f64::from(n) / 7.0, "odd": odd, "even": n % 2 == 0, "mixed": if n % 2 == 0 { json!(n) } else { json!([odd]) },
                                 "name": null, "type": { "a": [n] } });
        let entity = json!({ "kind": "entity", "key": format!("k {n} <&>"), "type": (["thing", "other"][n as usize % 2]), "name": format!("K, \"{n}\""),
                             "description": (n % 3 == 0).then_some(format!("{odd} of {n}")), "confidence": 0.5, "properties": properties });
        text.push_str(&format!("{entity}\n"));
        let (source, target) = (format!("k {n} <&>"), format!("k {} <&>", n * 7 % 1_200));
        let relationship = json!({ "kind": "relationship", "type": (["needs", "knows"][n as usize % 2]), "source": source, "target": target,
                                   "confidence": 0.25, "properties": { "since": odd, "n": n } });
        text.push_str(&format!("{relationship}\n"));
    }
    let source = Source::stream(io::Cursor::new(text), Format::JsonLines);
    let org = graph.caller.org.unwrap();
    let report = import(&graph.store, org, source, &ImportOptions::default(), |_| {}).await.unwrap();
    assert_eq!((report.entities.created, report.relationships.created), (1_200, 1_200), "{report}");
    graph
}

fn lines(text: Vec<u8>) -> Vec<Value> {
    let text = String::from_utf8(text).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_is_exported_comes_into_another_organization_as_the_same() {
    let (graph, folder) = (large().await, tempfile::tempdir().unwrap());
    let (original, counted) = exported(&graph, &graph.caller, Output::JsonLines).await;
    assert_eq!((counted.entities, counted.relationships), (1_200, 1_200));
    let original = lines(original.whole());
    for (output, format) in [
        (Output::JsonLines, Format::JsonLines),
        (Output::Csv, Format::Csv),
        (Output::GraphMl, Format::GraphMl),
    ] {
        let (pieces, counted) = exported(&graph, &graph.caller, output).await;
        assert_eq!(counted.bytes, (pieces.entities.len() + pieces.relationships.len()) as u64);
        let file = |name: &str, bytes: &[u8]| -> (PathBuf, Format) {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            (path, format)
        };
        let files = if output == Output::Csv {
            vec![file("relationships", &pieces.relationships), file("entities", &pieces.entities)]
        } else {
            vec![file("graph", &pieces.whole())]
        };
        let other = OrgId::new(graph.store.clock().now());
        let options = ImportOptions::default();
        let imported = import(&graph.store, other, Source::files(files), &options, |_| {}).await.unwrap();
        assert_eq!(imported.bad_lines, [], "{output:?}");
        let stranger = Arc::new(Caller::system(other, RequestId::new(graph.store.clock().now())));
        let (copy, _) = exported(&graph, &stranger, Output::JsonLines).await;
        assert_eq!(lines(copy.whole()), original, "{output:?}");
    }
}

/// An export, while which the graph changes.
struct Meanwhile<'a>(&'a Graph, Pieces);
impl Sink for Meanwhile<'_> {
    async fn write(&mut self, part: Part, bytes: &[u8]) -> io::Result<()> {
        if part == Part::Entities {
            let late = json!([{ "key": "late", "type": "package", "name": "late" }]);
            self.0.upsert_entities(late).await;
            self.0.relate(&[("a", "needs", "late"), ("a", "needs", "c")]).await;
        }
        self.1.write(part, bytes).await
    }
}

#[tokio::test]
async fn an_export_has_what_was_there_at_its_beginning() {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "needs", "b")]).await;
    let mut meanwhile = Meanwhile(&graph, Pieces::default());
    let session = graph.store.session(Arc::clone(&graph.caller));
    let exported = export(&session, Output::JsonLines, &mut meanwhile, |_| {}).await.unwrap();
    assert_eq!((exported.entities, exported.relationships), (4, 1));
    assert_eq!(graph.count("entities.relationships").await, 3);
    assert_snapshot!(String::from_utf8(meanwhile.1.relationships).unwrap(), @r#"{"kind":"relationship","type":"needs","source":"a","target":"b","confidence":1.0}"#);
}

#[tokio::test]
async fn nobody_exports_what_they_do_not_see() {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "needs", "b"), ("b", "needs", "c")]).await;
    let stranger = graph.of_another_organization();
    assert_eq!(exported(&graph, &stranger, Output::JsonLd).await.1.entities, 0);

    // Nothing is said of those who see b; who does not sees neither it nor what leads to it.
    let b = Resource::new(ResourceKind::ENTITY, graph.id_of("b").await.parse::<Uuid>().unwrap());
    let rights = [(Effect::Deny, Permission::ENTITY_READ, b)].into_iter().collect();
    let narrowed = Arc::new(Caller { rights, ..(*graph.caller).clone() });
    let (pieces, counted) = exported(&graph, &narrowed, Output::GraphMl).await;
    assert_eq!((counted.entities, counted.relationships), (3, 0));
    assert!(!String::from_utf8(pieces.whole()).unwrap().contains("package b"));

    let nobody = Arc::new(Caller { permissions: Permissions::default(), ..(*graph.caller).clone() });
    let session = graph.store.session(nobody);
    let refused = export(&session, Output::JsonLines, &mut Pieces::default(), |_| {}).await;
    assert!(matches!(refused, Err(ExportError::Refused(_))));
}
