//! `pulse dev` on a folder of its own.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::http::{answer, ask};
use crate::support::process::{Ended, Running, pulse, run};

/// The last line of the announcement.
const READY: &str = "Ctrl-C stops it.";

/// How long stopping may take, on a loaded machine.
const SECONDS: Duration = Duration::from_secs(15);

const COUNTS: &str =
    "{ entities { totalCount } relationships { totalCount } organization { activity(days: 31) { total } } }";

fn dev(folder: &Path, words: &[&str]) -> Command {
    let mut command = pulse(["dev", "--listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(folder).args(words);
    command
}

async fn start(folder: &Path, words: &[&str]) -> anyhow::Result<Running> {
    Running::start(dev(folder, words), READY).await
}

/// Ctrl-C, after which nothing is left: neither the program nor its PostgreSQL.
async fn stop(running: Running, folder: &Path) -> anyhow::Result<()> {
    let server = postmaster(folder)?;
    let told = Instant::now();
    let ended = running.end(Signal::SIGINT).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.refusal(&[]));
    assert!(told.elapsed() < SECONDS, "it took {:?}", told.elapsed());
    assert_eq!(kill(server, None), Err(Errno::ESRCH));
    Ok(())
}

/// The process id of the private PostgreSQL.
fn postmaster(folder: &Path) -> anyhow::Result<Pid> {
    let file = fs::read_to_string(folder.join("postgres/data/postmaster.pid"))?;
    Ok(Pid::from_raw(file.lines().next().context("it names its process")?.parse()?))
}

/// The access token in the printed example.
fn token(said: &str) -> anyhow::Result<&str> {
    let (_, after) = said.split_once("authorization: Bearer ").context("an example is printed")?;
    Ok(after.split_once('\'').context("the header ends")?.0)
}

/// What the printed command prints, run in a shell as it stands.
async fn paste(said: &str) -> anyhow::Result<Value> {
    let (_, example) = said.split_once("Try it:\n\n").context("an example is printed")?;
    let (example, _) = example.split_once("\n\n").context("the example ends")?;
    let mut shell = Command::new("sh");
    shell.args(["-c", example]);
    Ok(serde_json::from_str(&run(shell).await?.success()?)?)
}

#[tokio::test]
async fn demo_answers_from_four_subgraphs_and_outlives_ctrl_c_and_kill() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("pulse");
    let first = start(&folder, &["--demo"]).await?;
    let answered = paste(&first.said).await?;
    four_subgraphs_answered(&answered);
    let counts = ask(first.url(), Some(token(&first.said)?), COUNTS, json!({})).await?;
    assert_eq!(
        counts,
        json!({
            "entities": { "totalCount": 1803 },
            "relationships": { "totalCount": 9319 },
            "organization": { "activity": { "total": 1765.0 } },
        })
    );
    stop(first, &folder).await?;

    let second = start(&folder, &["--demo"]).await?;
    assert_eq!(paste(&second.said).await?, answered);
    assert_eq!(ask(second.url(), Some(token(&second.said)?), COUNTS, json!({})).await?, counts);
    import_beside(&second, &folder).await?;
    assert_eq!(second.end(Signal::SIGKILL).await?.code, None);

    let third = start(&folder, &["--demo"]).await?;
    let found = r#"{ entities(filter: { type: "book" }) { nodes { name } } }"#;
    let found = ask(third.url(), Some(token(&third.said)?), found, json!({})).await?;
    assert_eq!(found, json!({ "entities": { "nodes": [{ "name": "A book" }] } }));
    assert_eq!(paste(&third.said).await?, answered);
    stop(third, &folder).await
}

fn four_subgraphs_answered(answer: &Value) {
    assert!(answer.get("errors").is_none(), "{answer}");
    let data = &answer["data"];
    assert_eq!(data["me"], json!({ "name": "Demo" }));
    assert_eq!(data["organization"]["name"], "Demo");
    assert!(data["organization"]["activity"]["total"].as_f64() > Some(1000.0), "{answer}");
    let nodes = data["entities"]["nodes"].as_array().expect("a list");
    assert_eq!(nodes.len(), 3);
    for node in nodes {
        assert!(node["relationships"]["nodes"][0]["target"]["name"].is_string(), "{node}");
        let similar = node["similar"].as_array().expect("a list");
        assert_eq!(similar.len(), 3, "{node}");
        assert!(similar.iter().all(|similar| similar["entity"]["name"].is_string()), "{node}");
    }
}

/// Imports into the private PostgreSQL of a running `pulse dev`.
async fn import_beside(running: &Running, folder: &Path) -> anyhow::Result<()> {
    let file = folder.with_extension("jsonl");
    fs::write(&file, r#"{"kind": "entity", "key": "book:1", "type": "book", "name": "A book"}"#)?;
    let mut import = pulse(["import", "--org", "demo", "--data-dir"]);
    import.arg(folder).arg(&file);
    assert_eq!(
        run(import).await?.success()?,
        "1 lines: entities 1 created, 0 updated, 0 unchanged; relationships 0 created, 0 updated, 0 unchanged; 0 bad lines\n"
    );
    // What another process writes is seen as soon as the event log has it.
    let token = token(&running.said)?;
    let seen = async {
        while ask(running.url(), Some(token), COUNTS, json!({})).await?["entities"]["totalCount"] != 1804 {}
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await?
}

#[tokio::test]
async fn reset_empties_the_folder_which_belongs_to_one_process_at_a_time() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("pulse");
    let register = "mutation ($input: RegisterInput!) { register(input: $input) { user { name } } }";
    let input = json!({ "email": "ada@example.com", "password": "a password for this test", "name": "Ada" });

    let first = start(&folder, &[]).await?;
    ask(first.url(), None, register, json!({ "input": input })).await?;
    let again = answer(first.url(), None, register, json!({ "input": input })).await?;
    assert!(again.text.contains("errors"), "{}", again.text);
    for words in [&[][..], &["--reset"]] {
        in_use(&run(dev(&folder, words)).await?, &folder)?;
    }
    stop(first, &folder).await?;

    let second = start(&folder, &["--reset"]).await?;
    ask(second.url(), None, register, json!({ "input": input })).await?;
    stop(second, &folder).await
}

fn in_use(refused: &Ended, folder: &Path) -> anyhow::Result<()> {
    let folder = folder.canonicalize()?;
    let holder = fs::read_to_string(folder.join("postgres/lock"))?;
    let private = [(&*folder.to_string_lossy(), "[folder]"), (&*holder, "[pid]")];
    insta::allow_duplicates! {
        insta::assert_snapshot!(refused.refusal(&private), @"
        exit code 11
        error: the data folder [folder]/postgres is in use by another running Pulse (process [pid]); stop that one or choose another folder with --data-dir
        ");
    }
    Ok(())
}
