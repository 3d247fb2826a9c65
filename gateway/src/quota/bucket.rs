//! One bucket's arithmetic. Amounts are thousandths, times milliseconds.

/// How much a bucket holds, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    pub(super) capacity: f64,
    pub(super) per_millisecond: f64,
}

/// A bucket as it was at some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    level: f64,
    at: i64,
}

impl Measure {
    /// How long filling up from a level takes; `None` for never.
    pub(super) fn wait(self, from: f64, to: f64) -> Option<f64> {
        if to <= from {
            return Some(0.0);
        }
        (self.per_millisecond > 0.0).then(|| ((to - from) / self.per_millisecond).ceil())
    }
}

impl Bucket {
    pub(super) const fn full(measure: Measure, now: i64) -> Self {
        Self { level: measure.capacity, at: now }
    }

    /// What it holds now. Time never runs backwards, whatever a clock says.
    pub(super) fn level(self, measure: Measure, now: i64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a time between two requests in milliseconds is far below 2^52"
        )]
        let passed = now.saturating_sub(self.at).max(0) as f64;
        passed.mul_add(measure.per_millisecond, self.level).min(measure.capacity)
    }

    /// The same with so much more in it, or less. It never holds less than nothing.
    pub(super) fn with(self, measure: Measure, now: i64, more: f64) -> Self {
        let level = (self.level(measure, now) + more).clamp(0.0, measure.capacity);
        Self { level, at: self.at.max(now) }
    }

    pub(super) fn is_full(self, measure: Measure, now: i64) -> bool {
        self.level(measure, now) >= measure.capacity
    }
}
