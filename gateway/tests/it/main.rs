//! The gateway from outside: requests in, responses out.

mod engine;
