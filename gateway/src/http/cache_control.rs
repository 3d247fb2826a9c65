//! How long an answer may be kept, and by whom (RFC 9111 §5.2.2).

use std::fmt::Write;
use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, HeaderMap, HeaderValue};

/// What a `Cache-Control` header allows. There is none of an answer that may not be kept at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheControl {
    /// Seconds, for everybody.
    max_age: u64,
    /// Seconds, for shared caches.
    shared_max_age: u64,
    public: bool,
    no_cache: bool,
    must_revalidate: bool,
}

impl CacheControl {
    /// What a response's head allows. `None` when it allows nothing, or does not say for how long.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let all = Self::read(headers.get_all(CACHE_CONTROL))?;
        let age = headers.get(AGE).and_then(|age| age.to_str().ok()).map_or(0, seconds);
        Some(Self {
            max_age: all.max_age.saturating_sub(age),
            shared_max_age: all.shared_max_age.saturating_sub(age),
            ..all
        })
    }

    /// What the header's values allow.
    pub(crate) fn read<'v>(values: impl IntoIterator<Item = &'v HeaderValue>) -> Option<Self> {
        let (mut max_age, mut shared) = (None, None);
        let (mut public, mut private, mut no_cache, mut must_revalidate) = (false, false, false, false);
        for value in values {
            for directive in value.to_str().ok()?.split(',') {
                let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" => return None,
                    "public" => public = true,
                    "private" => private = true,
                    "no-cache" => no_cache = true,
                    "must-revalidate" | "proxy-revalidate" => must_revalidate = true,
                    "max-age" => max_age = Some(seconds(argument)),
                    "s-maxage" => shared = Some(seconds(argument)),
                    _ => {}
                }
            }
        }
        let max_age = max_age.or(if no_cache { Some(0) } else { None })?;
        Some(Self {
            max_age,
            shared_max_age: shared.unwrap_or(max_age),
            // RFC 9111 lets shared caches keep what does not say `private`; here it must say `public`.
            public: public && !private,
            no_cache,
            must_revalidate,
        })
    }

    /// Allows to keep an answer for so long, and everybody or the client alone.
    pub(crate) const fn for_age(max_age: Duration, public: bool) -> Self {
        let max_age = max_age.as_secs();
        Self { max_age, shared_max_age: max_age, public, no_cache: false, must_revalidate: false }
    }

    /// For how long a cache may keep it that asks nobody whether it is still good: one that several callers share, or that
    /// of one caller. `None` for not at all.
    pub(crate) fn allowed(&self, is_shared: bool) -> Option<Duration> {
        let seconds = if is_shared { self.shared_max_age } else { self.max_age };
        (!self.no_cache && seconds > 0 && (self.public || !is_shared)).then(|| Duration::from_secs(seconds))
    }

    /// Allows only what both allow.
    pub(crate) fn narrow(&mut self, other: &Self) {
        let Self { max_age, shared_max_age, public, no_cache, must_revalidate } = *other;
        self.max_age = self.max_age.min(max_age);
        self.shared_max_age = self.shared_max_age.min(shared_max_age);
        self.public &= public;
        self.no_cache |= no_cache;
        self.must_revalidate |= must_revalidate;
    }

    /// Allows nobody but the client to keep it.
    pub(crate) fn make_private(&mut self) {
        self.public = false;
    }

    pub(crate) fn to_value(&self) -> HeaderValue {
        let mut text = String::from(if self.public { "public" } else { "private" });
        let fits = "writing to a string cannot fail";
        write!(text, ", max-age={}", self.max_age).expect(fits);
        if self.public && self.shared_max_age != self.max_age {
            write!(text, ", s-maxage={}", self.shared_max_age).expect(fits);
        }
        if self.no_cache {
            text.push_str(", no-cache");
        }
        if self.must_revalidate {
            text.push_str(", must-revalidate");
        }
        HeaderValue::try_from(text).expect("names and numbers are a header's value")
    }
}

/// A number of seconds. What is none keeps nothing.
fn seconds(text: &str) -> u64 {
    text.trim().trim_matches('"').parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(parts: &[&str]) -> Option<String> {
        let mut parts = parts.iter().map(|part| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, part.parse().unwrap());
            CacheControl::of(&headers)
        });
        let mut all = parts.next()??;
        for part in parts {
            all.narrow(&part?);
        }
        Some(all.to_value().to_str().unwrap().to_owned())
    }

    #[test]
    fn an_answer_is_kept_as_its_most_restrictive_part() {
        for (parts, expected) in [
            (&["public, max-age=60", "max-age=30, public"][..], Some("public, max-age=30")),
            (&["public, max-age=60", "private, max-age=90"], Some("private, max-age=60")),
            (&["public, max-age=60", "max-age=90"], Some("private, max-age=60")),
            (&["public, max-age=60, s-maxage=10", "public, max-age=5"], Some("public, max-age=5")),
            (&["public, max-age=60, s-maxage=10"], Some("public, max-age=60, s-maxage=10")),
            (&["public, max-age=60", "no-cache"], Some("private, max-age=0, no-cache")),
            (&["public, max-age=60", "public"], None),
            (&["public, max-age=60", "no-store"], None),
            (&["PUBLIC, MAX-AGE=\"7\", must-revalidate"], Some("public, max-age=7, must-revalidate")),
            (&["public, max-age=soon"], Some("public, max-age=0")),
        ] {
            assert_eq!(merged(parts).as_deref(), expected, "{parts:?}");
        }
    }

    #[test]
    fn a_cache_keeps_what_it_may() {
        let allowed = |value: &str, is_shared| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, value.parse().unwrap());
            CacheControl::of(&headers)?.allowed(is_shared).map(|allowed| allowed.as_secs())
        };
        assert_eq!(allowed("private, max-age=5", false), Some(5));
        assert_eq!(allowed("private, max-age=5", true), None);
        assert_eq!(allowed("public, max-age=5, s-maxage=2", true), Some(2));
        assert_eq!(allowed("public, max-age=5, no-cache", false), None);
        assert_eq!(allowed("public, max-age=0", false), None);
    }

    #[test]
    fn time_that_an_answer_spent_in_a_cache_counts() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, "public, max-age=60".parse().unwrap());
        headers.insert(AGE, "45".parse().unwrap());
        assert_eq!(CacheControl::of(&headers).unwrap().to_value(), "public, max-age=15");
    }
}
