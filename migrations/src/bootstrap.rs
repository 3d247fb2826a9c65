//! What has to be there before the first migration: `bootstrap.sql`, and whether this server can run it.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};

use crate::MigrateError;

pub(crate) const BOOTSTRAP: &str = include_str!("../bootstrap.sql");

const ATTEMPTS: u32 = 20;

/// Makes roles, extension, schemas and the record, as far as they are missing.
pub(crate) async fn run(conn: &mut PgConnection) -> Result<(), MigrateError> {
    let server = Server::ask(conn).await?;
    server.check()?;
    for attempt in 1.. {
        let result = attempt_once(conn).await;
        match result {
            Err(error) if attempt < ATTEMPTS && lost_a_race(&error) => {
                tracing::debug!(attempt, "another database's migrations made the same roles; trying again");
                tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
            }
            Err(error) => return Err(server.explain(error)),
            Ok(()) => break,
        }
    }
    Ok(())
}

async fn attempt_once(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin().await?;
    sqlx::raw_sql(BOOTSTRAP).execute(&mut *tx).await?;
    tx.commit().await
}

/// Roles are shared by all databases of a server, and advisory locks are not: two databases that are migrated
/// at the same time may both try to make a role or a membership.
fn lost_a_race(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    match error.code().as_deref() {
        // duplicate object, unique violation in a catalog, serialization failure, deadlock
        Some("42710" | "23505" | "40001" | "40P01") => true,
        Some("XX000") => error.message().contains("concurrently"),
        _ => false,
    }
}

/// What bootstrapping depends on.
struct Server {
    version: String,
    version_num: i32,
    login: String,
    has_vector: bool,
    may_create_vector: bool,
}

impl Server {
    async fn ask(conn: &mut PgConnection) -> Result<Self, MigrateError> {
        let row = sqlx::query(
            "SELECT current_setting('server_version') AS version,
                    current_setting('server_version_num')::int AS version_num,
                    current_user::text AS login,
                    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS has_vector,
                    EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')
                        OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                        OR EXISTS (SELECT FROM pg_available_extension_versions WHERE name = 'vector' AND trusted)
                        AS may_create_vector",
        )
        .fetch_one(conn)
        .await?;
        Ok(Self {
            version: row.try_get("version")?,
            version_num: row.try_get("version_num")?,
            login: row.try_get("login")?,
            has_vector: row.try_get("has_vector")?,
            may_create_vector: row.try_get("may_create_vector")?,
        })
    }

    fn check(&self) -> Result<(), MigrateError> {
        if self.version_num < 160_000 {
            return Err(MigrateError::ServerTooOld { server_version: self.version.clone() });
        }
        if !self.has_vector {
            return Err(MigrateError::MissingPgvector { server_version: self.version.clone() });
        }
        if !self.may_create_vector {
            return Err(MigrateError::PgvectorNotAllowed { login: self.login.clone() });
        }
        Ok(())
    }

    fn explain(&self, error: sqlx::Error) -> MigrateError {
        match error.as_database_error() {
            // insufficient privilege
            Some(refusal) if refusal.code().as_deref() == Some("42501") => {
                MigrateError::BootstrapNotAllowed {
                    login: self.login.clone(),
                    reason: refusal.message().to_owned(),
                }
            }
            _ => MigrateError::in_file("bootstrap.sql".to_owned(), BOOTSTRAP, error),
        }
    }
}
