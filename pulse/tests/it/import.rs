//! `pulse import` into a server that was named.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::Signal;
use pulse_testkit::TestDatabase;
use tokio::process::Command;

use crate::support::organization::{SLUG, database};
use crate::support::process::{Running, pulse, run};

/// Entities of the large file; each but the first has a relationship to the one before and to the first.
const ENTITIES: usize = 5_000;

fn import(database: &TestDatabase, file: &str) -> Command {
    let mut command = pulse(["import", file, "--org", SLUG]);
    command.env("DATABASE_URL", database.url());
    command
}

/// Entities and relationships mixed, so that both are there whenever an import of it breaks off.
fn large_file() -> String {
    let mut lines = String::new();
    for number in 0..ENTITIES {
        let entity =
            format!(r#"{{"kind": "entity", "key": "n{number}", "type": "node", "name": "Node {number}"}}"#);
        writeln!(lines, "{entity}").expect("a String takes everything");
        for (kind, target) in [("follows", number.wrapping_sub(1)), ("descends", 0)] {
            if number > 0 {
                let relationship = format!(
                    r#"{{"kind": "relationship", "type": "{kind}", "source": "n{number}", "target": "n{target}"}}"#
                );
                writeln!(lines, "{relationship}").expect("a String takes everything");
            }
        }
    }
    lines
}

/// What the database has.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
struct Counts {
    entities: i64,
    relationships: i64,
    /// Relationships with an end that is not there.
    dangling: i64,
}

async fn counts(database: &TestDatabase) -> anyhow::Result<Counts> {
    let counts = sqlx::query_as(
        "SELECT (SELECT count(*) FROM entities.entities) AS entities,
                count(*) AS relationships,
                count(*) FILTER (WHERE source.id IS NULL OR target.id IS NULL) AS dangling
         FROM entities.relationships r
         LEFT JOIN entities.entities source ON source.org_id = r.org_id AND source.id = r.source_id
         LEFT JOIN entities.entities target ON target.org_id = r.org_id AND target.id = r.target_id",
    );
    Ok(counts.fetch_one(&mut database.connect().await?).await?)
}

#[tokio::test]
async fn killed_in_the_middle_it_has_whole_batches_and_the_same_command_finishes() -> anyhow::Result<()> {
    let database = database().await?;
    let text = large_file();
    let mut killed = import(&database, "-");
    killed.args(["--batch", "500"]);
    let mut killed = Running::spawn(killed)?;
    // It reads on only when the batches before are committed, and what it and the pipe hold is less than a third.
    killed.feed(&text.as_bytes()[..text.len() / 4 * 3]).await?;
    assert_eq!(killed.end(Signal::SIGKILL).await?.code, None);
    let part = counts(&database).await?;
    assert!(0 < part.entities && part.entities < i64::try_from(ENTITIES)?, "{part:?}");
    assert!(0 < part.relationships && part.dangling == 0, "{part:?}");
    assert_eq!((part.entities + part.relationships) % 500, 0, "{part:?}");

    let place = tempfile::tempdir()?;
    let file = place.path().join("large.jsonl");
    fs::write(&file, &text)?;
    let path = file.to_string_lossy();
    let rest = run(import(&database, &path)).await?.success()?;
    let entities = i64::try_from(ENTITIES)?;
    let relationships = 2 * (entities - 1);
    assert_eq!(counts(&database).await?, Counts { entities, relationships, dangling: 0 });
    let lines = entities + relationships;
    let expected = format!(
        "{lines} lines: entities {} created, 0 updated, {} unchanged; relationships {} created, 0 updated, {} \
         unchanged; 0 bad lines\n",
        entities - part.entities,
        part.entities,
        relationships - part.relationships,
        part.relationships
    );
    assert_eq!(rest, expected);
    Ok(())
}

#[tokio::test]
async fn told_to_stop_it_ends_though_its_input_stays_open() -> anyhow::Result<()> {
    let database = database().await?;
    let text = large_file();
    let mut stopped = import(&database, "-");
    stopped.args(["--batch", "100"]);
    let mut stopped = Running::spawn(stopped)?;
    stopped.feed(&text.as_bytes()[..1_000_000]).await?;
    let ended = stopped.end(Signal::SIGTERM).await?;
    insta::assert_snapshot!(ended.refusal(&[]), @"
    exit code 1
    error: stopped; what was committed stays, and the same command goes on
    ");
    assert!(counts(&database).await?.entities > 0);
    Ok(())
}

#[tokio::test]
async fn bad_lines_are_reported_by_number_and_the_others_imported() -> anyhow::Result<()> {
    let database = database().await?;
    let place = tempfile::tempdir()?;
    let file = place.path().join("some-bad.jsonl");
    let lines = [
        r#"{"kind": "entity", "key": "a", "type": "node", "name": "A"}"#,
        r#"{"kind": "entity", "key": "b", "type": "node""#,
        r#"{"kind": "place", "key": "c"}"#,
        "",
        r#"{"kind": "entity", "key": "d", "type": "node", "name": "D", "confidence": 1.5}"#,
        r#"{"kind": "relationship", "type": "knows", "source": "a", "target": "nobody"}"#,
        r#"{"kind": "entity", "key": "e", "type": "node", "name": "E"}"#,
    ];
    fs::write(&file, lines.join("\n"))?;
    let refused = run(import(&database, &file.to_string_lossy())).await?;
    insta::assert_snapshot!(refused.stdout, @"7 lines: entities 2 created, 0 updated, 0 unchanged; relationships 0 created, 0 updated, 0 unchanged; 4 bad lines");
    insta::assert_snapshot!(refused.refusal(&[]), @r#"
    exit code 43
    line 2: EOF while parsing an object at column 45
    line 3: unknown variant `place`, expected `entity` or `relationship` at column 16
    line 5: `confidence` is 1.5, allowed is 0 to 1
    line 6: `target` refers to no entity of this organization: none has the key "nobody"
    error: 4 lines were not imported; the report above says which and why
    "#);
    assert_eq!(counts(&database).await?.entities, 2);
    Ok(())
}

#[tokio::test]
async fn unknown_organization_and_missing_file_are_named() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let place = tempfile::tempdir()?;
    let file = place.path().join("one.jsonl");
    fs::write(&file, r#"{"kind": "entity", "key": "a", "type": "node", "name": "A"}"#)?;
    let refused = run(import(&database, &file.to_string_lossy())).await?;
    insta::assert_snapshot!(refused.refusal(&[]), @r#"
    exit code 42
    error: there is no organization "library"; create it with the mutation createOrganization, or check the slug
    "#);

    let folder = place.path().to_string_lossy();
    let missing = run(import(&database, &format!("{folder}/missing.jsonl"))).await?;
    insta::assert_snapshot!(missing.refusal(&[(&folder, "[folder]")]), @"
    exit code 1
    error: cannot read [folder]/missing.jsonl
      because: No such file or directory
    ");
    let no_file = run(import(&database, &folder)).await?;
    insta::assert_snapshot!(no_file.refusal(&[(&folder, "[folder]")]), @"
    exit code 1
    error: [folder] is not a file
    ");
    Ok(())
}

#[tokio::test]
async fn a_file_on_standard_input_is_read() -> anyhow::Result<()> {
    let database = database().await?;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/package-graph.jsonl");
    let mut command = import(&database, "-");
    let output = command.stdin(Stdio::from(fs::File::open(demo)?)).output().await?;
    assert_eq!(
        String::from_utf8(output.stdout)?,
        "11122 lines: entities 1803 created, 0 updated, 0 unchanged; relationships 9319 created, 0 updated, 0 \
         unchanged; 0 bad lines\n"
    );
    assert!(output.status.success());
    let counted = counts(&database).await?;
    assert_eq!(counted, Counts { entities: 1803, relationships: 9319, dangling: 0 });
    Ok(())
}
