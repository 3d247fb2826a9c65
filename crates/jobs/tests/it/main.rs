//! Jobs against a real database.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod attempts;
mod cancel;
mod claims;
mod fixture;
mod killed;
mod plans;
mod schedules;
mod shifts;
mod upkeep;
