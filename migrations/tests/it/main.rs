//! Migrations and conventions on a real server.

mod bootstrap;
mod catalog;
mod files;
mod roundtrip;
mod runner;
