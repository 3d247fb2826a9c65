//! Text in XML.

use super::WriteError;

/// Whether XML 1.0 can have all characters of a text.
pub(super) fn is_writable(text: &str) -> bool {
    text.chars()
        .all(|c| !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}'))
}

/// Writes a text as content or as the value of an attribute; ends of lines stay as they are in both.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\n' => out.extend_from_slice(b"&#10;"),
            b'\r' => out.extend_from_slice(b"&#13;"),
            b'\t' => out.extend_from_slice(b"&#9;"),
            byte => out.push(byte),
        }
    }
}

/// Writes ` name="value"`.
pub(super) fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    text(out, value);
    out.push(b'"');
}

/// The same of a text that is `what` an item has, if XML can have it.
pub(super) fn own(
    out: &mut Vec<u8>,
    name: &str,
    (what, value): (&'static str, &str),
) -> Result<(), WriteError> {
    check(what, value)?;
    attribute(out, name, value);
    Ok(())
}

/// Refuses a text that XML cannot have.
pub(super) fn check(what: &'static str, text: &str) -> Result<(), WriteError> {
    if is_writable(text) { Ok(()) } else { Err(WriteError::Unwritable { what, text: text.to_owned() }) }
}
