//! The folder of a cluster: who holds it, what made it, and what a killed Pulse left in it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::ClusterError;
use crate::pip::last_lines;
use crate::wheel::MAJOR_VERSION;

/// How long a left-behind server may take to end after each signal.
const PATIENCE: Duration = Duration::from_secs(20);

const MAX_LOG: u64 = 16 * 1024 * 1024;

/// The folder, held by this process until dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Folder {
    /// Makes the folder if need be and holds it against every other Pulse. The kernel lets go of it when this
    /// process ends, however it ends.
    pub(crate) fn hold(path: &Path) -> Result<Self, ClusterError> {
        let not_writable = |source| ClusterError::NotWritable { folder: path.to_owned(), source };
        DirBuilder::new().mode(0o700).recursive(true).create(path).map_err(not_writable)?;
        let path = path.canonicalize().map_err(not_writable)?;
        let file = File::options().create(true).read(true).append(true).open(path.join("lock"));
        let file = file.map_err(not_writable)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                lock.set_len(0).map_err(not_writable)?;
                write!(&mut *lock, "{}", std::process::id()).map_err(not_writable)?;
                Ok(Self { path, _lock: lock })
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut pid = String::new();
                let known = file.read_to_string(&mut pid).is_ok() && !pid.is_empty();
                let holder = if known { format!(" (process {pid})") } else { String::new() };
                Err(ClusterError::InUse { folder: path, holder })
            }
            Err((_, errno)) => Err(not_writable(errno.into())),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// PostgreSQL's own data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The password of the login, made with the data and kept with them.
    pub(crate) fn password(&self) -> Result<String, ClusterError> {
        let path = self.data().join(PASSWORD_FILE);
        fs::read_to_string(&path).map_err(|source| ClusterError::Io { path, source })
    }

    /// Whether there are data, and of the right version.
    pub(crate) fn has_data(&self) -> Result<bool, ClusterError> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(found) if found.trim() == MAJOR_VERSION => Ok(true),
            Ok(found) => Err(ClusterError::OtherVersion {
                folder: self.path.clone(),
                found: found.trim().to_owned(),
                expected: MAJOR_VERSION,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ClusterError::Io { path, source }),
        }
    }

    /// Deletes the data.
    pub(crate) fn remove_data(&self) -> Result<(), ClusterError> {
        remove_folder(&self.data())
    }

    /// Stops the server that a killed Pulse left behind, if one still runs, and clears its pid file.
    ///
    /// We hold the folder, so no living Pulse wants that server.
    pub(crate) fn end_left_behind(&self) -> Result<(), ClusterError> {
        let pid_file = self.data().join("postmaster.pid");
        let Some(pid) = Postmaster::read(&self.data()).map(|found| found.pid) else { return Ok(()) };
        for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL] {
            if !self.is_our_server(pid) {
                // Either it ended, or the number went to another program since: then PostgreSQL would refuse
                // to start, taking that program for itself.
                let gone = fs::remove_file(&pid_file);
                return match gone {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(ClusterError::Io { path: pid_file, source: error })
                    }
                    _ => Ok(()),
                };
            }
            tracing::warn!(pid, %signal, "stopping the PostgreSQL that a killed Pulse left behind");
            let _ = kill(Pid::from_raw(pid), signal);
            let mut waited = Duration::ZERO;
            while waited < PATIENCE && self.is_our_server(pid) {
                std::thread::sleep(POLL);
                waited += POLL;
            }
        }
        Err(ClusterError::LeftBehind { pid, folder: self.path.clone() })
    }

    /// Whether the process runs PostgreSQL on our data: its command line names them.
    fn is_our_server(&self, pid: i32) -> bool {
        let Ok(command_line) = command_line(pid) else { return false };
        command_line.contains("postgres") && command_line.contains(&*self.data().to_string_lossy())
    }

    /// The server's log, opened for appending, and where this run's part begins.
    pub(crate) fn open_log(&self) -> Result<(File, u64), ClusterError> {
        let path = self.log();
        let as_error = |source| ClusterError::Io { path: path.clone(), source };
        if fs::metadata(&path).is_ok_and(|log| log.len() > MAX_LOG) {
            fs::rename(&path, path.with_extension("log.old")).map_err(as_error)?;
        }
        let mut file = File::options().create(true).append(true).open(&path).map_err(as_error)?;
        let begin = file.seek(SeekFrom::End(0)).map_err(as_error)?;
        Ok((file, begin))
    }

    /// The server's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The end of what the server logged since `begin`.
    pub(crate) fn log_since(&self, begin: u64) -> String {
        let mut said = Vec::new();
        if let Ok(mut file) = File::open(self.log()) {
            let _ = file.seek(SeekFrom::Start(begin)).and_then(|_| file.read_to_end(&mut said));
        }
        last_lines(&String::from_utf8_lossy(&said), "its log is empty")
    }
}

/// How often a process is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// The name of the password's file inside the data, so that both move together.
pub(crate) const PASSWORD_FILE: &str = "pulse.password";

/// Deletes a folder that may be missing.
pub(crate) fn remove_folder(path: &Path) -> Result<(), ClusterError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ClusterError::Io { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// What PostgreSQL writes about itself into its data folder.
pub(crate) struct Postmaster {
    pub(crate) pid: i32,
    pub(crate) is_ready: bool,
}

impl Postmaster {
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let is_ready = lines.nth(6).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid, is_ready })
    }
}

/// The words a process was started with; an error where there is none.
fn command_line(pid: i32) -> io::Result<String> {
    if cfg!(target_os = "linux") {
        return Ok(fs::read_to_string(format!("/proc/{pid}/cmdline"))?.replace('\0', " "));
    }
    let output = Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
