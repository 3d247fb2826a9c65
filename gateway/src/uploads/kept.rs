//! A file that waits on the disk until its call is due.

use std::io;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio_util::io::ReaderStream;

use super::UploadError;

/// A temporary file, gone with this value.
pub(super) struct Kept(NamedTempFile);

impl Kept {
    /// Writes a file's bytes.
    pub(super) async fn write(
        name: &str,
        mut content: BoxStream<'_, Result<Bytes, UploadError>>,
    ) -> Result<Self, UploadError> {
        let failed = |error: io::Error| not_kept(name, &error);
        let file = tokio::task::spawn_blocking(NamedTempFile::new).await;
        let file = file.map_err(io::Error::other).and_then(|file| file).map_err(failed)?;
        let mut writer = BufWriter::new(File::from_std(file.reopen().map_err(failed)?));
        while let Some(chunk) = content.try_next().await? {
            writer.write_all(&chunk).await.map_err(failed)?;
        }
        writer.flush().await.map_err(failed)?;
        Ok(Self(file))
    }

    /// The bytes, from their beginning.
    pub(super) fn read(
        &self,
        name: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, UploadError>>, UploadError> {
        let name = name.to_owned();
        let file = self.0.reopen().map_err(|error| not_kept(&name, &error))?;
        let chunks = ReaderStream::with_capacity(File::from_std(file), 64 * 1024);
        Ok(chunks.map_err(move |error| not_kept(&name, &error)).boxed())
    }
}

fn not_kept(name: &str, error: &io::Error) -> UploadError {
    tracing::error!(%error, "a file could not be kept on the disk while its call was not due");
    UploadError::NotKept(name.to_owned())
}
