//! Files, read and written.

mod bad_input;
mod documents;
mod mappings;
mod round_trips;

use std::io::BufReader;

use pulse_graph_formats::{Format, Item, Limits, Mapping, ReadError, Reader, Record};

/// All records of a file.
pub(crate) fn records(
    text: &[u8],
    format: Format,
    mapping: &Mapping,
    limits: Limits,
) -> Result<Vec<Record>, ReadError> {
    // A buffer that ends in the middle of everything.
    let mut reader = Reader::new(BufReader::with_capacity(7, text), format, mapping, limits);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    assert_eq!(reader.bytes(), text.len() as u64);
    Ok(records)
}

/// All items of a file in which nothing is wrong.
pub(crate) fn items(text: &[u8], format: Format) -> Vec<Item> {
    let records = records(text, format, &Mapping::default(), Limits::default());
    let records = records.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
    records.into_iter().map(|record| record.item.unwrap_or_else(|problem| panic!("{problem}"))).collect()
}

/// What is wrong with a file, a line for each.
pub(crate) fn problems(text: &[u8], format: Format, mapping: &Mapping, limits: Limits) -> String {
    let mut reader = Reader::new(text, format, mapping, limits);
    let mut problems = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(Record { line, item: Err(problem), .. })) => problems.push(format!("{line}: {problem}")),
            Ok(Some(_)) => {}
            Ok(None) => return problems.join("\n"),
            Err(error) => {
                problems.push(format!("broken: {error}"));
                return problems.join("\n");
            }
        }
    }
}
