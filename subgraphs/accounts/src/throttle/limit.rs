//! How much is too much.

use chrono::TimeDelta;

/// So many failures cost nothing; each further one twice the delay of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    free: i32,
    first: TimeDelta,
    longest: TimeDelta,
}

impl Limit {
    /// One person's password from one place.
    pub(super) const OF_BOTH: Self =
        Self { free: 5, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(15) };

    /// Anybody's from one place, at which there may be a whole company.
    pub(super) const OF_A_PLACE: Self =
        Self { free: 50, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(15) };

    /// One person's from anywhere. The person itself may be at a new place, so that the longest delay is short.
    pub(super) const OF_SOMEBODY: Self =
        Self { free: 20, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(1) };

    /// Codes of one person's app from anywhere. Who tries knows the password, and may be the person at a new place.
    pub(super) const OF_A_FACTOR: Self =
        Self { free: 10, first: TimeDelta::seconds(2), longest: TimeDelta::minutes(15) };

    /// People registered from one place, at which there may be a whole company.
    pub(super) const OF_REGISTERING: Self =
        Self { free: 50, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(15) };

    /// Letters to one address.
    pub(super) const OF_LETTERS: Self =
        Self { free: 3, first: TimeDelta::minutes(1), longest: TimeDelta::hours(1) };

    /// Names of organizations that nobody has, asked for from one place.
    pub(super) const OF_LOOKING: Self =
        Self { free: 500, first: TimeDelta::seconds(1), longest: TimeDelta::minutes(1) };

    /// Letters that invite people to one tenant within an hour, of which this much is left.
    pub(super) const fn of_invitations(left: TimeDelta) -> Self {
        Self { free: 99, first: left, longest: left }
    }

    /// How long to wait after so many failures.
    pub(super) fn delay(&self, failures: i32) -> Option<TimeDelta> {
        let beyond = failures.checked_sub(self.free + 1).filter(|beyond| *beyond >= 0)?;
        // More doublings than this are longer than every longest delay.
        let factor = 1_i32 << beyond.min(16);
        Some((self.first * factor).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let seconds = |failures| Limit::OF_BOTH.delay(failures).map(|delay| delay.num_seconds());
        let delays = [1, 5, 6, 7, 10, 15, 16, i32::MAX].map(seconds);
        assert_eq!(delays, [None, None, Some(1), Some(2), Some(16), Some(512), Some(900), Some(900)]);
    }
}
