//! The embedded PostgreSQL: fetched, checked, started and stopped by Pulse itself.
