//! The test PostgreSQL, and the test Neo4j, that all test binaries share.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use crate::cargo;

/// Where the tests look for their server.
pub(crate) const VARIABLE: &str = "PULSE_TEST_POSTGRES";

/// Where they look for their Neo4j.
pub(crate) const NEO4J_VARIABLE: &str = "PULSE_TEST_NEO4J";

/// A server that lives until this value is dropped.
pub(crate) struct Cluster {
    /// The value for the variable.
    pub url: OsString,
    process: Option<Child>,
}

impl Cluster {
    /// Starts it, unless the caller of `cargo xtask test` has named one. The testkit's program does the work,
    /// so that xtask itself stays quick to build.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_by("test-cluster", VARIABLE)
    }

    /// The same for Neo4j.
    pub(crate) fn start_neo4j() -> anyhow::Result<Self> {
        Self::start_by("test-neo4j", NEO4J_VARIABLE)
    }

    fn start_by(program: &str, variable: &str) -> anyhow::Result<Self> {
        if let Some(url) = std::env::var_os(variable) {
            return Ok(Self { url, process: None });
        }
        let mut command = Command::new(cargo::build(program)?);
        // In a group of its own, so that a Ctrl-C does not take the server from under the tests.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().with_context(|| format!("could not start {program}"))?;
        let stdout = process.stdout.take().context("it was started with a pipe")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        if url.trim().is_empty() {
            bail!("{program} did not start its server: {}", process.wait()?);
        }
        Ok(Self { url: url.trim().into(), process: Some(process) })
    }
}

impl Drop for Cluster {
    /// The program ends with its standard input.
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            drop(process.stdin.take());
            // Nothing is left to do where it is gone already.
            let _ = process.wait();
        }
    }
}
