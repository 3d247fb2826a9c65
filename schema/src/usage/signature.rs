//! What names an operation whatever values it is sent with.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// SHA-256, in hexadecimal, of a document without what stands between its tokens and without the values of its numbers and
/// strings: documents that differ in these alone have the same signature.
pub fn operation_signature(document: &str) -> String {
    let mut hasher = Sha256::new();
    let mut letters = document.char_indices().peekable();
    let mut last_was_value = false;
    while let Some((start, letter)) = letters.next() {
        let token = match letter {
            // Ignored tokens (GraphQL §2.1.7), and comments to the end of their lines.
            '\u{feff}' | ' ' | '\t' | '\n' | '\r' | ',' => continue,
            '#' => {
                while letters.next_if(|(_, next)| !matches!(next, '\n' | '\r')).is_some() {}
                continue;
            }
            '"' => {
                skip_string(&document[start..], start, &mut letters);
                Token::Value
            }
            '-' | '0'..='9' => {
                let goes_on =
                    |next: &(usize, char)| matches!(next.1, '0'..='9' | '.' | 'e' | 'E' | '+' | '-');
                while letters.next_if(goes_on).is_some() {}
                Token::Value
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let mut end = start + 1;
                while let Some((at, _)) =
                    letters.next_if(|(_, next)| next.is_ascii_alphanumeric() || *next == '_')
                {
                    end = at + 1;
                }
                Token::Other(&document[start..end])
            }
            other => Token::Other(&document[start..start + other.len_utf8()]),
        };
        match token {
            // Lists of values are the same, however many there are.
            Token::Value if last_was_value => continue,
            Token::Value => hasher.update("0"),
            Token::Other(text) => hasher.update(text),
        }
        hasher.update([0]);
        last_was_value = matches!(token, Token::Value);
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

enum Token<'a> {
    Value,
    Other(&'a str),
}

/// Goes behind the end of a string whose first quote was read.
fn skip_string(rest: &str, start: usize, letters: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    let end = if let Some(block) = rest.strip_prefix("\"\"\"") {
        let mut at = 0;
        loop {
            match block[at..].find("\"\"\"") {
                Some(found) if block[..at + found].ends_with('\\') => at += found + 3,
                Some(found) => break start + 3 + at + found + 3,
                None => break start + rest.len(),
            }
        }
    } else {
        let mut is_escaped = false;
        let closing = rest.char_indices().skip(1).find(|(_, letter)| {
            let closes = *letter == '"' && !is_escaped;
            is_escaped = *letter == '\\' && !is_escaped;
            closes || matches!(letter, '\n' | '\r')
        });
        closing.map_or(start + rest.len(), |(at, _)| start + at + 1)
    };
    while letters.next_if(|(at, _)| *at < end).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::operation_signature as of;

    #[test]
    fn values_layout_and_comments_make_no_difference() {
        let one = of("query Q { a(x: 1, y: \"b\", z: [1, 2]) { id } }");
        for same in [
            "query Q{a(x:-2.5e3 y:\"\\\"} c\" z:[3]){id}}",
            "# said\nquery Q {\n  a(x: 7, y: \"\"\"block \\\"\"\" more\"\"\", z: [1, 2, 3, 4])\n  { id } }",
        ] {
            assert_eq!(of(same), one, "{same}");
        }
    }

    #[test]
    fn names_and_structure_make_another_one() {
        let one = of("query Q { a { id } }");
        for other in [
            "query R { a { id } }",
            "query Q { b { id } }",
            "query Q { a { id name } }",
            "query Q { a { idname } }",
            "query Q { a(x: $x) { id } }",
            "query Q { a(x: 1) { id } }",
            "query Q { a(x: OLD) { id } }",
        ] {
            assert_ne!(of(other), one, "{other}");
        }
        assert_ne!(of("{ a(x: 1, y: 2) }"), of("{ a(x: 1) }"));
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn what_is_no_document_has_one_too() {
        for odd in ["", "\"", "\"\"\"", "\"\\", "{", "ä🦀\"ü", "\"\"\"\\\"\"\""] {
            assert_eq!(of(odd).len(), 64, "{odd}");
        }
    }
}
