//! What changes while the gateway looks on, and which answers that concerns: whoever keeps or repeats an answer says what
//! it was made of, and is told of the first change that may have made it another one. Nobody asks by a timer.

mod index;
mod reads;
#[cfg(test)]
mod tests;
mod watchers;

pub use reads::Reads;
pub(crate) use watchers::{Changes, Watcher, Why};
