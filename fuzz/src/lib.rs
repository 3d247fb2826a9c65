//! What the gateway does with bytes that a fuzzer makes up. Each module is one target; it panics where the gateway is wrong.
//! The gateway's own tests run the seeds through the same code.

pub mod operation;
mod platform;
pub mod response;
pub mod supergraph;
