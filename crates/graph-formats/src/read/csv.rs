//! Comma-separated values: a header, then a row for each entity or each relationship.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, ReaderBuilder};
use serde_json::Value;

use super::{Limits, ReadError, Record};
use crate::mapping::{EntityColumns, RelationshipColumns, Row, shown, unknown};
use crate::{Item, Mapping};

pub(super) struct Csv<R> {
    input: R,
    core: csv_core::Reader,
    bytes: u64,
    newlines: u64,
    /// Whether the last byte ended a line.
    at_line_start: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
    mapping: Mapping,
    table: Option<Table>,
    limits: Limits,
}

struct Table {
    header: Vec<String>,
    what: What,
}

enum What {
    Entities(EntityColumns),
    Relationships(RelationshipColumns),
}

/// What one record turned out to be.
enum Shape {
    Cells { bytes: usize, count: usize },
    TooLong,
    TooWide,
}

/// A row under its header.
struct Cells<'a> {
    header: &'a [String],
    cells: &'a [&'a str],
}

impl Row for Cells<'_> {
    fn value(&self, column: &str) -> Option<Value> {
        let at = self.header.iter().position(|name| name == column)?;
        self.cells.get(at).filter(|cell| !cell.is_empty()).map(|cell| Value::from(*cell))
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.iter().map(String::as_str)
    }
}

impl<R: BufRead> Csv<R> {
    pub(super) fn new(input: R, mapping: &Mapping, limits: Limits) -> Self {
        Self {
            input,
            core: ReaderBuilder::new().delimiter(mapping.delimiter()).build(),
            bytes: 0,
            newlines: 0,
            at_line_start: true,
            cells: vec![0; 4096.min(limits.record_bytes)],
            ends: vec![0; 64.min(limits.columns)],
            mapping: mapping.clone(),
            table: None,
            limits,
        }
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) const fn lines(&self) -> u64 {
        if self.at_line_start { self.newlines } else { self.newlines + 1 }
    }

    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        if self.table.is_none() && !self.read_header()? {
            return Ok(None);
        }
        let Some((line, shape)) = self.record()? else { return Ok(None) };
        let size = if let Shape::Cells { bytes, .. } = shape { bytes } else { 0 };
        Ok(Some(Record { line, size, item: self.item(&shape) }))
    }

    fn item(&self, shape: &Shape) -> Result<Item, String> {
        let cells = self.texts(shape)?;
        let table = self.table.as_ref().expect("the header was read before");
        if cells.len() != table.header.len() {
            return Err(format!("the row has {} cells, the header has {}", cells.len(), table.header.len()));
        }
        let row = Cells { header: &table.header, cells: &cells };
        match &table.what {
            What::Entities(columns) => columns.item(&row),
            What::Relationships(columns) => columns.item(&row),
        }
    }

    fn texts(&self, shape: &Shape) -> Result<Vec<&str>, String> {
        let Limits { record_bytes, columns } = self.limits;
        let count = match shape {
            Shape::Cells { count, .. } => *count,
            Shape::TooLong => {
                return Err(format!("the row is longer than {record_bytes} bytes: is a quote not closed?"));
            }
            Shape::TooWide => return Err(format!("the row has more than {columns} cells")),
        };
        let mut begin = 0;
        let mut texts = Vec::with_capacity(count);
        for (index, end) in self.ends[..count].iter().enumerate() {
            let cell = std::str::from_utf8(&self.cells[begin..*end])
                .map_err(|_| format!("cell {} is not UTF-8", index + 1))?;
            texts.push(cell);
            begin = *end;
        }
        Ok(texts)
    }

    fn read_header(&mut self) -> Result<bool, ReadError> {
        let Some((line, shape)) = self.record()? else { return Ok(false) };
        let broken = |reason| ReadError::Broken { line, column: 1, reason };
        let header: Vec<String> =
            self.texts(&shape).map_err(broken)?.into_iter().map(str::to_owned).collect();
        let twice = header.iter().enumerate().find(|(at, name)| header[..*at].contains(name));
        if let Some((_, name)) = twice {
            return Err(broken(format!("two columns are called {}", shown(name))));
        }
        let what = what(&self.mapping, &header).map_err(broken)?;
        self.table = Some(Table { header, what });
        Ok(true)
    }

    /// The line of the next record, and what it is; its cells are in `self.cells` as far as `self.ends` say.
    fn record(&mut self) -> Result<Option<(u64, Shape)>, ReadError> {
        let io = |line| move |source| ReadError::Io { line, source };
        self.skip_empty_lines().map_err(io(self.newlines))?;
        let line = self.newlines + 1;
        let (mut bytes, mut count) = (0, 0);
        let (mut too_long, mut too_wide) = (false, false);
        loop {
            let available = self.input.fill_buf().map_err(io(self.newlines))?;
            let (result, used, written, ended) =
                self.core.read_record(available, &mut self.cells[bytes..], &mut self.ends[count..]);
            self.newlines += memchr::memchr_iter(b'\n', &available[..used]).count() as u64;
            if let Some(last) = available[..used].last() {
                self.at_line_start = *last == b'\n';
            }
            self.input.consume(used);
            self.bytes += used as u64;
            bytes += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() < self.limits.record_bytes => {
                    self.cells.resize((self.cells.len() * 2).min(self.limits.record_bytes), 0);
                }
                // What does not fit is read on, and not kept.
                ReadRecordResult::OutputFull => (too_long, bytes) = (true, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() < self.limits.columns => {
                    self.ends.resize((self.ends.len() * 2).min(self.limits.columns), 0);
                }
                ReadRecordResult::OutputEndsFull => (too_wide, count) = (true, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        Ok(Some((
            line,
            match (too_long, too_wide) {
                (true, _) => Shape::TooLong,
                (_, true) => Shape::TooWide,
                _ => Shape::Cells { bytes, count },
            },
        )))
    }

    /// Goes to where a record begins, so that its line is known.
    fn skip_empty_lines(&mut self) -> io::Result<()> {
        loop {
            let available = self.input.fill_buf()?;
            let ends = available.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
            let (mut count, mut newlines) = (0, 0);
            for end in ends {
                count += 1;
                newlines += u64::from(*end == b'\n');
            }
            if count == 0 {
                return Ok(());
            }
            self.at_line_start = available[count - 1] == b'\n';
            self.input.consume(count);
            self.bytes += count as u64;
            self.newlines += newlines;
        }
    }
}

/// Whether a table with this header is one of entities or of relationships.
fn what(mapping: &Mapping, header: &[String]) -> Result<What, String> {
    let (entities, relationships) = mapping.of_csv();
    let row = Cells { header, cells: &[] };
    let lacks_entity = entities.as_ref().map(|columns| columns.missing(&row));
    let lacks_relationship = relationships.as_ref().map(|columns| columns.missing(&row));
    let fits = |lacks: &Option<Vec<&str>>| lacks.as_ref().is_some_and(Vec::is_empty);
    let chosen = match (fits(&lacks_entity), fits(&lacks_relationship)) {
        (true, true) => {
            let text =
                "the columns are those of entities and those of relationships: map one of the two alone";
            return Err(text.to_owned());
        }
        (false, false) => {
            let list = |lacks: Option<Vec<&str>>| lacks.map(|lacks| lacks.join(", "));
            let mut text = "the columns are neither those of entities".to_owned();
            if let Some(lacks) = list(lacks_entity) {
                text = format!("{text} (without {lacks})");
            }
            text.push_str(" nor those of relationships");
            if let Some(lacks) = list(lacks_relationship) {
                text = format!("{text} (without {lacks})");
            }
            return Err(format!("{text}: say in a mapping which columns are what"));
        }
        (is_entities, _) => is_entities,
    };
    let (entities, relationships) = if chosen { (entities, None) } else { (None, relationships) };
    if let Some(column) = unknown((entities.as_ref(), relationships.as_ref()), &row) {
        return Err(format!(
            "nothing is said of the column {}: name it in a mapping, or say there what becomes of `others`",
            shown(column)
        ));
    }
    match (entities, relationships) {
        (Some(columns), _) => Ok(What::Entities(columns)),
        (None, Some(columns)) => Ok(What::Relationships(columns)),
        (None, None) => Err("the mapping says nothing of entities or relationships".to_owned()),
    }
}
