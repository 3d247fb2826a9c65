//! A subgraph that fails too often is left alone for a while, so that nobody waits for it and it can recover.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};

use crate::config::BreakerConfig;

/// Into how many parts the time is cut over which calls are counted.
const SLICES: usize = 10;

/// Watches the calls to one subgraph.
pub(super) struct Breaker {
    subgraph: String,
    config: BreakerConfig,
    state: Mutex<State>,
}

enum State {
    /// Calls go through and are counted.
    Closed(Counts),
    /// None does.
    Open { until: Instant },
    /// One at a time does, and decides.
    HalfOpen { succeeded: u32, probing: bool },
}

/// Leave to make a call. How it went is said once; a call that is given up says nothing.
pub(super) struct Leave<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    is_said: bool,
}

#[derive(Default)]
struct Counts {
    slices: [Slice; SLICES],
    /// The slice of now, counted from the beginning of counting.
    newest: u64,
    began: Option<Instant>,
}

#[derive(Default, Clone, Copy)]
struct Slice {
    calls: u32,
    failures: u32,
}

impl Breaker {
    pub(super) fn new(subgraph: &str, config: BreakerConfig) -> Self {
        Self { subgraph: subgraph.to_owned(), config, state: Mutex::new(State::Closed(Counts::default())) }
    }

    /// Whether the subgraph may be called now.
    pub(super) fn ask(&self) -> Option<Leave<'_>> {
        if self.config.failure_percent == 0 {
            return Some(Leave { breaker: self, is_probe: false, is_said: true });
        }
        let mut state = self.lock();
        let is_probe = match &mut *state {
            State::Closed(_) => false,
            State::Open { until } if Instant::now() < *until => return None,
            State::Open { .. } => {
                *state = State::HalfOpen { succeeded: 0, probing: true };
                self.tell(0.5);
                true
            }
            State::HalfOpen { probing: true, .. } => return None,
            State::HalfOpen { probing, .. } => {
                *probing = true;
                true
            }
        };
        Some(Leave { breaker: self, is_probe, is_said: false })
    }

    /// Whether calls are held back now. A call under way is not repeated then.
    pub(super) fn is_open(&self) -> bool {
        self.config.failure_percent > 0 && matches!(*self.lock(), State::Open { .. })
    }

    fn ended(&self, is_probe: bool, succeeded: bool) {
        let now = Instant::now();
        let mut state = self.lock();
        let opens = match &mut *state {
            State::Closed(counts) => {
                let slice = counts.slice(now, self.config.window);
                slice.calls += 1;
                slice.failures += u32::from(!succeeded);
                !succeeded && counts.say_too_much(&self.config)
            }
            State::HalfOpen { succeeded: so_far, probing } if is_probe => {
                *probing = false;
                *so_far += 1;
                if succeeded && *so_far >= self.config.probes {
                    *state = State::Closed(Counts::default());
                    self.tell(0.0);
                    tracing::info!(subgraph = self.subgraph, "the subgraph answers again");
                }
                !succeeded
            }
            // Calls from before say nothing new.
            State::HalfOpen { .. } | State::Open { .. } => false,
        };
        if opens {
            *state = State::Open { until: now + self.config.open };
            self.tell(1.0);
            counter!("pulse_gateway_circuit_opened_total", "subgraph" => self.subgraph.clone()).increment(1);
            tracing::warn!(
                subgraph = self.subgraph,
                pause = ?self.config.open,
                "the subgraph fails too often and is left alone"
            );
        }
    }

    fn given_up(&self) {
        if let State::HalfOpen { probing, .. } = &mut *self.lock() {
            *probing = false;
        }
    }

    /// 0 while calls go through, 1 while none does, and between while some are tried.
    fn tell(&self, state: f64) {
        gauge!("pulse_gateway_circuit_open", "subgraph" => self.subgraph.clone()).set(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// Says how the call went.
    pub(super) fn ended(mut self, succeeded: bool) {
        if !self.is_said {
            self.is_said = true;
            self.breaker.ended(self.is_probe, succeeded);
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if !self.is_said && self.is_probe {
            self.breaker.given_up();
        }
    }
}

impl Counts {
    /// The slice in which a call is counted that ends now.
    fn slice(&mut self, now: Instant, window: Duration) -> &mut Slice {
        let began = *self.began.get_or_insert(now);
        let length = (window.as_nanos() / SLICES as u128).max(1);
        let current = u64::try_from((now - began).as_nanos() / length).unwrap_or(u64::MAX);
        let passed = current.saturating_sub(self.newest).min(SLICES as u64);
        for slice in 0..passed {
            self.slices[Self::index(current - slice)] = Slice::default();
        }
        self.newest = current;
        &mut self.slices[Self::index(current)]
    }

    #[expect(clippy::cast_possible_truncation, reason = "a remainder of ten is small")]
    const fn index(slice: u64) -> usize {
        (slice % SLICES as u64) as usize
    }

    fn say_too_much(&self, config: &BreakerConfig) -> bool {
        let calls: u32 = self.slices.iter().map(|slice| slice.calls).sum();
        let failures: u32 = self.slices.iter().map(|slice| slice.failures).sum();
        calls >= config.minimum_calls.max(1)
            && u64::from(failures) * 100 >= u64::from(config.failure_percent) * u64::from(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(open: Duration, probes: u32) -> Breaker {
        let config = BreakerConfig { minimum_calls: 4, open, probes, ..BreakerConfig::default() };
        Breaker::new("shop", config)
    }

    fn call(breaker: &Breaker, succeeds: bool) -> bool {
        breaker.ask().map(|leave| leave.ended(succeeds)).is_some()
    }

    #[test]
    fn it_opens_when_enough_calls_failed_of_enough() {
        let breaker = breaker(Duration::from_hours(1), 1);
        for succeeds in [false, true, true] {
            assert!(call(&breaker, succeeds));
        }
        assert!(!breaker.is_open());
        assert!(call(&breaker, false), "half of four failed");
        assert!(breaker.is_open());
        assert!(!call(&breaker, true));
    }

    #[test]
    fn one_call_at_a_time_decides_whether_it_closes() {
        let breaker = breaker(Duration::ZERO, 2);
        (0..4).for_each(|_| assert!(call(&breaker, false)));
        let probe = breaker.ask().expect("the pause is over");
        assert!(breaker.ask().is_none(), "a second call beside the probe");
        drop(probe);
        let probe = breaker.ask().expect("a probe that was given up says nothing");
        probe.ended(true);
        let late = breaker.ask().expect("the second probe");
        late.ended(true);
        (0..3).for_each(|_| assert!(call(&breaker, false), "counting begins anew"));
    }

    #[test]
    fn a_probe_that_fails_opens_it_again() {
        let breaker = breaker(Duration::ZERO, 1);
        (0..4).for_each(|_| assert!(call(&breaker, false)));
        assert!(call(&breaker, false));
        assert!(breaker.is_open());
    }

    #[test]
    fn failures_are_forgotten_with_their_time() {
        let mut counts = Counts::default();
        let window = Duration::from_secs(10);
        let start = Instant::now();
        counts.slice(start, window).calls = 3;
        counts.slice(start + Duration::from_secs(5), window).calls = 2;
        let calls = |counts: &Counts| counts.slices.iter().map(|slice| slice.calls).sum::<u32>();
        assert_eq!(calls(&counts), 5);
        counts.slice(start + Duration::from_secs(12), window);
        assert_eq!(calls(&counts), 2);
        counts.slice(start + Duration::from_hours(1), window);
        assert_eq!(calls(&counts), 0);
    }

    #[test]
    fn it_can_be_turned_off() {
        let breaker = Breaker::new("shop", BreakerConfig { failure_percent: 0, ..BreakerConfig::default() });
        (0..100).for_each(|_| assert!(call(&breaker, false)));
    }
}
