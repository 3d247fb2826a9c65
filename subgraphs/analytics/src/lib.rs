//! Events counted and summed over time.
