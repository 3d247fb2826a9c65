//! The testkit's own promises.

mod database;
