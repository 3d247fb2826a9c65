//! Values out of JSON text: strings without escapes become pieces of the text itself, numbers stay as written.

use std::sync::Arc;

use super::write::plain_prefix;
use super::{Object, Text, Value};

/// How deeply lists and objects may be nested. Deeper text is hostile, and reading it would use up the stack.
const DEPTH_LIMIT: usize = 200;

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    Utf8(usize),
    /// It is not JSON.
    #[error("expected {expected} at byte {at}")]
    Syntax {
        /// What should have been there.
        expected: &'static str,
        /// Where.
        at: usize,
    },
    /// It is nested too deeply.
    #[error("nested more than {DEPTH_LIMIT} levels deep at byte {0}")]
    TooDeep(usize),
    /// It is 4 GiB or more.
    #[error("larger than 4 GiB")]
    TooLarge,
}

impl Value {
    /// Reads a JSON document.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Utf8(error.valid_up_to()))?;
        Self::parse_text(&text.into())
    }

    /// Reads a JSON document, keeping the buffer that it came in.
    pub fn parse_text(buffer: &Arc<str>) -> Result<Self, JsonError> {
        if u32::try_from(buffer.len()).is_err() {
            return Err(JsonError::TooLarge);
        }
        let mut parser = Parser { buffer, bytes: buffer.as_bytes(), at: 0, depth: 0 };
        let value = parser.value()?;
        parser.skip_space();
        if parser.at < parser.bytes.len() {
            Err(parser.expected("the end of the document"))
        } else {
            Ok(value)
        }
    }
}

struct Parser<'a> {
    buffer: &'a Arc<str>,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Value, JsonError> {
        self.skip_space();
        match self.bytes.get(self.at) {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => self.word(b"null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, JsonError>) -> Result<Value, JsonError> {
        if self.depth == DEPTH_LIMIT {
            return Err(JsonError::TooDeep(self.at));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        let mut object = Object::new();
        if self.accept(b'}') {
            return Ok(Value::Object(object));
        }
        loop {
            self.skip_space();
            if self.bytes.get(self.at) != Some(&b'"') {
                return Err(self.expected("a key in quotes"));
            }
            let key = self.string()?;
            if !self.accept(b':') {
                return Err(self.expected("`:`"));
            }
            let value = self.value()?;
            object.push(key, value);
            if self.accept(b'}') {
                return Ok(Value::Object(object));
            }
            if !self.accept(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self) -> Result<Value, JsonError> {
        let mut list = Vec::new();
        if self.accept(b']') {
            return Ok(Value::List(list));
        }
        loop {
            list.push(self.value()?);
            if self.accept(b']') {
                return Ok(Value::List(list));
            }
            if !self.accept(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<Text, JsonError> {
        self.at += 1;
        let start = self.at;
        self.at += plain_prefix(&self.bytes[start..]);
        match self.bytes.get(self.at) {
            Some(b'"') => {
                self.at += 1;
                Ok(Text::slice(self.buffer, start, self.at - 1))
            }
            Some(b'\\') => self.escaped_string(start),
            _ => Err(self.expected("`\"`")),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<Text, JsonError> {
        let mut text = String::from(&self.buffer[start..self.at]);
        loop {
            let run = self.at;
            self.at += plain_prefix(&self.bytes[run..]);
            text.push_str(&self.buffer[run..self.at]);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.expected("`\"`")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let letter = self.bytes.get(self.at + 1).copied();
        self.at += 2;
        Ok(match letter {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(self.expected("an escape that JSON knows"));
            }
        })
    }

    /// The character of `\uXXXX`, or of a surrogate pair of two of them. Half a pair is no character: U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.hex()?;
        if !(0xD800..0xDC00).contains(&unit) {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if self.bytes.get(self.at..self.at + 2) != Some(br"\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let before = self.at;
        self.at += 2;
        let low = self.hex()?;
        if !(0xDC00..0xE000).contains(&low) {
            self.at = before;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let point = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.bytes.get(self.at).and_then(|byte| char::from(*byte).to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        let negative = self.bytes[start] == b'-';
        self.at += usize::from(negative);
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        let whole = self.digits()?;
        if leading_zero && whole > 1 {
            return Err(self.expected("a number without leading zeros"));
        }
        let mut is_whole = true;
        if self.bytes.get(self.at) == Some(&b'.') {
            is_whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        // "-0" is a number whose text an integer would not give back.
        if is_whole
            && !(negative && leading_zero)
            && let Ok(number) = self.buffer[start..self.at].parse()
        {
            return Ok(Value::Int(number));
        }
        Ok(Value::Number(Text::slice(self.buffer, start, self.at)))
    }

    fn digits(&mut self) -> Result<usize, JsonError> {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(self.at - start) }
    }

    fn word(&mut self, word: &'static [u8], value: Value) -> Result<Value, JsonError> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.expected("a value"))
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    const fn expected(&self, expected: &'static str) -> JsonError {
        JsonError::Syntax { expected, at: self.at }
    }
}
