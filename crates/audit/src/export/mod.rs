//! The audit of a tenant as a file, with what proves that no fact of its range is missing.

mod check;
mod jobs;
mod read;
mod record;
mod signature;
mod write;

use std::time::Duration;

use pulse_files::{FileName, Files};
use pulse_graphql::Subgraph;
use pulse_jobs::{FixedSchedule, Missed};
use pulse_sealing::Sealer;
use pulse_types::AuditExportId;

pub use check::{CheckedExport, ExportFault, check_export};
pub use jobs::EXPORT;
pub use record::Format;
pub use write::Shown;

use self::jobs::{EXPIRE, Expire, Export};

/// What writes exports of the audit.
#[derive(Clone)]
pub struct AuditExports {
    /// Where they are kept.
    pub files: Files,
    /// What signs them.
    pub sealer: Sealer,
    /// How long they are kept.
    pub lifetime: Duration,
    /// How long after its end a range is written: what was begun in it may be committed until then.
    pub delay: Duration,
}

impl AuditExports {
    /// Gives the subgraph the jobs that write exports, and delete those whose time is over.
    pub fn take_up(self, subgraph: &mut Subgraph) {
        subgraph.jobs.push(std::sync::Arc::new(Expire(self.files.clone())));
        subgraph.jobs.push(std::sync::Arc::new(Export(self)));
        let (name, kind) = (EXPIRE, EXPIRE);
        let expire = FixedSchedule { name, kind, cron: "9 * * * *", missed: Missed::Once };
        subgraph.schedules.push(expire);
    }
}

/// The file of an export.
pub fn file_name(id: AuditExportId, format: Format) -> FileName {
    format!("exports/{id}.{}", format.extension()).parse().expect("an id is plain")
}
