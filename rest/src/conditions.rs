//! What a request's head says beside who asks: validators, keys against repetition, preferences.

use std::fmt::Write;

use http::header::{HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How many bytes of a digest are enough to tell answers apart.
const DIGEST_BYTES: usize = 12;

/// What names an answer: the version of what it shows, where that has one, and a digest of its bytes.
pub(crate) fn etag(version: Option<u64>, body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let digest = digest.iter().take(DIGEST_BYTES).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    });
    version.map_or_else(|| format!("\"{digest}\""), |version| format!("\"{version}.{digest}\""))
}

/// Whether the client has this answer already (RFC 9110 §13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

/// The version that a thing must have to be changed: that of the `ETag` by which it was read, or the number alone in
/// quotes. `*` asks for nothing more than that it is there.
pub(crate) fn expected_version(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = single(headers, &IF_MATCH)? else { return Ok(None) };
    if value == "*" {
        return Ok(None);
    }
    let wrong = || {
        Problem::bad(format!(
            "the header `If-Match` must be the `ETag` of what is to be changed, or its version in quotes, such as \
             \"7\", not {value:?}"
        ))
        .at("If-Match")
    };
    let tag = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).ok_or_else(wrong)?;
    let version = tag.split('.').next().unwrap_or_default();
    version.parse::<i32>().map(|version| Some(version.into())).map_err(|_| wrong())
}

/// The key by which a repeated request is known (draft-ietf-httpapi-idempotency-key-header); with quotes or without.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let value = single(headers, &IDEMPOTENCY_KEY)?;
    Ok(value.map(|value| {
        let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        inner.unwrap_or(value)
    }))
}

/// Whether the client wants to hear no more than that something was done (RFC 7240 §4.2).
pub(crate) fn wants_least(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|wish| {
        wish.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("return")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("minimal")
        })
    })
}

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::bad(format!("the header `{name}` is given more than once")).at(name.as_str()));
    }
    let text = |value: &'h HeaderValue| {
        value
            .to_str()
            .map_err(|_| Problem::bad(format!("the header `{name}` must be plain text")).at(name.as_str()))
    };
    first.map(text).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_static(value))])
    }

    #[test]
    fn an_answer_is_known_by_its_etag() {
        let tag = etag(Some(7), b"{}");
        assert!(tag.starts_with("\"7."), "{tag}");
        assert_ne!(tag, etag(Some(7), b"[]"));
        let asked =
            |value: String| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::try_from(value).unwrap())]);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            assert!(is_known(&asked(known.clone()), &tag), "{known}");
        }
        assert!(!is_known(&asked("\"7\"".to_owned()), &tag));
        assert!(!is_known(&HeaderMap::new(), &tag));
    }

    #[test]
    fn a_version_is_read_out_of_an_etag() {
        for (value, expected) in [("\"7\"", Some(7)), ("\"7.c0ffee\"", Some(7)), ("*", None)] {
            assert_eq!(expected_version(&headers(&IF_MATCH, value)).unwrap(), expected, "{value}");
        }
        for wrong in ["7", "\"c0ffee\"", "W/\"7.c0ffee\"", "\"99999999999\"", "\"1\", \"2\""] {
            assert!(expected_version(&headers(&IF_MATCH, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn preferences_are_read() {
        assert!(wants_least(&headers(&PREFER, "respond-async, return=minimal")));
        assert!(wants_least(&headers(&PREFER, "return=\"minimal\"; foo")));
        assert!(!wants_least(&headers(&PREFER, "return=representation")));
        assert!(!wants_least(&HeaderMap::new()));
    }

    #[test]
    fn keys_come_with_quotes_or_without() {
        assert_eq!(idempotency_key(&headers(&IDEMPOTENCY_KEY, "\"a b\"")).unwrap(), Some("a b"));
        assert_eq!(idempotency_key(&headers(&IDEMPOTENCY_KEY, "a")).unwrap(), Some("a"));
    }
}
