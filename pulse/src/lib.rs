//! The wiring of roles: which parts one process runs, and how they find each other.
