//! The embedded PostgreSQL on real servers; only pip is faked, to break.

mod cluster;
mod fetch;
mod killed;
mod root;
mod servers;
