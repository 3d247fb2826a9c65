//! Amounts of cost: whole numbers of thousandths, so that sums are exact and never overflow.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of cost, exact to a thousandth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u64);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The most that is told apart: what a floating point number holds exactly, since Redis counts in those.
    pub const MAX: Self = Self(1 << 53);

    /// A whole number.
    pub const fn new(units: u64) -> Self {
        Self::from_thousandths(units.saturating_mul(1000))
    }

    /// A number of thousandths.
    pub const fn from_thousandths(thousandths: u64) -> Self {
        if thousandths > Self::MAX.0 { Self::MAX } else { Self(thousandths) }
    }

    /// The number of thousandths.
    pub const fn thousandths(self) -> u64 {
        self.0
    }

    /// The number of whole units in it.
    pub const fn whole(self) -> u64 {
        self.0 / 1000
    }

    /// So many times as much.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self::from_thousandths(self.0.saturating_mul(count))
    }

    /// What is left of it without another.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The number of thousandths as a floating point number, which holds it exactly.
    #[expect(clippy::cast_precision_loss, reason = "an amount is at most 2^53")]
    pub(crate) const fn to_float(self) -> f64 {
        self.0 as f64
    }

    /// The amount of so many thousandths, rounded down; nothing for a negative number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the bounds")]
    pub(crate) fn from_float(thousandths: f64) -> Self {
        Self(thousandths.clamp(0.0, Self::MAX.to_float()) as u64)
    }

    /// The number of units, for measurements.
    pub(crate) fn units(self) -> f64 {
        self.to_float() / 1000.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount that a text names, such as `5` or `0.25`. `None` when it names none, or a negative one.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
            return None;
        }
        let thousandths: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
        let whole: u64 = whole.parse().unwrap_or(u64::MAX);
        Some(Self::from_thousandths(whole.saturating_mul(1000).saturating_add(thousandths)))
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_thousandths(self.0.saturating_add(other.0))
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1000, self.0 % 1000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{fraction:03}").trim_end_matches('0'))
    }
}

impl From<Cost> for serde_json::Value {
    fn from(cost: Cost) -> Self {
        serde_json::to_value(cost).expect("a number is a JSON value")
    }
}

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(1000) {
            return serializer.serialize_u64(self.whole());
        }
        serializer.serialize_f64(self.units())
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Number {
            Whole(u64),
            Fraction(f64),
            Text(String),
        }
        let text = match Number::deserialize(deserializer) {
            Ok(Number::Whole(units)) => return Ok(Self::new(units)),
            Ok(Number::Fraction(number)) => number.to_string(),
            Ok(Number::Text(text)) => text,
            Err(_) => return Err(D::Error::custom("a cost must be a number that is not negative")),
        };
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("a cost must be a number that is not negative, not {text}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Cost;

    #[test]
    fn an_amount_reads_as_it_is_written() {
        for text in ["0", "5", "0.5", "2.25", "1000000", "0.001"] {
            assert_eq!(Cost::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Cost::parse("1.5000"), Some(Cost::from_thousandths(1500)));
        for text in ["", "-1", "1e3", "five", ".5", "1.-5"] {
            assert_eq!(Cost::parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_never_overflow() {
        assert_eq!(Cost::new(u64::MAX), Cost::MAX);
        assert_eq!(Cost::MAX + Cost::MAX, Cost::MAX);
        assert_eq!(Cost::new(7).times(u64::MAX), Cost::MAX);
        assert_eq!(Cost::new(1).minus(Cost::new(2)), Cost::ZERO);
        assert_eq!(Cost::parse("99999999999999999999999"), Some(Cost::MAX));
    }
}
