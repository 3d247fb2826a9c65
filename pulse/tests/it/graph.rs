//! `pulse graph import` and `pulse graph export`.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use nix::sys::signal::Signal;
use pulse_testkit::TestDatabase;
use tokio::process::Command;

use crate::support::organization::{SLUG, database};
use crate::support::process::{Running, pulse, run};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/package-graph.jsonl");

fn graph(database: &TestDatabase, words: &[&str]) -> Command {
    let mut command = pulse(["graph"]);
    command.args(words).args(["--org", SLUG]).env("DATABASE_URL", database.url());
    command
}

async fn count(database: &TestDatabase, rows: &'static str) -> anyhow::Result<i64> {
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {rows}"));
    Ok(sqlx::query_scalar(count).fetch_one(&mut database.connect().await?).await?)
}

/// Changes of the graph that were told of, wherever they are on their way to the log.
const TOLD: &str = "(SELECT subject FROM platform.outbox UNION ALL SELECT subject FROM platform.log) WHERE subject LIKE 'entities.%'";

#[tokio::test]
async fn killed_in_the_middle_of_a_file_it_goes_on_where_it_was_and_tells_each_change_once()
-> anyhow::Result<()> {
    let database = database().await?;
    for batches in [3, 30] {
        let killed = graph(&database, &["import", DEMO, "--batch", "50"]);
        let killed = Running::spawn(killed)?;
        // An audit fact for each batch.
        while count(&database, "platform.audit WHERE action = 'entity:import'").await? < batches {}
        assert_eq!(killed.end(Signal::SIGKILL).await?.code, None);
        assert_eq!(count(&database, "entities.imports").await?, 1);
    }
    let ended = run(graph(&database, &["import", DEMO, "--batch", "50"])).await?;
    assert_snapshot!(ended.stderr.trim_end(), @"went on where the same import had broken off, and counts what it had done");
    assert_snapshot!(ended.success()?.trim_end(), @"11122 lines: entities 1803 created, 0 updated, 0 unchanged; relationships 9319 created, 0 updated, 0 unchanged; 0 bad lines");
    assert_eq!(count(&database, "entities.imports").await?, 0);
    // And the two types.
    assert_eq!(count(&database, TOLD).await?, 1803 + 9319 + 2);
    Ok(())
}

#[tokio::test]
async fn what_is_exported_is_imported_as_the_same_in_every_format() -> anyhow::Result<()> {
    let source = database().await?;
    run(graph(&source, &["import", DEMO])).await?.success()?;
    let place = tempfile::tempdir()?;
    let path = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    let original = run(graph(&source, &["export"])).await?;
    assert!(
        original.stderr.starts_with("1803 entities and 9319 relationships exported, "),
        "{}",
        original.stderr
    );
    let original = sorted(&original.success()?);
    for (format, name, files) in [
        ("jsonl", "graph.jsonl", vec!["graph.jsonl"]),
        ("graphml", "graph.graphml", vec!["graph.graphml"]),
        ("csv", "tables", vec!["tables/relationships.csv", "tables/entities.csv"]),
    ] {
        run(graph(&source, &["export", "--format", format, "--file", &path(name)])).await?.success()?;
        let copy = database().await?;
        let mut import = graph(&copy, &["import"]);
        import.args(files.iter().map(|file| path(file)));
        run(import).await?.success()?;
        assert_eq!(sorted(&run(graph(&copy, &["export"])).await?.success()?), original, "{format}");
    }
    let left: Vec<_> = walk(place.path())?;
    assert_eq!(left, ["graph.graphml", "graph.jsonl", "tables/entities.csv", "tables/relationships.csv"]);
    let gexf = run(graph(&source, &["export", "--format", "gexf"])).await?.success()?;
    assert_eq!((gexf.matches("<node ").count(), gexf.matches("<edge ").count()), (1803, 9319));
    let linked = run(graph(&source, &["export", "--format", "json-ld"])).await?.success()?;
    let linked: serde_json::Value = serde_json::from_str(&linked)?;
    assert_eq!(linked["@graph"].as_array().map(Vec::len), Some(1803 + 2 * 9319));
    Ok(())
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// The files in a folder and those in it.
fn walk(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            files.extend(walk(&entry.path())?.into_iter().map(|file| format!("{name}/{file}")));
        } else {
            files.push(name);
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() -> anyhow::Result<()> {
    let database = database().await?;
    let ended = run(graph(&database, &["import", DEMO, "--dry-run"])).await?.success()?;
    assert_snapshot!(ended.trim_end(), @"nothing was changed; it would be 11122 lines: entities 1803 created, 0 updated, 0 unchanged; relationships 9319 created, 0 updated, 0 unchanged; 0 bad lines");
    assert_eq!((count(&database, "entities.entities").await?, count(&database, TOLD).await?), (0, 0));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_by_exit_codes() -> anyhow::Result<()> {
    let (database, place) = (database().await?, tempfile::tempdir()?);
    let folder = place.path().to_string_lossy().into_owned();
    let file = |name: &str, text: &str| -> anyhow::Result<String> {
        let path = place.path().join(name);
        fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    };
    let (one, other) =
        (file("a.csv", "key,type\na,t\n")?, file("b.csv", "key,type,name\nb,t,B\na,t,other\n")?);
    run(graph(&database, &["import", &one])).await?.success()?;
    let refused = run(graph(&database, &["import", &one, &other, "--on-conflict", "fail"])).await?;
    assert_snapshot!(refused.refusal(&[(&folder, "[folder]")]), @r#"
    exit code 53
    error: line 3: an entity with the key "a" is there already, and different: choose what becomes of conflicts, to skip or to update them, with --on-conflict; the batches before it are imported
    "#);
    let left = run(graph(&database, &["import", &one, &other, "--on-conflict", "skip"])).await?.success()?;
    assert_snapshot!(left.trim_end(), @"5 lines: entities 0 created, 0 updated, 2 unchanged, 1 different and left so; relationships 0 created, 0 updated, 0 unchanged; 0 bad lines");

    let bomb = "<!DOCTYPE g [<!ENTITY a \"b\">]>\n<graphml/>";
    let refused = run(graph(&database, &["import", &file("bomb.graphml", bomb)?])).await?;
    assert_snapshot!(refused.refusal(&[(&folder, "[folder]")]), @"
    exit code 52
    error: [folder]/bomb.graphml, line 1, column 31: there is a document type (<!DOCTYPE …>), which is not read: take it out of the file; what comes before is imported
    ");
    let refused = run(graph(&database, &["import", &one, "--mapping", &file("m.json", "{}}")?])).await?;
    assert_snapshot!(refused.refusal(&[(&folder, "[folder]")]), @"
    exit code 1
    error: [folder]/m.json cannot be used
      because: the mapping is not as it should be: trailing characters at line 1 column 3
    ");
    let roads = file("roads.csv", "type,source,target\nroad,a,nowhere\n")?;
    let refused = run(graph(&database, &["import", &roads, &one])).await?;
    assert_snapshot!(refused.refusal(&[(&folder, "[folder]")]), @r#"
    exit code 43
    [folder]/roads.csv, line 2: `target` refers to no entity of this organization: none has the key "nowhere"
    error: 1 lines were not imported; the report above says which and why
    "#);
    let refused = run(graph(&database, &["export", "--format", "csv"])).await?;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    Ok(())
}
