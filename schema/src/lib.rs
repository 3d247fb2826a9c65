//! Composition of federated schemas, and what is known about them.
