//! `cargo xtask test`: all tests, then real clients, then the deployment checks, and one closing line.

mod clients;
mod cluster;
mod results;

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::supervise::{self, Ending, Limits};
use crate::{cargo, deploy};
use cluster::Cluster;
use results::Totals;

/// The longest that a test binary may print nothing.
const SILENCE: Duration = Duration::from_mins(10);
/// What `timeout` returns, too.
const TIMED_OUT: u8 = 124;
/// What a shell returns for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// The packages whose tests need Neo4j.
const NEO4J_PACKAGES: [&str; 2] = ["pulse", "pulse-entities"];

/// What to test.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only tests, clients and deployment checks whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Run only the tests of this package, and neither clients nor deployment checks.
    #[arg(long, short)]
    package: Vec<String>,
}

/// Builds, starts the server, tests, checks the deployment files, adds up. What cannot even start counts as a failure,
/// so that the closing line is always there and always true.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    supervise::watch_signals()?;
    let mut totals = Totals::default();
    if let Err(error) = run_cargo(options, &mut totals) {
        println!("the tests could not run: {error:#}");
        totals.add(false);
    }
    if supervise::interrupted() {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    if options.package.is_empty() {
        if let Err(error) = clients::run(options.filter.as_deref(), &mut totals) {
            println!("the clients could not run: {error:#}");
            totals.add(false);
        }
        if supervise::interrupted() {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        match deploy::run_checks(options.filter.as_deref()) {
            Ok(checks) => checks.into_iter().for_each(|passed| totals.add(passed)),
            Err(error) => {
                println!("the deployment checks could not run: {error:#}");
                totals.add(false);
            }
        }
    }
    println!("\n{totals}");
    Ok(if totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_cargo(options: &Options, totals: &mut Totals) -> anyhow::Result<()> {
    let limits = Limits { silence: None, grace: Duration::from_secs(10) };
    clients::install_issuer()?;
    // First, because building shares a lock with starting the server, and has no time limit.
    let mut build = cargo::command(&["test"]);
    build.args(selection(options)).arg("--no-run");
    match supervise::run(build, limits, |_| {})? {
        Ending::Exited(status) if !status.success() => bail!("they do not build"),
        Ending::Interrupted => return Ok(()),
        Ending::Exited(_) | Ending::Silent => {}
    }
    let cluster = Cluster::start()?;
    let neo4j = needs_neo4j(options).then(Cluster::start_neo4j).transpose()?;
    let ending = supervise::run(tests(options, &cluster, neo4j.as_ref())?, limits, |line| {
        totals.add_line(line);
    })?;
    // Cargo failed although no test did: a doc test that does not compile, say.
    if totals.failed == 0 && !matches!(ending, Ending::Exited(status) if status.success()) {
        totals.add(false);
    }
    Ok(())
}

fn selection(options: &Options) -> Vec<&str> {
    if options.package.is_empty() {
        return vec!["--workspace"];
    }
    options.package.iter().flat_map(|package| ["--package", package]).collect()
}

/// Whether packages are tested that walk through Neo4j: it takes a while to start, and the tests begin meanwhile.
fn needs_neo4j(options: &Options) -> bool {
    options.package.is_empty() || options.package.iter().any(|package| NEO4J_PACKAGES.contains(&&**package))
}

/// `cargo test` with ourselves as the runner of each binary.
fn tests(options: &Options, cluster: &Cluster, neo4j: Option<&Cluster>) -> anyhow::Result<Command> {
    let xtask = std::env::current_exe().context("could not find our own program")?;
    let mut command = cargo::command(&["test", "--no-fail-fast"]);
    command
        .args(selection(options))
        .arg("--config")
        .arg(format!("target.'cfg(unix)'.runner=['{}', 'run-test']", xtask.display()));
    command.env(cluster::VARIABLE, &cluster.url);
    if let Some(neo4j) = neo4j {
        command.env(cluster::NEO4J_VARIABLE, &neo4j.url);
    }
    if let Some(filter) = &options.filter {
        command.args(["--", filter]);
    }
    Ok(command)
}

/// Runs one test binary, and ends it when it hangs. A binary that ends without a result line is reported by one,
/// so that it counts as a failure.
pub(crate) fn run_one(command: &[OsString]) -> anyhow::Result<ExitCode> {
    supervise::watch_signals()?;
    let (program, arguments) = command.split_first().context("no test binary was named")?;
    let mut test = Command::new(program);
    test.args(arguments);
    let limits = Limits { silence: Some(SILENCE), grace: Duration::from_secs(5) };
    let mut totals = Totals::default();
    let mut reported = !is_test_binary(Path::new(program));
    let ending = supervise::run(test, limits, |line| reported |= totals.add_line(line))?;

    let (code, why) = match ending {
        Ending::Exited(status) if status.success() => (0, String::new()),
        Ending::Exited(status) => (exit_code(status), status.to_string()),
        Ending::Silent => (TIMED_OUT, format!("it printed nothing for {} minutes", SILENCE.as_secs() / 60)),
        Ending::Interrupted => (INTERRUPTED, "interrupted".to_owned()),
    };
    if code != 0 && !reported {
        println!("\n{} ended without a result: {why}", Path::new(program).display());
        println!("test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
    }
    Ok(ExitCode::from(code))
}

/// Doc tests run by the same runner, one program each, and rustdoc itself reports their result.
fn is_test_binary(program: &Path) -> bool {
    program.parent().and_then(Path::file_name).is_some_and(|folder| folder == "deps")
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(1)
}
