//! Where the server listens: a socket in a private folder, else a loopback port.

use std::fs::{self, DirBuilder};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use sha2::{Digest, Sha256};

use crate::ClusterError;
use crate::runner::Runner;

/// The wish for where the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// On a Unix socket in a folder of this user alone; where none can be made, on a free loopback port.
    #[default]
    Auto,
    /// On 127.0.0.1, at this port; 0 takes a free one.
    Loopback(u16),
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Socket(PathBuf),
    Loopback(u16),
}

/// The port in the socket's name.
pub(crate) const SOCKET_PORT: u16 = 5432;

/// The kernel keeps a socket's path in this many bytes (104 on macOS), with a zero at the end.
const MAX_SOCKET_PATH: usize = 103;

impl Listen {
    /// Chooses the address for the cluster in `folder`.
    pub(crate) fn address(self, folder: &Path, runner: &Runner) -> Result<Address, ClusterError> {
        match self {
            Self::Loopback(port) => loopback(port),
            Self::Auto => match socket_folder(folder, runner) {
                Some(socket_folder) => Ok(Address::Socket(socket_folder)),
                None => loopback(0),
            },
        }
    }
}

fn loopback(port: u16) -> Result<Address, ClusterError> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
    match free {
        Ok(address) => Ok(Address::Loopback(address.port())),
        Err(_) => Err(ClusterError::PortTaken { port }),
    }
}

/// The first folder that is short enough, private, and on a file system that has sockets.
fn socket_folder(folder: &Path, runner: &Runner) -> Option<PathBuf> {
    let digest = Sha256::digest(folder.as_os_str().as_bytes());
    let name = format!("pulse-{:x}{:x}{:x}{:x}", digest[0], digest[1], digest[2], digest[3]);
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let candidates =
        [Some(folder.join("run")), runtime.map(|path| path.join(&name)), Some(Path::new("/tmp").join(&name))];
    candidates.into_iter().flatten().find(|candidate| match usable(candidate, runner) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(folder = %candidate.display(), %error, "not for the server's socket");
            false
        }
    })
}

fn usable(folder: &Path, runner: &Runner) -> io::Result<()> {
    let socket = folder.join(format!(".s.PGSQL.{SOCKET_PORT}"));
    let lock = folder.join(format!(".s.PGSQL.{SOCKET_PORT}.lock"));
    if socket.as_os_str().len() > MAX_SOCKET_PATH {
        return Err(io::Error::other("its path is too long for a socket"));
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => runner.give(folder).map_err(io::Error::other)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    // In /tmp somebody else may have made it first.
    let found = fs::symlink_metadata(folder)?;
    let is_ours = runner.is_other_user() || found.uid() == Uid::effective().as_raw();
    if !found.is_dir() || !is_ours || found.mode() & 0o077 != 0 {
        return Err(io::Error::other("it is not private to this user"));
    }
    runner.require_writable(folder).map_err(io::Error::other)?;
    // A killed server's files: we hold the cluster, so nobody listens here. PostgreSQL would refuse to start if
    // their number went to another program since.
    let probe = folder.join("probe");
    for left_behind in [&socket, &lock, &probe] {
        match fs::remove_file(left_behind) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    UnixListener::bind(&probe)?;
    fs::remove_file(&probe)
}
