//! Where a client left off.

use std::fmt;
use std::str::FromStr;

/// What stands between a cursor and a version.
const SEPARATOR: char = '~';

/// A place in a job's course: behind a cursor of the event log, and behind a version of the job, which tells whether its
/// end lies behind it too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) cursor: String,
    /// `None` for a cursor from elsewhere, such as of the subscription `jobProgress`.
    pub(super) version: Option<i64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cursor, version } = self;
        match version {
            Some(version) => write!(f, "{cursor}{SEPARATOR}{version}"),
            None => f.write_str(cursor),
        }
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(SEPARATOR) {
            Some((cursor, version)) => Self { cursor: cursor.to_owned(), version: Some(version.parse()?) },
            None => Self { cursor: text.to_owned(), version: None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_a_bare_cursor_is_one() {
        for version in [None, Some(7)] {
            let place = Place { cursor: "0a1b.2c".to_owned(), version };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert!("0a1b.2c~x".parse::<Place>().is_err());
    }
}
