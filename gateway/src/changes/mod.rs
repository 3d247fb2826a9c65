//! What changes while the gateway looks on, and which answers that concerns: whoever keeps or repeats an answer says what
//! it was made of, and is told of the first change that may have made it another one. Nobody asks by a timer.

mod answered;
#[cfg(test)]
mod tests;
mod watchers;

pub(crate) use answered::add_answer;
pub use pulse_cache::Reads;
pub(crate) use watchers::{Changes, Position, Watch, Watcher, Why};
