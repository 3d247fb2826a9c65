//! The files of a request's body, in the order in which they come.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use axum::body::Body;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use multer::{Field, Multipart};
use tokio::sync::OwnedMutexGuard;

use super::kept::Kept;
use super::{OpenFile, UploadError, UploadLimits};

/// How many limits' worth of a file that is too large is read, so that its size can be told and the client, still
/// sending, gets to see the answer.
const DISCARDED_LIMITS: u64 = 16;

/// A request's body as its parts.
pub(crate) type Parts = Multipart<'static>;

/// Reads a body as multipart/form-data with this boundary.
pub(crate) fn parts(body: Body, boundary: &str) -> Parts {
    let mut body = body.into_data_stream();
    let mut rests = false;
    // The parser takes all that is there at once; a rest after each piece keeps what waits in memory to one piece.
    let pieces = stream::poll_fn(move |context| {
        rests = !rests;
        if rests {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = body.poll_next_unpin(context);
        rests &= piece.is_ready();
        piece
    });
    Multipart::new(pieces, boundary)
}

/// What has become of a file.
enum Arrival {
    /// It has not come yet.
    Awaited,
    /// It went into the call that it was for.
    PassedOn,
    /// It waits on the disk.
    Kept(Kept, Head),
    /// It will not come, or came wrong.
    Failed(UploadError),
}

/// What a part says of its file.
#[derive(Debug, Clone)]
struct Head {
    file_name: String,
    content_type: Option<String>,
}

/// The parts that are still to be read, and what has become of the files.
pub(super) struct Arriving {
    parts: Parts,
    names: Vec<String>,
    arrivals: Vec<Arrival>,
    limits: UploadLimits,
    /// How many parts came.
    seen: usize,
    /// How many bytes of files came.
    read: u64,
    /// Why nothing more can be read.
    broken: Option<UploadError>,
    /// The first thing that went wrong, for whoever answers the request.
    failure: Arc<Mutex<Option<UploadError>>>,
}

impl Arriving {
    pub(super) fn new(
        parts: Parts,
        names: Vec<String>,
        limits: UploadLimits,
        failure: Arc<Mutex<Option<UploadError>>>,
    ) -> Self {
        let arrivals = names.iter().map(|_| Arrival::Awaited).collect();
        Self { parts, names, arrivals, limits, seen: 0, read: 0, broken: None, failure }
    }

    /// A file's bytes. Those that come before it are kept; so is it, when others will want it too.
    pub(super) async fn open(
        mut this: OwnedMutexGuard<Self>,
        file: usize,
        shared: &[bool],
    ) -> Result<OpenFile, UploadError> {
        loop {
            match &this.arrivals[file] {
                Arrival::Awaited => {}
                Arrival::PassedOn => return Err(UploadError::Gone(this.names[file].clone())),
                Arrival::Failed(error) => return Err(error.clone()),
                Arrival::Kept(kept, head) => {
                    return Ok(OpenFile::new(head.clone(), kept.read(&this.names[file])?));
                }
            }
            let Some((came, field)) = this.next().await.map_err(|error| this.fail(error))? else {
                let missing = UploadError::Missing(this.names[file].clone());
                let missing = this.fail(missing);
                this.arrivals[file] = Arrival::Failed(missing.clone());
                return Err(missing);
            };
            let head = Head::of(&field);
            if came == file && !shared[file] {
                this.arrivals[file] = Arrival::PassedOn;
                return Ok(OpenFile::new(head, content(this, field)));
            }
            this.keep(came, field, head).await;
        }
    }

    /// The next part that is a file.
    async fn next(&mut self) -> Result<Option<(usize, Field<'static>)>, UploadError> {
        loop {
            if let Some(error) = &self.broken {
                return Err(error.clone());
            }
            let field = match self.parts.next_field().await {
                Ok(Some(field)) => field,
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.break_off(&error)),
            };
            self.seen += 1;
            if self.seen > self.limits.files {
                let error = UploadError::TooManyParts(self.limits.files);
                return Err(self.broken.insert(error).clone());
            }
            // What `map` does not name belongs nowhere.
            let Some(file) = self.names.iter().position(|name| Some(name.as_str()) == field.name()) else {
                continue;
            };
            if !matches!(self.arrivals[file], Arrival::Awaited) {
                let error = UploadError::Twice(self.names[file].clone());
                return Err(self.broken.insert(error).clone());
            }
            return Ok(Some((file, field)));
        }
    }

    async fn keep(&mut self, file: usize, field: Field<'static>, head: Head) {
        let name = self.names[file].clone();
        let content = stream::try_unfold((&mut *self, field, 0), async |(this, mut field, size)| {
            let (chunk, size) = this.chunk(&mut field, size).await?;
            Ok(chunk.map(|chunk| (chunk, (this, field, size))))
        });
        let kept = Kept::write(&name, content.boxed()).await;
        self.arrivals[file] = match kept {
            Ok(kept) => Arrival::Kept(kept, head),
            Err(error) => Arrival::Failed(self.fail(error)),
        };
    }

    /// The next piece of a file of which `size` bytes came before, and how many that makes.
    async fn chunk(
        &mut self,
        field: &mut Field<'static>,
        size: u64,
    ) -> Result<(Option<Bytes>, u64), UploadError> {
        let Some(chunk) = self.read(field).await? else { return Ok((None, size)) };
        let size = size + chunk.len() as u64;
        if size > self.limits.file_size {
            return Err(self.measure(field, size).await);
        }
        if self.read > self.limits.total_size {
            return Err(UploadError::TogetherTooLarge(self.limits.total_size));
        }
        Ok((Some(chunk), size))
    }

    async fn read(&mut self, field: &mut Field<'static>) -> Result<Option<Bytes>, UploadError> {
        let chunk = field.chunk().await.map_err(|error| self.break_off(&error))?;
        self.read = self.read.saturating_add(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
        Ok(chunk)
    }

    /// How large a file is that is too large.
    async fn measure(&mut self, field: &mut Field<'static>, mut size: u64) -> UploadError {
        let limit = self.limits.file_size;
        while size <= limit.saturating_mul(DISCARDED_LIMITS) {
            match self.read(field).await {
                Ok(Some(chunk)) => size += chunk.len() as u64,
                Ok(None) => return UploadError::TooLarge { size, limit },
                Err(error) => return error,
            }
        }
        UploadError::FarTooLarge { read: limit.saturating_mul(DISCARDED_LIMITS), limit }
    }

    /// Reads on to the end, or to the limit, so that a client that is still sending gets to see the answer.
    pub(super) async fn discard(&mut self) {
        let limit = self.limits.total_size;
        while self.read <= limit && self.broken.is_none() {
            let Ok(Some(mut field)) = self.parts.next_field().await else { return };
            while let Ok(Some(_)) = self.read(&mut field).await {
                if self.read > limit {
                    return;
                }
            }
        }
    }

    fn break_off(&mut self, error: &multer::Error) -> UploadError {
        self.broken.insert(UploadError::Malformed(error.to_string())).clone()
    }

    fn fail(&self, error: UploadError) -> UploadError {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        error
    }
}

/// A part's bytes as they come. Nobody else reads the body until this ends or is dropped.
fn content(
    arriving: OwnedMutexGuard<Arriving>,
    field: Field<'static>,
) -> BoxStream<'static, Result<Bytes, UploadError>> {
    let chunks = stream::try_unfold((field, 0, arriving), async |(mut field, size, mut arriving)| {
        match arriving.chunk(&mut field, size).await {
            Ok((chunk, size)) => Ok(chunk.map(|chunk| (chunk, (field, size, arriving)))),
            Err(error) => Err(arriving.fail(error)),
        }
    });
    chunks.boxed()
}

impl Head {
    fn of(field: &Field<'_>) -> Self {
        Self {
            file_name: field.file_name().unwrap_or_default().to_owned(),
            content_type: field.content_type().map(ToString::to_string),
        }
    }
}

impl OpenFile {
    fn new(head: Head, content: impl Stream<Item = Result<Bytes, UploadError>> + Send + 'static) -> Self {
        let Head { file_name, content_type } = head;
        Self { file_name, content_type, content: content.boxed() }
    }
}
