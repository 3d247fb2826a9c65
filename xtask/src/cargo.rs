//! Calling cargo, and finding our way around the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The cargo that runs us, in the root of the workspace.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    // What `cargo run` says of this program. Build scripts that look at it would run anew, with all that is built on them,
    // whenever somebody changes between `cargo` and `cargo xtask`.
    let said = std::env::vars_os().map(|(name, _)| name);
    for name in said.filter(|name| name.to_str().is_some_and(is_of_package)) {
        command.env_remove(name);
    }
    command
}

fn is_of_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Builds a program of the workspace and says where it is. `--workspace` gives its dependencies the features that
/// they have in the tests, too, so that none is compiled twice.
pub(crate) fn build(program: &str) -> anyhow::Result<PathBuf> {
    let status = command(&["build", "--quiet", "--workspace", "--bin", program]).status()?;
    ensure!(status.success(), "{program} does not build");
    Ok(target().join("debug").join(program))
}

/// Runs to the end and passes the exit code on.
pub(crate) fn exit_code(mut command: Command) -> anyhow::Result<ExitCode> {
    let status = command.status().with_context(|| format!("could not start {command:?}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
