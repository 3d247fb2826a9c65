//! A new data folder.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use rand::Rng;

use crate::cluster::LOGIN;
use crate::folder::{Folder, PASSWORD_FILE, remove_folder};
use crate::pip::last_lines;
use crate::runner::Runner;
use crate::{ClusterError, Distribution};

/// Fills a new data folder. It gets its name when it is complete: an interrupted start leaves none.
pub(crate) fn initialize(
    folder: &Folder,
    runner: &Runner,
    distribution: &Distribution,
    durable: bool,
) -> Result<(), ClusterError> {
    let unfinished = folder.path().join("data.unfinished");
    let password_file = folder.path().join("password.unfinished");
    let as_error = |source| ClusterError::Io { path: unfinished.clone(), source };
    remove_folder(&unfinished)?;
    fs::create_dir(&unfinished).map_err(as_error)?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o700)).map_err(as_error)?;
    runner.give(&unfinished)?;
    write_password(&password_file).map_err(as_error)?;
    runner.give(&password_file)?;

    let program = distribution.program("initdb");
    let mut command = runner.command(&program, Some("KILL"));
    command.arg("-D").arg(&unfinished).arg("--pwfile").arg(&password_file);
    command.args(["--username", LOGIN, "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"]);
    command.args(["--no-instructions", "--data-checksums"]);
    // The password has 128 random bits: no number of iterations makes it harder to guess, and each would slow
    // down every connection.
    command.args(["-c", "scram_iterations=1"]);
    if !durable {
        command.arg("--no-sync");
    } else if cfg!(target_os = "linux") {
        // One call for the file system, in place of one for each of a thousand files.
        command.arg("--sync-method=syncfs");
    }
    run_initdb(&mut command, folder.path())?;
    fs::rename(&password_file, unfinished.join(PASSWORD_FILE)).map_err(as_error)?;
    fs::rename(&unfinished, folder.data()).map_err(as_error)
}

fn run_initdb(command: &mut Command, folder: &Path) -> Result<(), ClusterError> {
    let refused = |said| ClusterError::Initdb { folder: folder.to_owned(), said };
    let output = command.output().map_err(|error| refused(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused(last_lines(&String::from_utf8_lossy(&output.stderr), &output.status.to_string())))
}

fn write_password(path: &Path) -> io::Result<()> {
    let password: u128 = rand::rng().random();
    let mut file = fs::File::options().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    write!(file, "{password:032x}")
}
