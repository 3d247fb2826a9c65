//! Where records come from: a thread of its own reads and parses, some records ahead of what is being stored.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::UNIX_EPOCH;

use data_encoding::HEXLOWER;
use pulse_graph_formats::{Format, Limits, Mapping, Reader, Record};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::options::{ImportError, ImportOptions, Place};

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;
/// A chunk is handed over when it has so many records or bytes.
const CHUNK_RECORDS: usize = 500;
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that wait to be stored.
const CHUNKS: usize = 2;
/// How much of both ends of a file tells it from another of the same size and time.
const TELLING: u64 = 1 << 16;

/// What is imported.
pub struct Source {
    inputs: Vec<Input>,
    mapping: Mapping,
}

#[derive(Clone)]
enum Input {
    /// Can be read as often as it is needed.
    File { path: PathBuf, format: Format },
    /// Can be read once.
    Stream { reader: Arc<Mutex<Option<Box<dyn Read + Send>>>>, format: Format },
}

/// A record and where it stands.
pub(super) struct Placed {
    pub(super) place: Place,
    /// Its line, counted through all files.
    pub(super) line: u64,
    pub(super) record: Record,
}

/// Some records, and how much was read when the last of them was.
pub(super) struct Chunk {
    pub(super) records: Vec<Placed>,
    pub(super) lines: u64,
    pub(super) bytes: u64,
}

impl Source {
    /// What `reader` gives, once: such an import is not gone on with when it has broken off, but can be repeated.
    pub fn stream(reader: impl Read + Send + 'static, format: Format) -> Self {
        let reader: Box<dyn Read + Send> = Box::new(reader);
        let input = Input::Stream { reader: Arc::new(Mutex::new(Some(reader))), format };
        Self { inputs: vec![input], mapping: Mapping::default() }
    }

    /// Files, which are read twice: first for entities, then for relationships, so that their order does not matter.
    pub fn files(files: impl IntoIterator<Item = (PathBuf, Format)>) -> Self {
        let inputs = files.into_iter().map(|(path, format)| Input::File { path, format });
        Self { inputs: inputs.collect(), mapping: Mapping::default() }
    }

    /// The same with a mapping of columns.
    #[must_use]
    pub fn mapped(self, mapping: Mapping) -> Self {
        Self { mapping, ..self }
    }

    /// Whether it can be read more than once.
    pub(super) fn is_again(&self) -> bool {
        self.inputs.iter().all(|input| matches!(input, Input::File { .. }))
    }

    /// How many bytes the files have.
    pub fn size(&self) -> u64 {
        let sizes = self.inputs.iter().map(|input| match input {
            Input::File { path, .. } => path.metadata().map_or(0, |metadata| metadata.len()),
            Input::Stream { .. } => 0,
        });
        sizes.sum()
    }

    /// What tells this import from others: what the files are, as far as their sizes, times and ends say, and how they are
    /// imported.
    pub(super) fn fingerprint(&self, options: &ImportOptions) -> Result<String, ImportError> {
        let mut digest = Sha256::new();
        digest.update(format!("{:?} {}", self.mapping, options.on_conflict.as_str()));
        for input in &self.inputs {
            if let Input::File { path, format } = input {
                digest.update(format.as_str());
                let digested = digest_file(path, &mut digest);
                digested.map_err(|source| ImportError::Open { name: path.display().to_string(), source })?;
            }
        }
        Ok(HEXLOWER.encode(&digest.finalize()))
    }

    /// Begins to read, behind the first `skip` records.
    pub(super) fn read(&self, limits: Limits, skip: u64) -> mpsc::Receiver<Result<Chunk, ImportError>> {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let reading = Reading { inputs: self.inputs.clone(), mapping: self.mapping.clone(), limits, skip };
        // Not one of the runtime's: it may wait for standard input when everything else has ended.
        thread::spawn(move || {
            if let Err(error) = reading.run(&sender) {
                let _nobody_waits = sender.blocking_send(Err(error));
            }
        });
        receiver
    }
}

/// What the reading thread works with.
struct Reading {
    inputs: Vec<Input>,
    mapping: Mapping,
    limits: Limits,
    skip: u64,
}

impl Reading {
    fn run(mut self, sender: &mpsc::Sender<Result<Chunk, ImportError>>) -> Result<(), ImportError> {
        let mut chunk = Chunk { records: Vec::new(), lines: 0, bytes: 0 };
        let (mut lines, mut bytes) = (0, 0);
        for (file, input) in std::mem::take(&mut self.inputs).iter().enumerate() {
            let (opened, format) = input.open()?;
            let opened = BufReader::with_capacity(BUFFER, opened);
            let mut reader = Reader::new(opened, format, &self.mapping, self.limits);
            let mut size = 0;
            loop {
                let record = match reader.next_record() {
                    Ok(Some(record)) => record,
                    Ok(None) => break,
                    Err(source) => {
                        // What was read before is stored all the same.
                        let _nobody_waits = sender.blocking_send(Ok(chunk));
                        return Err(ImportError::Read { name: input.name(), source });
                    }
                };
                (chunk.lines, chunk.bytes) = (lines + reader.lines(), bytes + reader.bytes());
                if self.skip > 0 {
                    self.skip -= 1;
                    continue;
                }
                size += record.size;
                let place = Place { file, line: record.line };
                chunk.records.push(Placed { place, line: lines + record.line, record });
                if chunk.records.len() >= CHUNK_RECORDS || size >= CHUNK_BYTES {
                    let full = Chunk { records: std::mem::take(&mut chunk.records), ..chunk };
                    if sender.blocking_send(Ok(full)).is_err() {
                        return Ok(());
                    }
                    size = 0;
                }
            }
            (lines, bytes) = (lines + reader.lines(), bytes + reader.bytes());
            (chunk.lines, chunk.bytes) = (lines, bytes);
        }
        let _nobody_waits = sender.blocking_send(Ok(chunk));
        Ok(())
    }
}

impl Input {
    fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Stream { .. } => "the input".to_owned(),
        }
    }

    fn open(&self) -> Result<(Box<dyn Read + Send>, Format), ImportError> {
        let failed = |source| ImportError::Open { name: self.name(), source };
        match self {
            Self::File { path, format } => Ok((Box::new(File::open(path).map_err(failed)?), *format)),
            Self::Stream { reader, format } => {
                let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                let reader = reader.ok_or_else(|| failed(io::Error::other("it was read before")))?;
                Ok((reader, *format))
            }
        }
    }
}

fn digest_file(path: &PathBuf, digest: &mut Sha256) -> io::Result<()> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    digest.update(metadata.len().to_be_bytes());
    digest.update(changed.as_nanos().to_be_bytes());
    for begin in [0, metadata.len().saturating_sub(TELLING)] {
        file.seek(SeekFrom::Start(begin))?;
        let mut part = Vec::new();
        (&file).take(TELLING).read_to_end(&mut part)?;
        digest.update(&part);
    }
    Ok(())
}
