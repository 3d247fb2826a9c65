//! Which key does what when. Every process finds that out by itself, from the same rows.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_tokens::ACCESS_TOKEN_SECONDS;

use super::repo::KeyRow;

/// How long tokens of a key are accepted after another one has taken its place: as long as they live, and a minute for clocks
/// and processes that have not heard of it.
const OVERLAP: TimeDelta = TimeDelta::seconds(ACCESS_TOKEN_SECONDS + 60);

/// How long a key that is accepted no more is kept, for who wants to know what has happened.
const KEPT: TimeDelta = TimeDelta::days(1);

/// All keys, in the order of becoming active.
pub(super) struct Timeline<'a>(&'a [KeyRow]);

impl<'a> Timeline<'a> {
    pub(super) const fn new(rows: &'a [KeyRow]) -> Self {
        Self(rows)
    }

    /// What signs now: the key that became active last. Before the first one is, by a clock that is behind, the first one.
    pub(super) fn current(&self, now: DateTime<Utc>) -> Option<&'a KeyRow> {
        self.0.iter().rev().find(|row| row.active_from <= now).or_else(|| self.0.first())
    }

    /// What will sign, if that is decided.
    pub(super) fn next(&self, now: DateTime<Utc>) -> Option<&'a KeyRow> {
        self.0.last().filter(|row| row.active_from > now)
    }

    /// What tokens are accepted of, and published: the current key, the next one, and those of before until their tokens have
    /// ended.
    pub(super) fn accepted(&self, now: DateTime<Utc>) -> impl Iterator<Item = &'a KeyRow> {
        self.with_ends().filter(move |(_, end)| end.is_none_or(|end| end > now)).map(|(row, _)| row)
    }

    /// What nothing stands on any more.
    pub(super) fn over(&self, now: DateTime<Utc>) -> impl Iterator<Item = &'a KeyRow> {
        self.with_ends().filter(move |(_, end)| end.is_some_and(|end| end + KEPT <= now)).map(|(row, _)| row)
    }

    /// Whether it is time for a new key, which is published `ahead` of signing.
    pub(super) fn is_due(&self, now: DateTime<Utc>, (every, ahead): (TimeDelta, TimeDelta)) -> bool {
        self.0.last().is_none_or(|newest| newest.active_from + every - ahead <= now)
    }

    /// Each with when its tokens are accepted no more.
    fn with_ends(&self) -> impl Iterator<Item = (&'a KeyRow, Option<DateTime<Utc>>)> {
        let ends = self.0.iter().skip(1).map(|next| Some(next.active_from + OVERLAP));
        self.0.iter().zip(ends.chain(std::iter::once(None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn row(kid: &str, active_from: i64) -> KeyRow {
        let (public_key, seed) = (String::new(), String::new());
        KeyRow { kid: kid.to_owned(), public_key, seed, created_at: at(0), active_from: at(active_from) }
    }

    fn kids<'a>(rows: impl Iterator<Item = &'a KeyRow>) -> String {
        rows.map(|row| row.kid.as_str()).collect()
    }

    #[test]
    fn keys_are_accepted_before_they_sign_and_until_their_tokens_have_ended() {
        let rows = [row("a", 0), row("b", 10_000), row("c", 20_000)];
        let timeline = Timeline::new(&rows);
        let day = 86_400;
        for (now, current, accepted, over) in [
            (-5, "a", "abc", ""),
            (0, "a", "abc", ""),
            (9_999, "a", "abc", ""),
            (10_000, "b", "abc", ""),
            (10_959, "b", "abc", ""),
            (10_960, "b", "bc", ""),
            (20_000, "c", "bc", ""),
            (20_960, "c", "c", ""),
            (10_960 + day, "c", "c", "a"),
            (20_960 + day, "c", "c", "ab"),
        ] {
            assert_eq!(kids(timeline.current(at(now)).into_iter()), current, "{now}");
            assert_eq!(kids(timeline.accepted(at(now))), accepted, "{now}");
            assert_eq!(kids(timeline.over(at(now))), over, "{now}");
        }
        assert_eq!(kids(timeline.next(at(10_000)).into_iter()), "c");
        assert!(timeline.next(at(20_000)).is_none());
    }

    #[test]
    fn a_new_key_is_due_so_long_before_it_signs() {
        let rule = (TimeDelta::seconds(1_000), TimeDelta::seconds(100));
        let rows = [row("a", 0)];
        assert!(Timeline::new(&[]).is_due(at(0), rule));
        assert!(!Timeline::new(&rows).is_due(at(899), rule));
        assert!(Timeline::new(&rows).is_due(at(900), rule));
        let rows = [row("a", 0), row("b", 1_000)];
        assert!(!Timeline::new(&rows).is_due(at(900), rule));
    }
}
