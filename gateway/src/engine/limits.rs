//! Limits on documents, checked in linear time before anything expensive is done with them.

use graphql_tools::static_graphql::query::{self, Definition, Selection};
use rustc_hash::FxHashMap;

use super::{EngineConfig, ErrorCode, RequestError};

/// How deeply brackets of any kind may be nested in a document, and selection sets through fragments. Parsing and
/// planning are recursive, so that deeper documents would use up the stack; the parser gives up at 50.
const MAX_NESTING: usize = 48;

/// How often one key may be selected in one selection set. Validation compares each with each.
const MAX_REPEATS: usize = 50;

/// Counts tokens and nesting without parsing.
pub(super) fn scan(document: &str, config: &EngineConfig) -> Result<(), RequestError> {
    let bytes = document.as_bytes();
    let (mut at, mut tokens, mut nesting, mut deepest) = (0, 0, 0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            // White space, and the bytes of a byte order mark.
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => at += 1,
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
        return Err(exceeded(&format!(
            "the document has {tokens} tokens, the limit is {}",
            config.max_tokens
        )));
    }
    if deepest > MAX_NESTING {
        return Err(exceeded(&format!(
            "the document is nested {deepest} levels deep, the limit is {MAX_NESTING}"
        )));
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
    /// Levels of selection sets, those of fragments too.
    nesting: usize,
    /// Fields at the topmost level.
    direct: usize,
    fields: usize,
    aliases: usize,
    directives: usize,
}

/// Checks all operations and fragments of a document, since validation looks at all of them.
pub(super) fn check(document: &query::Document, config: &EngineConfig) -> Result<(), RequestError> {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    let mut counter = Counter { fragments: fragments.collect(), known: FxHashMap::default() };
    for definition in &document.definitions {
        match definition {
            Definition::Fragment(fragment) => {
                counter.fragment(&fragment.name, 0)?;
            }
            Definition::Operation(operation) => {
                let set = super::operation::selection_set(operation);
                check_repeats(set)?;
                check_totals(counter.selection_set(set, 0)?, config)?;
            }
        }
    }
    Ok(())
}

fn check_totals(totals: Totals, config: &EngineConfig) -> Result<(), RequestError> {
    let limits = [
        (totals.nesting, MAX_NESTING, "query is nested {} levels deep through its fragments"),
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
    /// `None` while a fragment is being counted.
    known: FxHashMap<&'d str, Option<Totals>>,
}

impl<'d> Counter<'d> {
    fn selection_set(
        &mut self,
        set: &'d query::SelectionSet,
        nesting: usize,
    ) -> Result<Totals, RequestError> {
        if nesting > MAX_NESTING {
            let text = format!("query is nested more than {MAX_NESTING} levels deep through its fragments");
            return Err(exceeded(&text));
        }
        let mut totals = Totals::default();
        for item in &set.items {
            let (inner, directives) = match item {
                Selection::Field(field) => {
                    check_repeats(&field.selection_set)?;
                    let inner = self.selection_set(&field.selection_set, nesting + 1)?;
                    let inner = Totals {
                        depth: inner.depth + 1,
                        direct: 1,
                        fields: inner.fields.saturating_add(1),
                        aliases: inner.aliases.saturating_add(usize::from(field.alias.is_some())),
                        ..inner
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
            totals = Totals {
                depth: totals.depth.max(inner.depth),
                nesting: totals.nesting.max(inner.nesting + 1),
                direct: totals.direct.saturating_add(inner.direct),
                fields: totals.fields.saturating_add(inner.fields),
                aliases: totals.aliases.saturating_add(inner.aliases),
                directives: totals
                    .directives
                    .saturating_add(inner.directives)
                    .saturating_add(directives.len()),
            };
        }
        Ok(totals)
    }

    /// Refuses a fragment that contains itself: validation would follow it without end.
    fn fragment(&mut self, name: &'d str, nesting: usize) -> Result<Totals, RequestError> {
        let Some(fragment) = self.fragments.get(name).copied() else { return Ok(Totals::default()) };
        match self.known.get(name) {
            Some(Some(known)) => Ok(*known),
            Some(None) => {
                let at = fragment.position;
                let text = format!("the fragment `{name}` contains itself");
                let error =
                    RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_VALIDATION_FAILED");
                Err(error.at(at.line, at.column))
            }
            None => {
                self.known.insert(name, None);
                check_repeats(&fragment.selection_set)?;
                let totals = self.selection_set(&fragment.selection_set, nesting)?;
                self.known.insert(name, Some(totals));
                Ok(totals)
            }
        }
    }
}

fn check_repeats(set: &query::SelectionSet) -> Result<(), RequestError> {
    if set.items.len() <= 1 {
        return Ok(());
    }
    let mut repeats = FxHashMap::default();
    count_keys(set, &mut repeats);
    let most = repeats.into_iter().filter(|(_, count)| *count > MAX_REPEATS).max_by_key(|(_, count)| *count);
    most.map_or(Ok(()), |(key, count)| {
        Err(exceeded(&format!(
            "query selects `{key}` {count} times in one place, the limit is {MAX_REPEATS}"
        )))
    })
}

fn count_keys<'d>(set: &'d query::SelectionSet, repeats: &mut FxHashMap<&'d str, usize>) {
    for item in &set.items {
        match item {
            Selection::Field(field) => {
                *repeats.entry(field.alias.as_ref().unwrap_or(&field.name)).or_default() += 1;
            }
            Selection::InlineFragment(fragment) => count_keys(&fragment.selection_set, repeats),
            // Each fragment is compared with the others once.
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn exceeded(text: &str) -> RequestError {
    RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_LIMIT_EXCEEDED")
}
