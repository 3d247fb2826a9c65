#![doc = include_str!("../README.md")]

mod chain;
mod export;
mod link;
mod resign;
mod verify;

pub use chain::Chain;
pub use export::{AuditExports, CheckedExport, EXPORT, ExportFault, Format, Shown, check_export, file_name};
pub use resign::{Resigned, resign};
pub use verify::{Broken, Fault, Progress, Report, verify};
