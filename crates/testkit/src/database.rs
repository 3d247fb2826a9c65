//! A database of its own for each test, copied from a migrated template.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use anyhow::Context;
use pulse_migrations::{Migrator, Target, embedded, fingerprint};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;

use crate::cluster::{TestServer, shared};

/// The key of the server-wide lock under which a template is built; held in the database `postgres`.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A migrated database that belongs to one test, and is dropped when the test lets go of it.
pub struct TestDatabase {
    name: String,
    server: &'static TestServer,
}

impl TestDatabase {
    /// A copy of the migrated template.
    pub async fn new() -> anyhow::Result<Self> {
        let server = shared().await?;
        let template = template(server).await?;
        Self::create(server, &format!("TEMPLATE {template}")).await
    }

    /// A database with nothing in it, for tests of the migrations themselves.
    pub async fn empty() -> anyhow::Result<Self> {
        Self::create(shared().await?, "TEMPLATE template0").await
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to connect to it as a superuser; become `pulse_app` by `SET ROLE` to test what the platform may do.
    pub fn options(&self) -> PgConnectOptions {
        self.server.options(&self.name).expect("the server's URL was parsed before")
    }

    /// The same as a URL, for `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.server.url_of(&self.name)
    }

    /// A connection of its own.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(self.options().connect().await?)
    }

    /// A pool of at most `connections`, which opens them when they are needed.
    pub fn pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new().max_connections(connections).connect_lazy_with(self.options())
    }

    async fn create(server: &'static TestServer, source: &str) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Process ids come round again, and a killed test's database may still be there.
        let now = SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
        let name = format!("test_{}_{now:x}_{number}", std::process::id());
        let mut conn = server.options("postgres")?.connect().await?;
        execute(&mut conn, &format!("CREATE DATABASE {name} {source} STRATEGY FILE_COPY")).await?;
        conn.close().await?;
        Ok(Self { name, server })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let Ok(options) = self.server.options("postgres") else { return };
        // A test's own runtime may be stopping, so this has one of its own.
        let dropped = std::thread::spawn(move || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut conn = options.connect().await?;
                execute(&mut conn, &drop).await?;
                Ok(conn.close().await?)
            })
        });
        if !matches!(dropped.join(), Ok(Ok(()))) {
            tracing::warn!(database = self.name, "could not drop the test's database");
        }
    }
}

/// Drops what killed test runs and earlier migrations left on a server that nobody else uses.
pub(crate) async fn drop_leftovers(server: &TestServer) -> anyhow::Result<()> {
    let mut conn = server.options("postgres")?.connect().await?;
    let template = template_name()?;
    let left: Vec<(String, bool)> = sqlx::query_as(
        "SELECT datname::text, datistemplate FROM pg_database
         WHERE (starts_with(datname, 'test_') OR starts_with(datname, 'template_')) AND datname <> $1",
    )
    .bind(template)
    .fetch_all(&mut conn)
    .await?;
    for (name, is_template) in left {
        // A run that was killed while it dropped a database leaves an invalid one: it can only be dropped.
        if is_template {
            execute(&mut conn, &format!("ALTER DATABASE {name} WITH IS_TEMPLATE false")).await?;
        }
        execute(&mut conn, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    }
    Ok(conn.close().await?)
}

/// The name of the template for exactly the migrations in this binary, which whoever needs it first builds.
async fn template(server: &'static TestServer) -> anyhow::Result<&'static str> {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let name = TEMPLATE.get_or_try_init(|| build_template(server)).await?;
    Ok(name)
}

fn template_name() -> anyhow::Result<String> {
    Ok(format!("template_{}", fingerprint(&embedded()?)))
}

async fn build_template(server: &TestServer) -> anyhow::Result<String> {
    let name = template_name()?;
    let mut conn = server.options("postgres")?.connect().await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut conn).await?;
    let ready: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)")
            .bind(&name)
            .fetch_one(&mut conn)
            .await?;
    if !ready {
        execute(&mut conn, &format!("DROP DATABASE IF EXISTS {name}")).await?;
        execute(&mut conn, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        Migrator::try_new(&server.options(&name)?)?
            .up(Target::Latest)
            .await
            .context("migrating the template")?;
        execute(&mut conn, &format!("ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"))
            .await?;
    }
    conn.close().await?;
    Ok(name)
}

/// Names are made of our own words, digits and hexadecimal, so they need no quoting.
async fn execute(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}
