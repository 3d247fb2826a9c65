//! What goes between the gateway and its subgraphs, and how often.

mod breaker;
mod cache_control;
mod headers;
mod protocols;
mod retries;
mod sharing;
mod tls;
