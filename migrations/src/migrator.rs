//! Up, down and status, one process at a time.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::files::ordered;
use crate::{MigrateError, Migration, Owner, bootstrap, embedded, record};

/// The key of the session lock under which a database is migrated: "pulse" in ASCII.
const LOCK_KEY: i64 = 0x0070_756c_7365;

/// What is granted by the comments of tables, after every run.
pub(crate) const GRANTS: &str = include_str!("../grants.sql");

/// How far to migrate up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Everything that this binary has.
    Latest,
    /// One owner, up to and including this version.
    Version(Owner, i32),
}

/// One migration that was applied or taken back by a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Whose it is.
    pub owner: Owner,
    /// Its number.
    pub version: i32,
    /// The words in its file's name.
    pub name: String,
}

/// One migration of this binary and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose it is.
    pub owner: Owner,
    /// Its number.
    pub version: i32,
    /// The words in its file's name.
    pub name: String,
    /// Whether the database has it.
    pub state: State,
}

/// Whether a database has a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Since when.
    Applied(DateTime<Utc>),
    /// `up` would apply it.
    Pending,
}

/// Migrates one database over a connection of its own.
///
/// The options must lead to the server itself: behind a pooler in transaction mode a session lock does not hold.
#[derive(Debug, Clone)]
pub struct Migrator {
    options: PgConnectOptions,
    migrations: Vec<Migration>,
}

impl Migrator {
    /// A migrator with the migrations inside this binary.
    pub fn try_new(options: &PgConnectOptions) -> Result<Self, MigrateError> {
        Self::with_migrations(options, embedded()?)
    }

    /// A migrator with other migrations.
    pub fn with_migrations(
        options: &PgConnectOptions,
        migrations: Vec<Migration>,
    ) -> Result<Self, MigrateError> {
        Ok(Self { options: options.clone(), migrations: ordered(migrations)? })
    }

    /// Applies what is missing up to `target`, owners in their fixed order, and says what it applied.
    pub async fn up(&self, target: Target) -> Result<Vec<Applied>, MigrateError> {
        if let Target::Version(owner, version) = target {
            let last = self.migrations.iter().filter(|m| m.owner == owner).count();
            let last = i32::try_from(last).expect("versions have four digits");
            if version < 0 || version > last {
                return Err(MigrateError::NoSuchVersion { owner, version, last });
            }
        }
        let mut conn = self.lock().await?;
        bootstrap::run(&mut conn).await?;
        let rows = record::load(&mut conn).await?;
        record::check(&rows, &self.migrations)?;
        let mut applied = Vec::new();
        for migration in self.migrations.iter().filter(|m| target.includes(m)) {
            if rows.iter().any(|row| row.is_of(migration.owner) && row.version == migration.version) {
                continue;
            }
            apply(&mut conn, migration).await?;
            applied.push(migration.into());
        }
        grant(&mut conn).await?;
        conn.close().await?;
        Ok(applied)
    }

    /// Takes back an owner's last `steps` migrations, the newest first, and says which.
    pub async fn down(&self, owner: Owner, steps: usize) -> Result<Vec<Applied>, MigrateError> {
        let mut conn = self.lock().await?;
        if !record::exists(&mut conn).await? {
            return Ok(Vec::new());
        }
        let rows = record::load(&mut conn).await?;
        record::check(&rows, &self.migrations)?;
        let has = |m: &&Migration| rows.iter().any(|row| row.is_of(owner) && row.version == m.version);
        let own: Vec<_> = self.migrations.iter().filter(|m| m.owner == owner).filter(has).collect();
        let mut taken_back = Vec::new();
        for migration in own.into_iter().rev().take(steps) {
            take_back(&mut conn, migration).await?;
            taken_back.push(migration.into());
        }
        conn.close().await?;
        Ok(taken_back)
    }

    /// Takes back everything, in the opposite order of migrating up.
    pub async fn down_all(&self) -> Result<Vec<Applied>, MigrateError> {
        let mut taken_back = Vec::new();
        for owner in Owner::ALL.into_iter().rev() {
            taken_back.extend(self.down(owner, usize::MAX).await?);
        }
        Ok(taken_back)
    }

    /// Every migration of this binary and whether the database has it. Changes nothing.
    pub async fn status(&self) -> Result<Vec<Status>, MigrateError> {
        let mut conn = self.options.connect().await?;
        let rows = if record::exists(&mut conn).await? { record::load(&mut conn).await? } else { Vec::new() };
        record::check(&rows, &self.migrations)?;
        conn.close().await?;
        let status = self.migrations.iter().map(|migration| {
            let row = rows.iter().find(|r| r.is_of(migration.owner) && r.version == migration.version);
            Status {
                owner: migration.owner,
                version: migration.version,
                name: migration.name.clone(),
                state: row.map_or(State::Pending, |row| State::Applied(row.applied_at)),
            }
        });
        Ok(status.collect())
    }

    /// A connection that holds the lock until it is closed.
    async fn lock(&self) -> Result<PgConnection, MigrateError> {
        let mut conn = self.options.connect().await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK_KEY).execute(&mut conn).await?;
        Ok(conn)
    }
}

impl Target {
    fn includes(self, migration: &Migration) -> bool {
        match self {
            Self::Latest => true,
            Self::Version(owner, version) => migration.owner == owner && migration.version <= version,
        }
    }
}

impl From<&Migration> for Applied {
    fn from(migration: &Migration) -> Self {
        Self { owner: migration.owner, version: migration.version, name: migration.name.clone() }
    }
}

async fn apply(conn: &mut PgConnection, migration: &Migration) -> Result<(), MigrateError> {
    let mut tx = conn.begin().await?;
    run_in_tx(&mut tx, &migration.up)
        .await
        .map_err(|error| MigrateError::in_file(migration.up_file(), &migration.up, error))?;
    record::insert_in_tx(&mut tx, migration).await?;
    tx.commit().await.map_err(|error| MigrateError::in_file(migration.up_file(), &migration.up, error))?;
    tracing::info!(owner = %migration.owner, version = migration.version, name = migration.name, "migrated up");
    Ok(())
}

async fn take_back(conn: &mut PgConnection, migration: &Migration) -> Result<(), MigrateError> {
    let mut tx = conn.begin().await?;
    run_in_tx(&mut tx, &migration.down)
        .await
        .map_err(|error| MigrateError::in_file(migration.down_file(), &migration.down, error))?;
    record::delete_in_tx(&mut tx, migration).await?;
    tx.commit()
        .await
        .map_err(|error| MigrateError::in_file(migration.down_file(), &migration.down, error))?;
    tracing::info!(owner = %migration.owner, version = migration.version, name = migration.name, "migrated down");
    Ok(())
}

/// Gives `pulse_privacy` its rights on what holds something of persons, as the comments say.
async fn grant(conn: &mut PgConnection) -> Result<(), MigrateError> {
    let mut tx = conn.begin().await?;
    run_in_tx(&mut tx, GRANTS)
        .await
        .map_err(|error| MigrateError::in_file("grants.sql".to_owned(), GRANTS, error))?;
    Ok(tx.commit().await?)
}

async fn run_in_tx(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SET LOCAL ROLE pulse_owner").execute(&mut *conn).await?;
    // The text comes from the binary's own files and needs no escaping.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await?;
    // A migration may have changed the role for a while; the record is the owner's.
    sqlx::query("SET LOCAL ROLE pulse_owner").execute(&mut *conn).await?;
    Ok(())
}
