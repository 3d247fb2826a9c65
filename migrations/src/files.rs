//! The SQL files: whose they are, their order, their checksums.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::MigrateError;
use crate::bootstrap::BOOTSTRAP;
use crate::migrator::GRANTS;

/// Who owns a folder of migrations and the PostgreSQL schema of the same name. The order is the order of
/// migrating up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Outbox, log, jobs, audit, idempotency: the tables that every database has.
    Platform,
    /// People and organizations.
    Accounts,
    /// The knowledge graph.
    Entities,
    /// Collections and vectors.
    Vectors,
    /// Events and their time series.
    Analytics,
    /// Webhooks and what they were sent.
    Operations,
    /// Schemas of the tenants' own graphs, and who uses what of them.
    Registry,
}

impl Owner {
    /// All owners, in the order of migrating up.
    pub const ALL: [Self; 7] = [
        Self::Platform,
        Self::Accounts,
        Self::Entities,
        Self::Vectors,
        Self::Analytics,
        Self::Operations,
        Self::Registry,
    ];

    /// The name of the folder and of the PostgreSQL schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Accounts => "accounts",
            Self::Entities => "entities",
            Self::Vectors => "vectors",
            Self::Analytics => "analytics",
            Self::Operations => "operations",
            Self::Registry => "registry",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Owner {
    type Err = MigrateError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|owner| owner.as_str() == name)
            .ok_or_else(|| MigrateError::UnknownOwner { name: name.to_owned() })
    }
}

/// One step of one owner, there and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Whose step it is.
    pub owner: Owner,
    /// The number in the file's name; an owner's numbers are 1, 2, 3 … without a gap.
    pub version: i32,
    /// The words after the number.
    pub name: String,
    /// The SQL that applies it.
    pub up: Cow<'static, str>,
    /// The SQL that takes it back.
    pub down: Cow<'static, str>,
}

impl Migration {
    /// A migration from a file's name, `NNNN_name.up.sql`, and the SQL of both directions.
    pub fn try_new(
        owner: Owner,
        file: &str,
        up: impl Into<Cow<'static, str>>,
        down: impl Into<Cow<'static, str>>,
    ) -> Result<Self, MigrateError> {
        let bad_name = || MigrateError::BadFileName { file: format!("{owner}/{file}") };
        let stem = file.strip_suffix(".up.sql").ok_or_else(bad_name)?;
        let (number, name) = stem.split_once('_').ok_or_else(bad_name)?;
        let version = number.parse().map_err(|_| bad_name())?;
        if number.len() != 4 || number.starts_with('+') || name.is_empty() {
            return Err(bad_name());
        }
        Ok(Self { owner, version, name: name.to_owned(), up: up.into(), down: down.into() })
    }

    /// The path below `migrations/` of the file that applies it.
    pub fn up_file(&self) -> String {
        format!("{}/{:04}_{}.up.sql", self.owner, self.version, self.name)
    }

    /// The path below `migrations/` of the file that takes it back.
    pub fn down_file(&self) -> String {
        format!("{}/{:04}_{}.down.sql", self.owner, self.version, self.name)
    }

    /// The SHA-256 of the SQL that applies it. The way back may be mended later and is not part of it.
    pub fn sha256(&self) -> String {
        format!("{:x}", Sha256::digest(self.up.as_bytes()))
    }
}

/// The migrations inside this binary, in the order of migrating up.
pub fn embedded() -> Result<Vec<Migration>, MigrateError> {
    let migrations = EMBEDDED
        .iter()
        .map(|file| Migration::try_new(file.owner, file.file, file.up, file.down))
        .collect::<Result<Vec<_>, _>>()?;
    ordered(migrations)
}

/// A short name for exactly these migrations and this bootstrap: it changes when any of them does.
pub fn fingerprint(migrations: &[Migration]) -> String {
    let mut digest = Sha256::new();
    digest.update(BOOTSTRAP);
    digest.update(GRANTS);
    for migration in migrations {
        digest.update(migration.up_file());
        digest.update(migration.up.as_bytes());
    }
    let mut hex = format!("{:x}", digest.finalize());
    hex.truncate(16);
    hex
}

/// Sorts and refuses numbers that are missing or there twice.
pub(crate) fn ordered(mut migrations: Vec<Migration>) -> Result<Vec<Migration>, MigrateError> {
    migrations.sort_by_key(|migration| (migration.owner, migration.version));
    for owner in Owner::ALL {
        let own = migrations.iter().filter(|migration| migration.owner == owner);
        for (migration, expected) in own.zip(1..) {
            if migration.version != expected {
                return Err(MigrateError::Gap { file: migration.up_file(), expected });
            }
        }
    }
    Ok(migrations)
}

struct EmbeddedFile {
    owner: Owner,
    file: &'static str,
    up: &'static str,
    down: &'static str,
}

const EMBEDDED: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
