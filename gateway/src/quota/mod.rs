//! Budgets and rates: buckets that fill steadily, from which requests and their costs are paid. They are in this process,
//! or in a Redis that several processes share.

mod bucket;
mod key;
mod memory;
mod redis;
mod rule;
mod settlement;
mod store;
mod warnings;

pub(crate) use key::Asker;
pub(crate) use rule::{Counts, Quotas, Shortage, Standing};
pub(crate) use settlement::Debit;
pub use warnings::warnings;
