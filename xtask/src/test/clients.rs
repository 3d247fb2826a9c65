//! Real JavaScript clients against a running gateway: `tests/clients`, by node's own test runner.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::results::Totals;
use crate::cargo;
use crate::supervise::{self, Ending, Limits};

/// Where they are.
const FOLDER: &str = "tests/clients";
/// The issuer by which tests sign people in.
const ISSUER: &str = "tests/issuer";
/// Where npm writes down what it has brought.
const BROUGHT: &str = "node_modules/.package-lock.json";
/// The longest that they may print nothing.
const SILENCE: Duration = Duration::from_mins(2);

/// Runs them, those whose name contains `filter`. Without npm they count as skipped.
pub(crate) fn run(filter: Option<&str>, totals: &mut Totals) -> anyhow::Result<()> {
    if !["node", "npm"].into_iter().all(is_there) {
        println!("\nthe clients of {FOLDER} are not run: they need Node.js and npm");
        totals.skipped += 1;
        return Ok(());
    }
    println!("\nrunning the clients of {FOLDER}");
    let folder = cargo::root().join(FOLDER);
    install(FOLDER)?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"])
        .current_dir(&folder)
        .env("PULSE_BINARY", cargo::build("pulse")?);
    if let Some(filter) = filter {
        node.arg(format!("--test-name-pattern={}", regex::escape(filter)));
    }
    node.arg("test/");
    let before = *totals;
    let limits = Limits { silence: Some(SILENCE), grace: Duration::from_secs(5) };
    let ending = supervise::run(node, limits, |line| {
        totals.add_node_line(line);
    })?;
    // Node failed although no test did: a file that does not load, say.
    if totals.failed == before.failed && !matches!(ending, Ending::Exited(status) if status.success()) {
        totals.add(false);
    }
    Ok(())
}

fn is_there(program: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// Brings what the issuer needs that tests start. Without npm those tests fail, and say so.
pub(super) fn install_issuer() -> anyhow::Result<()> {
    if ["node", "npm"].into_iter().all(is_there) { install(ISSUER) } else { Ok(()) }
}

/// Brings what the lock file names, unless it was brought after the lock file was written.
fn install(name: &str) -> anyhow::Result<()> {
    let folder = cargo::root().join(name);
    let written = |file: &str| folder.join(file).metadata().and_then(|metadata| metadata.modified()).ok();
    if written(BROUGHT).is_some_and(|brought| Some(brought) > written("package-lock.json")) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-progress", "--loglevel=error"]).current_dir(&folder);
    let status = npm.status().context("npm cannot be started")?;
    ensure!(status.success(), "npm could not bring what {name}/package-lock.json names");
    Ok(())
}
