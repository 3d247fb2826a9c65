//! Files that hold certificates and keys, and what is made of them, made anew when they change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::InvalidTls;

/// How often files are looked at, and only when a connection is made.
const LOOK_EVERY: Duration = Duration::from_secs(1);

type Load<T> = dyn Fn() -> Result<T, InvalidTls> + Send + Sync;

/// Something made of files. Files that turn bad are told in the log, and what was made of the good ones stays.
pub(crate) struct Watched<T> {
    paths: Vec<PathBuf>,
    load: Box<Load<T>>,
    current: ArcSwap<T>,
    seen: Mutex<Seen>,
}

struct Seen {
    at: Instant,
    stamps: Vec<Stamp>,
}

/// What tells one version of a file from the next.
type Stamp = Option<(SystemTime, u64)>;

impl<T> Watched<T> {
    /// Loads it for the first time. Empty paths are no files.
    pub(crate) fn try_new(
        paths: impl IntoIterator<Item = PathBuf>,
        load: impl Fn() -> Result<T, InvalidTls> + Send + Sync + 'static,
    ) -> Result<Self, InvalidTls> {
        let paths: Vec<_> = paths.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
        let seen = Mutex::new(Seen { at: Instant::now(), stamps: stamps(&paths) });
        let current = ArcSwap::from_pointee(load()?);
        Ok(Self { paths, load: Box::new(load), current, seen })
    }

    /// What is made of the files as they are now, or were a moment ago.
    pub(crate) fn current(&self) -> Arc<T> {
        if !self.paths.is_empty() && self.have_changed() {
            match (self.load)() {
                Ok(new) => {
                    self.current.store(Arc::new(new));
                    tracing::info!(files = ?self.paths, "certificates were read again");
                }
                Err(error) => {
                    tracing::error!(%error, "certificates changed and cannot be used; the old ones stay");
                }
            }
        }
        self.current.load_full()
    }

    fn have_changed(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now.duration_since(seen.at) < LOOK_EVERY {
            return false;
        }
        seen.at = now;
        let stamps = stamps(&self.paths);
        let changed = stamps != seen.stamps;
        seen.stamps = stamps;
        changed
    }
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("paths", &self.paths).finish_non_exhaustive()
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    paths.iter().map(stamp).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, InvalidTls> {
    std::fs::read(path)
        .map_err(|cause| InvalidTls::Unreadable { path: path.to_owned(), cause: cause.to_string() })
}

/// The certificates in a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let bytes = read(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok).collect();
    if found.is_empty() {
        return Err(InvalidTls::Empty { path: path.to_owned(), what: "certificate" });
    }
    Ok(found)
}

pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, InvalidTls> {
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|_| InvalidTls::Empty { path: path.to_owned(), what: "private key" })
}

/// The authorities in a file.
pub(super) fn authorities(path: &Path) -> Result<RootCertStore, InvalidTls> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|cause| InvalidTls::Authorities { path: path.to_owned(), cause: cause.to_string() })?;
    }
    Ok(roots)
}
