//! Collections of vectors and search by similarity.
