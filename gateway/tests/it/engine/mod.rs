//! The engine: operations over fake subgraphs.
