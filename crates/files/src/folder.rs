//! A folder of files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

use crate::{FileName, FilesError};

/// The largest file, unless it is set.
const LARGEST: u64 = 10 << 30;

/// Where files are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    folder: Option<Arc<Path>>,
    largest: u64,
}

/// A file that is being written. Dropped before [`NewFile::finish`], it was never there.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    name: FileName,
    written: u64,
    largest: u64,
    is_finished: bool,
}

impl Files {
    /// Files in this folder, which is made with the first file; an empty path is no folder, and nothing can be kept.
    pub fn new(folder: &Path) -> Self {
        let folder = Some(folder).filter(|folder| !folder.as_os_str().is_empty()).map(Arc::from);
        Self { folder, largest: LARGEST }
    }

    /// With another largest size, in bytes.
    #[must_use]
    pub fn at_most(self, largest: u64) -> Self {
        Self { largest, ..self }
    }

    /// Begins a file, which takes the place of the one of this name when it is finished.
    pub async fn create(&self, name: &FileName) -> Result<NewFile, FilesError> {
        let place = self.place(name).ok_or(FilesError::NoFolder)?;
        let failed = |source| io_error(name, source);
        let parent = place.parent().unwrap_or(&place);
        create_private(parent).await.map_err(failed)?;
        let beside = parent.join(format!(".{:032x}", rand::random::<u128>()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&beside).await.map_err(failed)?;
        Ok(NewFile {
            file,
            beside,
            place,
            name: name.clone(),
            written: 0,
            largest: self.largest,
            is_finished: false,
        })
    }

    /// The file and its size, or `None` when there is none: without a folder there never is.
    pub async fn open(&self, name: &FileName) -> Result<Option<(File, u64)>, FilesError> {
        let Some(place) = self.place(name) else { return Ok(None) };
        match File::open(&place).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error(name, error)),
            Ok(file) => {
                let size = file.metadata().await.map_err(|error| io_error(name, error))?.len();
                Ok(Some((file, size)))
            }
        }
    }

    /// Deletes the file; `false` when there was none.
    pub async fn delete(&self, name: &FileName) -> Result<bool, FilesError> {
        let Some(place) = self.place(name) else { return Ok(false) };
        match fs::remove_file(place).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_error(name, error)),
        }
    }

    fn place(&self, name: &FileName) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name.as_str()))
    }
}

impl NewFile {
    /// Adds bytes to its end.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        self.written += bytes.len() as u64;
        if self.written > self.largest {
            return Err(FilesError::TooLarge(self.largest));
        }
        self.file.write_all(bytes).await.map_err(|error| io_error(&self.name, error))
    }

    /// Puts it in its place once it is safely on disk; its size.
    pub async fn finish(mut self) -> Result<u64, FilesError> {
        let failed = |source| io_error(&self.name, source);
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        fs::rename(&self.beside, &self.place).await.map_err(failed)?;
        self.is_finished = true;
        Ok(self.written)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_finished {
            // What cannot be deleted has a name that nobody reads.
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

async fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).await
}

fn io_error(name: &FileName, source: io::Error) -> FilesError {
    FilesError::Io { name: name.to_string(), source }
}
