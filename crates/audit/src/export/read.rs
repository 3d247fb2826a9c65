//! Reading an export back, record by record.

use std::io::{self, BufRead, Read as _};

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::record::{COLUMNS, FactRecord, Joint, Record, header};

/// A record is no longer than this, whatever the file says.
const LONGEST: u64 = 64 * 1024;

/// Records of a file, in whichever format it is.
pub(crate) struct Records<R> {
    from: R,
    is_csv: bool,
}

/// A file that cannot be read as an export.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is no record of an export")]
    Malformed,
}

impl<R: BufRead> Records<R> {
    /// The first bytes say which format it is.
    pub(crate) fn try_new(mut from: R) -> Result<Self, ReadError> {
        let is_csv = !from.fill_buf()?.starts_with(b"{");
        let mut records = Self { from, is_csv };
        if is_csv && records.text()?.is_none_or(|text| text != header()) {
            return Err(ReadError::Malformed);
        }
        Ok(records)
    }

    /// The next one.
    pub(crate) fn read(&mut self) -> Result<Option<Record>, ReadError> {
        let Some(text) = self.text()? else { return Ok(None) };
        let record = if self.is_csv { of_row(&text) } else { serde_json::from_str(&text).ok() };
        record.map(Some).ok_or(ReadError::Malformed)
    }

    /// A line; of CSV with those that quotes hold together.
    fn text(&mut self) -> Result<Option<String>, ReadError> {
        let mut text = String::new();
        loop {
            let left = LONGEST - text.len() as u64;
            let read = self.from.by_ref().take(left).read_line(&mut text)?;
            if read == 0 {
                return if text.is_empty() { Ok(None) } else { Err(ReadError::Malformed) };
            }
            if !text.ends_with('\n') && text.len() as u64 >= LONGEST {
                return Err(ReadError::Malformed);
            }
            if !self.is_csv || text.matches('"').count().is_multiple_of(2) {
                return Ok(Some(text));
            }
        }
    }
}

/// The cells of a row, without what was put before them against spreadsheets.
fn cells(text: &str) -> Option<[String; 17]> {
    let text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
    let (mut cells, mut cell, mut is_quoted) = (Vec::with_capacity(17), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    let plain = |cell: String| cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell);
    cells.into_iter().map(plain).collect::<Vec<_>>().try_into().ok()
}

fn of_row(text: &str) -> Option<Record> {
    let cells = cells(text)?;
    let cell = |column: &str| {
        let place = COLUMNS.iter().position(|name| *name == column).expect("a column of the file");
        cells[place].as_str()
    };
    let hex = |column| HEXLOWER.decode(cell(column).as_bytes()).ok();
    let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
    let some = |column| Some(cell(column)).filter(|text| !text.is_empty());
    let maybe_id = |column| some(column).map(str::parse::<Uuid>).transpose().ok();
    let joint = Joint { nth: cell("nth").parse().ok()?, link: hex("link")? };
    Some(match cell("record") {
        "start" => {
            let (from, to) = cell("at").split_once('/')?;
            let tenant = cell("id").parse().ok()?;
            Record::Start { tenant, from: time(from)?, to: time(to)?, after: joint }
        }
        "fact" => {
            let fact = FactRecord {
                id: cell("id").parse().ok()?,
                at: time(cell("at"))?,
                actor: maybe_id("actor")?,
                action: cell("action").to_owned(),
                subject: cell("subject").to_owned(),
                key: maybe_id("key")?,
                version: some("version").map(str::parse).transpose().ok()?,
                items: cell("items").parse().ok()?,
                request: cell("request").parse().ok()?,
                address: some("address").map(str::to_owned),
                salt: some("salt").map(|text| HEXLOWER.decode(text.as_bytes())).transpose().ok()?,
                sealed: hex("sealed")?,
            };
            Record::Fact { joint, fact }
        }
        "withheld" => Record::Withheld { joint, digest: hex("digest")? },
        "end" => Record::End { joint, facts: cell("items").parse().ok()?, signature: hex("signature")? },
        _ => return None,
    })
}
