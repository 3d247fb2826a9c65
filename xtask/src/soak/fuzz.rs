//! The targets of the crate `fuzz`, by `cargo fuzz`.

use std::fs;
use std::process::{ExitCode, Stdio};

use anyhow::ensure;
use clap::{Args, ValueEnum};

use crate::cargo;

/// Which targets, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// The target; all of them, one after the other, when none is named.
    target: Option<Target>,
    /// How long each of them runs.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Target {
    /// A request's document and variables, from the parser to the plan.
    Operation,
    /// What subgraphs answer, merged and projected.
    Response,
    /// A supergraph, as it is loaded.
    Supergraph,
}

/// An input that takes longer, in seconds, is a finding: the gateway gives up planning after two.
const SLOW: u32 = 20;

/// So is one that takes the process beyond this, in megabytes.
const MEMORY: u32 = 2048;

/// Runs until the time is over or something is found; `fuzz/artifacts` then has the input.
pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    ensure!(is_installed(), "there is no `cargo fuzz` here: `cargo install cargo-fuzz` brings it");
    let targets = options.target.as_ref().map_or(Target::value_variants(), std::slice::from_ref);
    for target in targets {
        let exit_code = fuzz(*target, options.minutes)?;
        if exit_code != ExitCode::SUCCESS {
            return Ok(exit_code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn is_installed() -> bool {
    let mut asked = cargo::command(&["fuzz", "--version"]);
    asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn fuzz(target: Target, minutes: u64) -> anyhow::Result<ExitCode> {
    let name = target.name();
    let corpus = cargo::root().join("fuzz/corpus").join(name);
    fs::create_dir_all(&corpus)?;
    // Sanitizers need a nightly compiler, and find what only unsafe code does wrong; the gateway has none.
    let mut command = cargo::command(&["fuzz", "run", "--sanitizer", "none", name]);
    command.arg(&corpus).args(target.seeds().iter().map(|seeds| cargo::root().join(seeds)));
    command.arg("--").args([
        format!("-max_total_time={}", minutes * 60),
        format!("-timeout={SLOW}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-dict={}", cargo::root().join(target.dictionary()).display()),
        "-max_len=8192".to_owned(),
        "-print_final_stats=1".to_owned(),
    ]);
    cargo::exit_code(command)
}

impl Target {
    const fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Response => "response",
            Self::Supergraph => "supergraph",
        }
    }

    /// What the fuzzer begins with, beside what it found before.
    const fn seeds(self) -> &'static [&'static str] {
        match self {
            Self::Operation => &["fuzz/seeds/operation"],
            Self::Response => &["fuzz/seeds/response"],
            // The cases have a supergraph each.
            Self::Supergraph => &["fuzz/seeds/supergraph", "gateway/tests/conformance"],
        }
    }

    const fn dictionary(self) -> &'static str {
        match self {
            Self::Operation => "fuzz/dictionaries/operation.dict",
            Self::Response => "fuzz/dictionaries/response.dict",
            Self::Supergraph => "fuzz/dictionaries/supergraph.dict",
        }
    }
}
