//! What can go wrong while migrating, each with the way out.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use thiserror::Error;

use crate::Owner;

/// Why a database could not be migrated.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// A folder name that no subgraph has.
    #[error(
        "there is no owner \"{name}\"; the owners are platform, accounts, entities, vectors, analytics, operations and registry"
    )]
    UnknownOwner {
        /// What was asked for.
        name: String,
    },
    /// A file that is not named by the rule.
    #[error("migrations/{file} is not named NNNN_name.up.sql, four digits first; rename it")]
    BadFileName {
        /// The file below `migrations/`.
        file: String,
    },
    /// A number is missing or there twice.
    #[error(
        "migrations/{file} should have the number {expected:04}: an owner's migrations are numbered 0001, 0002 … without gaps; renumber it"
    )]
    Gap {
        /// The file below `migrations/`.
        file: String,
        /// The number that belongs there.
        expected: i32,
    },
    /// The recorded steps of an owner are not the first ones of its folder.
    #[error(
        "{owner} has migration {version:04} applied but not {missing:04} before it; restore the record in pulse_migrations.applied from a backup"
    )]
    OutOfOrder {
        /// Whose record has the hole.
        owner: Owner,
        /// The migration after the hole.
        version: i32,
        /// The migration in the hole.
        missing: i32,
    },
    /// The database is ahead of this binary.
    #[error(
        "the database has {owner} migration {version:04}_{name} applied, which this Pulse does not know; start the newer Pulse that applied it, or migrate down with that one first"
    )]
    UnknownVersion {
        /// Whose migration it is.
        owner: String,
        /// Its number.
        version: i32,
        /// Its recorded name.
        name: String,
    },
    /// A file was edited after it had been applied.
    #[error(
        "migrations/{file} ({owner}, version {version:04}) was changed after it was applied: the database has SHA-256 {applied}, the file has {file_sha256}; restore the file as it was and put the change into a new migration"
    )]
    ChecksumChanged {
        /// Whose migration it is.
        owner: Owner,
        /// Its number.
        version: i32,
        /// The file below `migrations/`.
        file: String,
        /// The checksum in the record.
        applied: String,
        /// The checksum of the file now.
        file_sha256: String,
    },
    /// A version that the owner does not have.
    #[error("{owner} has no migration {version:04}; its last is {last:04}")]
    NoSuchVersion {
        /// Whose folder was searched.
        owner: Owner,
        /// What was asked for.
        version: i32,
        /// The owner's last number.
        last: i32,
    },
    /// The server lacks the one extension that Pulse needs.
    #[error(
        "this PostgreSQL {server_version} has no pgvector, which Pulse needs for vector search; install the server's pgvector package (0.8 or newer, for example \"postgresql-18-pgvector\"), or unset DATABASE_URL to use the embedded PostgreSQL"
    )]
    MissingPgvector {
        /// The server's own version text.
        server_version: String,
    },
    /// The extension is there, but this login may not create it.
    #[error(
        "the login \"{login}\" may not create the extension pgvector in this database; run \"CREATE EXTENSION vector\" once as a superuser, then migrate again"
    )]
    PgvectorNotAllowed {
        /// The connecting login.
        login: String,
    },
    /// The login can create neither roles nor what hangs on them.
    #[error(
        "the login \"{login}\" may not prepare this database for Pulse: {reason}; connect as a superuser, or give it CREATEROLE and BYPASSRLS and make it the database's owner"
    )]
    BootstrapNotAllowed {
        /// The connecting login.
        login: String,
        /// The server's own words.
        reason: String,
    },
    /// The server is older than what Pulse is made for.
    #[error(
        "this PostgreSQL {server_version} is too old: Pulse needs 16 or newer; upgrade the server, or unset DATABASE_URL to use the embedded PostgreSQL"
    )]
    ServerTooOld {
        /// The server's own version text.
        server_version: String,
    },
    /// The SQL of a migration failed; its transaction was rolled back.
    #[error("migrations/{place} failed and was rolled back: {message}")]
    Sql {
        /// The file below `migrations/`, with line and column where the server names them: `file:12:5`.
        place: String,
        /// The server's own words, with its hint in brackets.
        message: String,
        /// The failed statement.
        #[source]
        source: sqlx::Error,
    },
    /// The server could not be reached or gave up in between.
    #[error("the database server could not be used for migrating")]
    Database(#[from] sqlx::Error),
}

impl MigrateError {
    /// The program's exit code for this error. 30 to 39 are the migrations' codes.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Database(_) => 30,
            Self::Sql { .. } => 31,
            Self::ChecksumChanged { .. } => 32,
            Self::MissingPgvector { .. } => 33,
            Self::PgvectorNotAllowed { .. } | Self::BootstrapNotAllowed { .. } => 34,
            Self::ServerTooOld { .. } => 35,
            Self::Gap { .. } | Self::OutOfOrder { .. } | Self::BadFileName { .. } => 36,
            Self::UnknownVersion { .. } => 37,
            Self::UnknownOwner { .. } | Self::NoSuchVersion { .. } => 38,
        }
    }

    /// Says where in `sql`, the text of `file`, the server saw the failure.
    pub(crate) fn in_file(file: String, sql: &str, source: sqlx::Error) -> Self {
        let Some(error) = source.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>())
        else {
            return Self::Database(source);
        };
        let place = match error.position() {
            Some(PgErrorPosition::Original(position)) => file + &line_and_column(sql, position),
            _ => file,
        };
        let message = match error.hint() {
            Some(hint) => format!("{} ({hint})", error.message()),
            None => error.message().to_owned(),
        };
        Self::Sql { place, message, source }
    }
}

/// `:line:column` of the `position`-th character, both counted from 1.
fn line_and_column(sql: &str, position: usize) -> String {
    let before: String = sql.chars().take(position.saturating_sub(1)).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!(":{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::line_and_column;

    #[test]
    fn position_counts_characters_from_one() {
        assert_eq!(line_and_column("a\nbé c", 1), ":1:1");
        assert_eq!(line_and_column("a\nbé c", 6), ":2:4");
    }
}
