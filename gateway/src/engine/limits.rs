//! Limits on documents, checked in linear time before anything expensive is done with them.

use graphql_tools::static_graphql::query::{self, Definition, Selection};
use rustc_hash::FxHashMap;

use super::{EngineConfig, ErrorCode, RequestError};

/// How deeply brackets of any kind may be nested in a document, and selection sets through fragments. Parsing and
/// planning are recursive, so that deeper documents would use up the stack.
const MAX_NESTING: usize = 64;

/// Counts tokens and nesting without parsing.
pub(super) fn scan(document: &str, config: &EngineConfig) -> Result<(), RequestError> {
    let bytes = document.as_bytes();
    let (mut at, mut tokens, mut nesting, mut deepest) = (0, 0, 0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => at += 1,
            // A byte order mark.
            0xEF | 0xBB | 0xBF => at += 1,
            b'#' => at += bytes[at..].iter().take_while(|byte| **byte != b'\n').count(),
            _ => {
                tokens += 1;
                match byte {
                    b'{' | b'[' | b'(' => nesting += 1,
                    b'}' | b']' | b')' => nesting = nesting.saturating_sub(1),
                    _ => {}
                }
                deepest = deepest.max(nesting);
                at += token_length(&bytes[at..]);
            }
        }
    }
    if tokens > config.max_tokens {
        return Err(exceeded(&format!("the document has {tokens} tokens, the limit is {}", config.max_tokens)));
    }
    if deepest > MAX_NESTING {
        return Err(exceeded(&format!("the document is nested {deepest} levels deep, the limit is {MAX_NESTING}")));
    }
    Ok(())
}

fn token_length(bytes: &[u8]) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-');
    match bytes[0] {
        b'"' if bytes.starts_with(b"\"\"\"") => {
            let mut at = 3;
            while at < bytes.len() && !bytes[at..].starts_with(b"\"\"\"") {
                at += if bytes[at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
            }
            at + 3
        }
        b'"' => {
            let mut at = 1;
            while at < bytes.len() && !matches!(bytes[at], b'"' | b'\n') {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at + 1
        }
        b'.' if bytes.starts_with(b"...") => 3,
        byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') => {
            1 + bytes[1..].iter().take_while(|byte| is_word(byte)).count()
        }
        _ => 1,
    }
}

/// What an operation amounts to, fragments followed.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    /// Levels of fields.
    depth: usize,
    /// Fields at the topmost level.
    direct: usize,
    fields: usize,
    aliases: usize,
    directives: usize,
}

/// Checks one operation.
pub(super) fn check(
    document: &query::Document,
    selection_set: &query::SelectionSet,
    config: &EngineConfig,
) -> Result<(), RequestError> {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    let mut counter = Counter { fragments: fragments.collect(), known: FxHashMap::default() };
    let totals = counter.selection_set(selection_set, 0)?;
    let limits = [
        (totals.depth, config.max_depth, "query is {} levels deep"),
        (totals.direct, config.max_root_fields, "query selects {} root fields"),
        (totals.aliases, config.max_aliases, "query uses {} aliases"),
        (totals.directives, config.max_directives, "query uses {} directives"),
        (totals.fields, config.max_fields, "query selects {} fields with its fragments written out"),
    ];
    let over = limits.iter().find(|(found, limit, _)| found > limit);
    over.map_or(Ok(()), |(found, limit, what)| {
        let found = if *found == usize::MAX { "too many".to_owned() } else { found.to_string() };
        Err(exceeded(&format!("{}, the limit is {limit}", what.replace("{}", &found))))
    })
}

struct Counter<'d> {
    fragments: FxHashMap<&'d str, &'d query::FragmentDefinition>,
    /// `None` while a fragment is being counted: one that contains itself is left to validation.
    known: FxHashMap<&'d str, Option<Totals>>,
}

impl<'d> Counter<'d> {
    fn selection_set(&mut self, set: &'d query::SelectionSet, nesting: usize) -> Result<Totals, RequestError> {
        if nesting > MAX_NESTING {
            let text = format!("the query is nested more than {MAX_NESTING} levels deep through its fragments");
            return Err(exceeded(&text));
        }
        let mut totals = Totals::default();
        for item in &set.items {
            let (inner, directives) = match item {
                Selection::Field(field) => {
                    let inner = self.selection_set(&field.selection_set, nesting + 1)?;
                    let inner = Totals {
                        depth: inner.depth + 1,
                        direct: 1,
                        fields: inner.fields.saturating_add(1),
                        aliases: inner.aliases.saturating_add(usize::from(field.alias.is_some())),
                        directives: inner.directives,
                    };
                    (inner, &field.directives)
                }
                Selection::InlineFragment(fragment) => {
                    (self.selection_set(&fragment.selection_set, nesting + 1)?, &fragment.directives)
                }
                Selection::FragmentSpread(spread) => {
                    (self.fragment(&spread.fragment_name, nesting + 1)?, &spread.directives)
                }
            };
            totals.depth = totals.depth.max(inner.depth);
            totals.direct = totals.direct.saturating_add(inner.direct);
            totals.fields = totals.fields.saturating_add(inner.fields);
            totals.aliases = totals.aliases.saturating_add(inner.aliases);
            totals.directives = totals.directives.saturating_add(inner.directives).saturating_add(directives.len());
        }
        Ok(totals)
    }

    fn fragment(&mut self, name: &'d str, nesting: usize) -> Result<Totals, RequestError> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.unwrap_or_default());
        }
        let Some(fragment) = self.fragments.get(name).copied() else { return Ok(Totals::default()) };
        self.known.insert(name, None);
        let totals = self.selection_set(&fragment.selection_set, nesting)?;
        self.known.insert(name, Some(totals));
        Ok(totals)
    }
}

fn exceeded(text: &str) -> RequestError {
    RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_LIMIT_EXCEEDED")
}
