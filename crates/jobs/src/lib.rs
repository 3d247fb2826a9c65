//! Jobs: claimed once, run at least once, retried, never lost.
