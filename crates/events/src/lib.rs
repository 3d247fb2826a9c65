//! The sequencer and the log: what was committed, once, in order.
