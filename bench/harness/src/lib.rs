//! What benches share: processes of their own, one load generator for all that is compared, tables.

pub mod child;
pub mod load;
pub mod table;
