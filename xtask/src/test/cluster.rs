//! The one test PostgreSQL that all test binaries share.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use crate::cargo;

/// Where the tests look for their server.
pub(crate) const VARIABLE: &str = "PULSE_TEST_POSTGRES";

/// A server that lives until this value is dropped.
pub(crate) struct Cluster {
    /// The value for [`VARIABLE`].
    pub url: OsString,
    process: Option<Child>,
}

impl Cluster {
    /// Starts it, unless the caller of `cargo xtask test` has named one. The testkit's program does the work,
    /// so that xtask itself stays quick to build.
    pub(crate) fn start() -> anyhow::Result<Self> {
        if let Some(url) = std::env::var_os(VARIABLE) {
            return Ok(Self { url, process: None });
        }
        let mut command = Command::new(cargo::build("test-cluster")?);
        // In a group of its own, so that a Ctrl-C does not take the server from under the tests.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().context("could not start the test PostgreSQL")?;
        let stdout = process.stdout.take().context("it was started with a pipe")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        if url.trim().is_empty() {
            bail!("the test PostgreSQL did not start: {}", process.wait()?);
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
