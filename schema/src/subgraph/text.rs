//! What is done to SDL before the parser sees it, position by position, so that its positions
//! stay right.

use async_graphql_parser::Pos;

/// Deeper brackets than this are refused: the parser recurses into them.
pub(crate) const NESTING_LIMIT: usize = 48;

/// Makes up for what the parser does not know: blanks inside list types, as in `[ ID! ]`, and a
/// description on the schema definition. The error is the place of the bracket that is too deep.
pub(crate) fn prepare(text: &str) -> Result<String, Pos> {
    let mut bytes = text.as_bytes().to_vec();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        let length = match bytes[at] {
            b'"' => string_length(&bytes[at..]),
            b'#' => bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at),
            b'[' => bytes[at..].iter().take_while(|byte| **byte == b'[' || is_blank(**byte)).count(),
            _ => 1,
        };
        match bytes[at] {
            b'"' if depth == 0 && describes_schema(&bytes[at + length..]) => {
                bytes[at..at + length]
                    .iter_mut()
                    .filter(|byte| **byte != b'\n')
                    .for_each(|byte| *byte = b' ');
            }
            b'[' => {
                let brackets = text[at..at + length].matches('[').count();
                bytes[at..at + length - brackets].fill(b' ');
                bytes[at + length - brackets..at + length].fill(b'[');
            }
            b']' | b'!' => {
                let before = bytes[..at].iter().rev().take_while(|byte| is_blank(**byte)).count();
                bytes.swap(at - before, at);
            }
            _ => {}
        }
        match text.as_bytes()[at] {
            b'[' => depth += text[at..at + length].matches('[').count(),
            b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_LIMIT {
            return Err(position(text, at));
        }
        at += length;
    }
    // Only whole strings were blanked and only ASCII was swapped.
    Ok(String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned()))
}

/// Whether the directive definition at a position says `repeatable`. The parser takes every one for
/// repeatable.
pub(crate) fn is_repeatable(text: &str, pos: Pos) -> bool {
    let Some(line) = text.split_inclusive('\n').nth(pos.line.saturating_sub(1)) else { return false };
    let column = line.char_indices().nth(pos.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let start = line.as_ptr() as usize - text.as_ptr() as usize + column;
    let bytes = &text.as_bytes()[start..];
    let (mut at, mut depth, mut is_name) = (0, 0_usize, false);
    while at < bytes.len() {
        let word =
            bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        match (&bytes[at..at + word], bytes[at]) {
            (b"repeatable", _) if depth == 0 && !is_name => return true,
            (b"on", _) if depth == 0 && !is_name => return false,
            (b"", b'(') => depth += 1,
            (b"", b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_blank = bytes[at].is_ascii_whitespace() || bytes[at] == b'#';
        is_name = bytes[at] == b'@' || (is_name && is_blank);
        at += match bytes[at] {
            _ if word > 0 => word,
            b'"' => string_length(&bytes[at..]),
            b'#' => bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at),
            _ => 1,
        };
    }
    false
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn describes_schema(rest: &[u8]) -> bool {
    let next = rest.trim_ascii_start();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    next.strip_prefix(b"schema").is_some_and(|after| !after.first().is_some_and(is_name))
}

fn position(text: &str, at: usize) -> Pos {
    let before = &text.as_bytes()[..at];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    Pos { line, column }
}

/// The length of the string literal that `bytes` begins with, quotes included.
fn string_length(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\"\"\"") {
        let mut at = 3;
        while at < bytes.len() {
            match &bytes[at..] {
                [b'\\', b'"', b'"', b'"', ..] => at += 4,
                [b'"', b'"', b'"', ..] => return at + 3,
                _ => at += 1,
            }
        }
        return bytes.len();
    }
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_list_types_move_out() {
        assert_eq!(prepare("a: [ [\tInt ! ] ]! b").unwrap(), "a:   [[Int!]]!    b");
    }

    #[test]
    fn only_definitions_that_say_so_are_repeatable() {
        let repeatable = |text: &str| is_repeatable(text, Pos { line: 2, column: 3 });
        assert!(repeatable("é\né \"on\" directive @a(x: Int = 1 # on\n) repeatable on FIELD"));
        assert!(repeatable("\n  directive @ on repeatable on FIELD"));
        assert!(!repeatable("\n  directive @repeatable(repeatable: Int) on FIELD"));
        assert!(!repeatable(""));
    }

    #[test]
    fn strings_and_comments_stay() {
        let text = "\"[ a ]\" type A # [ b\n{ a(x: String = \"[ \\\" ]\"): Int }";
        assert_eq!(prepare(text).unwrap(), text);
    }

    #[test]
    fn description_of_the_schema_is_blanked() {
        assert_eq!(prepare("\"é\" schema").unwrap().trim_start(), "schema");
        assert_eq!(prepare("\"\"\"é\n\"\"\" schema {").unwrap().trim_start(), "schema {");
        let argument = "type A { a(x: String = \"b\" schema: Int): Int }";
        assert_eq!(prepare(argument).unwrap(), argument);
    }

    #[test]
    fn the_brackets_that_are_too_deep_are_named() {
        let text = format!("\n {}", "[".repeat(100));
        assert_eq!(prepare(&text).unwrap_err(), Pos { line: 2, column: 2 });
    }
}
