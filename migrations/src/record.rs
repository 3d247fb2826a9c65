//! `pulse_migrations.applied`: what this database has.

use chrono::{DateTime, Utc};
use sqlx::{Connection, FromRow, PgConnection};

use crate::{MigrateError, Migration, Owner};

/// One row of the record.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Row {
    owner: String,
    pub(crate) version: i32,
    name: String,
    sha256: String,
    pub(crate) applied_at: DateTime<Utc>,
}

impl Row {
    pub(crate) fn is_of(&self, owner: Owner) -> bool {
        self.owner == owner.as_str()
    }

    fn unknown(&self) -> MigrateError {
        let (owner, name) = (self.owner.clone(), self.name.clone());
        MigrateError::UnknownVersion { owner, version: self.version, name }
    }
}

/// Whether the record has been made yet. Not by `to_regclass`, which needs rights on the schema.
pub(crate) async fn exists(conn: &mut PgConnection) -> Result<bool, MigrateError> {
    let exists = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'pulse_migrations' AND tablename = 'applied')",
    );
    Ok(exists.fetch_one(conn).await?)
}

/// All rows, each owner's in order.
pub(crate) async fn load(conn: &mut PgConnection) -> Result<Vec<Row>, MigrateError> {
    // The login itself has no rights on the record, unless it is a superuser.
    let mut tx = conn.begin().await?;
    sqlx::query("SET LOCAL ROLE pulse_owner").execute(&mut *tx).await?;
    let rows = sqlx::query_as(
        "SELECT owner, version, name, sha256, applied_at FROM pulse_migrations.applied ORDER BY owner, version",
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows)
}

/// Refuses a record that does not fit the files: unknown to them, with a hole, or applied from other text.
pub(crate) fn check(rows: &[Row], migrations: &[Migration]) -> Result<(), MigrateError> {
    let known = |row: &&Row| Owner::ALL.iter().any(|owner| row.is_of(*owner));
    if let Some(row) = rows.iter().find(|row| !known(row)) {
        return Err(row.unknown());
    }
    for owner in Owner::ALL {
        for (row, expected) in rows.iter().filter(|row| row.is_of(owner)).zip(1..) {
            if row.version != expected {
                return Err(MigrateError::OutOfOrder { owner, version: row.version, missing: expected });
            }
            let file = migrations.iter().find(|file| file.owner == owner && file.version == row.version);
            let Some(file) = file else {
                return Err(row.unknown());
            };
            if file.sha256() != row.sha256 {
                return Err(MigrateError::ChecksumChanged {
                    owner,
                    version: row.version,
                    file: file.up_file(),
                    applied: row.sha256.clone(),
                    file_sha256: file.sha256(),
                });
            }
        }
    }
    Ok(())
}

/// Records a migration inside the transaction that applies it.
pub(crate) async fn insert_in_tx(conn: &mut PgConnection, migration: &Migration) -> Result<(), MigrateError> {
    sqlx::query(
        "INSERT INTO pulse_migrations.applied (owner, version, name, sha256) VALUES ($1, $2, $3, $4)",
    )
    .bind(migration.owner.as_str())
    .bind(migration.version)
    .bind(&migration.name)
    .bind(migration.sha256())
    .execute(conn)
    .await?;
    Ok(())
}

/// Strikes a migration off inside the transaction that takes it back.
pub(crate) async fn delete_in_tx(conn: &mut PgConnection, migration: &Migration) -> Result<(), MigrateError> {
    sqlx::query("DELETE FROM pulse_migrations.applied WHERE owner = $1 AND version = $2")
        .bind(migration.owner.as_str())
        .bind(migration.version)
        .execute(conn)
        .await?;
    Ok(())
}
