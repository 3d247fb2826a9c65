//! The gateway from outside: requests in, responses out.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod auth;
mod authorization;
mod batching;
mod compression;
mod conformance;
mod differential;
mod engine;
mod executions;
mod faults;
mod fuzz;
mod hostile;
mod http;
mod http2;
mod inbound;
mod jwt;
mod live;
mod persisted_queries;
mod protection;
mod quotas;
mod registry;
mod reload;
mod remote;
mod response_cache;
mod secrecy;
mod server;
mod sources;
mod standalone;
mod streams;
mod subgraph;
mod summary;
mod support;
mod terms;
mod traffic;
mod uploads;
mod value;
