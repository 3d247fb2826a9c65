//! Whether an export is whole: each link follows from the one before it, none is missing, and the platform has signed both ends.

use std::fmt::Write as _;
use std::io::BufRead;

use pulse_sealing::Sealer;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::read::{ReadError, Records};
use super::record::{FactRecord, Joint, Record};
use super::signature;
use crate::link::next;

/// What a file was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedExport {
    /// Whose chain it is of.
    pub tenant: Uuid,
    /// The first and the last link in it; the last is the one before the first where there is none.
    pub links: (i64, i64),
    /// Facts that it shows.
    pub facts: u64,
    /// Facts of which it has a digest alone: those that were not asked for.
    pub withheld: u64,
}

/// Why a file proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Io(#[source] std::io::Error),
    /// A record is none.
    #[error("record {0}: it is no record of an export of the audit")]
    Malformed(u64),
    /// A link is not there.
    #[error("record {record}: after link {after} comes {found}: something is missing, or was moved")]
    Gap {
        /// The record, from 1.
        record: u64,
        /// The link before.
        after: i64,
        /// The one that is there.
        found: i64,
    },
    /// A link does not follow.
    #[error("record {record}, link {nth}: the fact was changed, or its place in the chain was")]
    Changed {
        /// The record, from 1.
        record: u64,
        /// The link.
        nth: i64,
    },
    /// What is personal is not what was sealed.
    #[error("record {record}, link {nth}: who did it, to what or from where was changed")]
    PersonChanged {
        /// The record, from 1.
        record: u64,
        /// The link.
        nth: i64,
    },
    /// It breaks off.
    #[error("the file has no end, or goes on behind it: it is not whole")]
    NoEnd,
    /// It counts other facts than it has.
    #[error("the file says that it shows {said} facts, and shows {found}")]
    Count {
        /// What it says.
        said: u64,
        /// What it has.
        found: u64,
    },
    /// Nobody has signed it.
    #[error("the file is not signed with a key of this platform")]
    Unsigned,
}

/// Walks an export without any database. The key alone proves that the platform has written it.
pub fn check_export(from: impl BufRead, sealer: &Sealer) -> Result<CheckedExport, ExportFault> {
    let mut walk = Walk { record: 1 };
    let mut records = Records::try_new(from).map_err(|error| walk.fault(error))?;
    let Some(Record::Start { tenant, after, .. }) = walk.next(&mut records)? else {
        return Err(ExportFault::Malformed(1));
    };
    let (mut at, mut facts, mut withheld) = (after.clone(), 0, 0);
    loop {
        let record = walk.record;
        let (joint, digest) = match walk.next(&mut records)? {
            Some(Record::Fact { joint, fact }) => {
                facts += 1;
                if !is_sealed(&fact) {
                    return Err(ExportFault::PersonChanged { record, nth: joint.nth });
                }
                (joint, digest(tenant, &fact))
            }
            Some(Record::Withheld { joint, digest }) => {
                withheld += 1;
                (joint, digest)
            }
            Some(Record::End { joint, facts: said, signature }) => {
                if joint != at || walk.next(&mut records)?.is_some() {
                    return Err(ExportFault::NoEnd);
                }
                if said != facts {
                    return Err(ExportFault::Count { said, found: facts });
                }
                if !signature::is_ours(sealer, tenant, (&after, &at), &signature) {
                    return Err(ExportFault::Unsigned);
                }
                return Ok(CheckedExport { tenant, links: (after.nth + 1, at.nth), facts, withheld });
            }
            Some(Record::Start { .. }) => return Err(ExportFault::Malformed(record)),
            None => return Err(ExportFault::NoEnd),
        };
        at = follow(&at, joint, &digest, record)?;
    }
}

fn follow(at: &Joint, joint: Joint, digest: &[u8], record: u64) -> Result<Joint, ExportFault> {
    if joint.nth != at.nth + 1 {
        return Err(ExportFault::Gap { record, after: at.nth, found: joint.nth });
    }
    if next(&at.link, digest)[..] != joint.link[..] {
        return Err(ExportFault::Changed { record, nth: joint.nth });
    }
    Ok(joint)
}

struct Walk {
    record: u64,
}

impl Walk {
    fn next<R: BufRead>(&mut self, records: &mut Records<R>) -> Result<Option<Record>, ExportFault> {
        let record = records.read().map_err(|error| self.fault(error))?;
        self.record += 1;
        Ok(record)
    }

    fn fault(&self, error: ReadError) -> ExportFault {
        match error {
            ReadError::Io(error) => ExportFault::Io(error),
            ReadError::Malformed => ExportFault::Malformed(self.record),
        }
    }
}

/// As `platform.audit_digest` makes it.
fn digest(tenant: Uuid, fact: &FactRecord) -> Vec<u8> {
    let FactRecord { id, at, action, subject, version, items, request, sealed, .. } = fact;
    let mut text = format!("{tenant}|{id}|{}|", at.timestamp_micros());
    let version = version.map_or_else(|| "-".to_owned(), |version| version.to_string());
    let (of_action, of_subject) = (action.chars().count(), subject.chars().count());
    write!(text, "{of_action}|{action}|{of_subject}|{subject}|{version}|{items}|{request}")
        .expect("writing to a String cannot fail");
    Sha256::new().chain_update(sealed).chain_update(text).finalize().to_vec()
}

/// Whether actor, key and address are those of `sealed`, as `platform.audit_sealed` makes it. Of whom was erased, nothing can be told.
fn is_sealed(FactRecord { actor, key, address, salt, sealed, .. }: &FactRecord) -> bool {
    let Some(salt) = salt else { return true };
    let id = |id: &Option<Uuid>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let length = address.as_ref().map_or(0, |address| address.chars().count());
    let text = format!("{}|{}|{length}|{}", id(actor), id(key), address.as_deref().unwrap_or("-"));
    Sha256::new().chain_update(salt).chain_update(text).finalize()[..] == sealed[..]
}
