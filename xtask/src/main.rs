//! What a developer and CI run: test, schema, tidy, bench.
#![expect(clippy::print_stdout, reason = "a command line tool talks to its user")]

mod cargo;
mod conformance;
mod deploy;
mod soak;
mod supervise;
mod test;
mod tidy;

use std::ffi::OsString;
use std::process::{self, ExitCode};

use clap::{Parser, Subcommand};

/// Developer commands of the Pulse workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all tests against one test PostgreSQL, then check the deployment files.
    Test(test::Options),
    /// Check what STYLE says and a machine can check.
    Tidy,
    /// Write the committed subgraph and supergraph schemas.
    Schema {
        /// Compare instead of writing, and fail on a difference.
        #[arg(long)]
        check: bool,
    },
    /// Run a bench in the release profile; the gateway's as it is shipped, in the profile `dist`.
    Bench {
        /// Which bench.
        name: String,
        /// Passed on to the bench.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run a test that runs as long as one likes.
    #[command(subcommand)]
    Soak(soak::Soak),
    /// Ask a platform with demo data whether REST does what its descriptions say.
    Conformance(conformance::Options),
    /// Check the Dockerfile, the compose file and every Kubernetes overlay.
    Deploy,
    /// Run one test binary under watch; `cargo xtask test` makes it cargo's runner.
    #[command(hide = true)]
    RunTest {
        /// The test binary and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Tidy => tidy::run(),
        Command::Schema { check } => schema(check),
        Command::Bench { name, arguments } => bench(&name, &arguments),
        Command::Soak(soak) => soak::run(&soak),
        Command::Conformance(options) => conformance::run(&options),
        Command::Deploy => deploy::run(),
        Command::RunTest { command } => test::run_one(&command),
    }
}

fn schema(check: bool) -> anyhow::Result<ExitCode> {
    let mut command = process::Command::new(cargo::build("pulse")?);
    command.args(["schema", "export", "--dir", "schema"]).current_dir(cargo::root());
    if check {
        command.arg("--check");
    }
    cargo::exit_code(command)
}

fn bench(name: &str, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    // Those that need little of the platform build in a fraction of the time.
    let (package, profile, name) = match name {
        // Beside peers that are built with link-time optimization.
        "gateway" => ("pulse-bench-gateway", "dist", None),
        "jobs" => ("pulse-bench-jobs", "release", None),
        other => ("pulse-bench", "release", Some(other)),
    };
    let mut command = cargo::command(&["run", "--profile", profile, "--quiet", "--package", package, "--"]);
    command.args(name).args(arguments);
    cargo::exit_code(command)
}
