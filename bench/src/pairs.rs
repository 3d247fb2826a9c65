//! Two servers measured in turns, and what their pairs of rounds say.
//!
//! The speed of a shared machine differs by a half within minutes. What disturbs one round usually disturbs the next as well,
//! so the two rounds of a pair are compared with each other, and of all pairs the median is told.

use std::time::Duration;

use anyhow::{Context, ensure};
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::{Call, Measured};

/// A server, and what it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) server: &'a Server,
    pub(crate) call: &'a Call,
}

/// How servers are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) connections: usize,
    pub(crate) pairs: u32,
    /// How long each round takes.
    pub(crate) time: Duration,
}

/// What a round showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) measured: Measured,
    /// The CPU time that the server took for each request, in milliseconds.
    pub(crate) cpu: f64,
}

impl Round {
    pub(crate) fn rate(&self) -> f64 {
        self.measured.per_second
    }

    pub(crate) fn p50(&self) -> f64 {
        ms(self.measured.p50)
    }

    pub(crate) fn p99(&self) -> f64 {
        ms(self.measured.p99)
    }

    async fn of(target: Target<'_>, how: Measure) -> anyhow::Result<Self> {
        let Target { server, call } = target;
        call.load(how.connections, how.time / 10).await?;
        let before = server.cpu_ms()?;
        let measured = call.load(how.connections, how.time).await?;
        ensure!(measured.errors == 0, "{} requests failed", measured.errors);
        let cpu = server.cpu_ms()? - before;
        Ok(Self { measured, cpu: cpu / (measured.per_second * how.time.as_secs_f64()) })
    }
}

/// Rounds of two servers, each beside one of the other.
pub(crate) struct Pairs(Vec<[Round; 2]>);

impl Pairs {
    /// Measures both in turns. Which of them begins alternates, so that neither gains by a machine that becomes slower.
    pub(crate) async fn measure(first: Target<'_>, second: Target<'_>, how: Measure) -> anyhow::Result<Self> {
        let mut pairs = Vec::new();
        for number in 0..how.pairs {
            pairs.push(if number % 2 == 0 {
                let first = Round::of(first, how).await?;
                [first, Round::of(second, how).await?]
            } else {
                let second = Round::of(second, how).await?;
                [Round::of(first, how).await?, second]
            });
        }
        Ok(Self(pairs))
    }

    /// The round of the first (0) or second (1) server with the highest rate.
    pub(crate) fn best(&self, server: usize) -> anyhow::Result<Round> {
        let rounds = self.0.iter().map(|pair| pair[server]);
        rounds.max_by(|a, b| a.rate().total_cmp(&b.rate())).context("no pair of rounds")
    }

    /// What the second server's figure is of the first one's, pair by pair.
    pub(crate) fn ratio(&self, figure: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.0.iter().map(|[first, second]| figure(second) / figure(first)).collect())
    }
}

/// The median of some figures, and between which two the middle half of them lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_unstable_by(f64::total_cmp);
        let at = |quarters: usize| {
            let place = (figures.len().saturating_sub(1)) * quarters;
            let (below, rest) = (place / 4, place % 4);
            let [low, high] =
                [below, place.div_ceil(4)].map(|at| figures.get(at).copied().unwrap_or(f64::NAN));
            #[expect(clippy::cast_precision_loss, reason = "0 to 3")]
            let share = rest as f64 / 4.0;
            low + (high - low) * share
        };
        Self { median: at(2), lower: at(1), upper: at(3) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.lower, self.upper)
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_between_its_quartiles() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0, 5.0]);
        assert_eq!(spread, Spread { median: 3.0, lower: 2.0, upper: 4.0 });
        assert_eq!(Spread::of(vec![2.0, 1.0]), Spread { median: 1.5, lower: 1.25, upper: 1.75 });
        assert_eq!(Spread::of(vec![7.0]), Spread { median: 7.0, lower: 7.0, upper: 7.0 });
    }
}
