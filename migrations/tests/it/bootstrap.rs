//! Servers of their own, since roles belong to the whole server.

use std::fs;
use std::path::Path;

use pulse_migrations::{Migrator, Target};
use pulse_postgres::{Cluster, ClusterOptions, Distribution, FetchOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;

async fn fresh_cluster(distribution: Distribution) -> anyhow::Result<(Cluster, TempDir)> {
    let folder = tempfile::tempdir()?;
    let options = ClusterOptions {
        durable: false,
        shared_buffers_mb: 16,
        distribution: Some(distribution),
        ..ClusterOptions::new(folder.path().join("cluster"))
    };
    Ok((Cluster::start(options).await?, folder))
}

async fn distribution() -> anyhow::Result<Distribution> {
    Ok(Distribution::ensure(&FetchOptions::from_env()).await?)
}

async fn execute(options: &PgConnectOptions, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut options.connect().await?).await?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn databases_of_one_server_can_be_migrated_at_the_same_time() -> anyhow::Result<()> {
    let (cluster, _folder) = fresh_cluster(distribution().await?).await?;
    let mut migrators = Vec::new();
    for number in 0..6 {
        let options = cluster.ensure_database(&format!("database_{number}")).await?;
        migrators.push(Migrator::with_migrations(&options, Vec::new())?);
    }
    let runs: Vec<_> = migrators
        .into_iter()
        .map(|migrator| tokio::spawn(async move { migrator.up(Target::Latest).await }))
        .collect();
    for run in runs {
        run.await??;
    }
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn login_that_is_no_superuser_can_migrate_its_own_database() -> anyhow::Result<()> {
    let (cluster, _folder) = fresh_cluster(distribution().await?).await?;
    execute(&cluster.options("postgres"), "CREATE ROLE landlord LOGIN PASSWORD 'key' CREATEROLE BYPASSRLS")
        .await?;
    execute(&cluster.options("postgres"), "CREATE DATABASE house OWNER landlord").await?;
    let migrator = Migrator::try_new(&cluster.options("house").username("landlord").password("key"))?;

    let error = migrator.up(Target::Latest).await.expect_err("pgvector is not there yet");
    assert_eq!(error.exit_code(), 34);
    assert_eq!(
        error.to_string(),
        "the login \"landlord\" may not create the extension pgvector in this database; run \"CREATE EXTENSION \
         vector\" once as a superuser, then migrate again"
    );
    execute(&cluster.options("house"), "CREATE EXTENSION vector").await?;
    migrator.up(Target::Latest).await?;
    assert!(migrator.up(Target::Latest).await?.is_empty());
    migrator.down_all().await?;
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn logins_that_were_made_before_can_become_the_roles_that_have_come_since() -> anyhow::Result<()> {
    let (cluster, _folder) = fresh_cluster(distribution().await?).await?;
    let options = cluster.options("postgres");
    for statement in [
        "CREATE ROLE serve LOGIN NOINHERIT",
        "CREATE ROLE look LOGIN NOINHERIT",
        "CREATE ROLE pulse_app NOLOGIN NOINHERIT",
        "CREATE ROLE pulse_system NOLOGIN NOINHERIT",
        "GRANT pulse_app, pulse_system TO serve WITH INHERIT FALSE, SET TRUE",
        "GRANT pulse_app TO look WITH INHERIT FALSE, SET TRUE",
    ] {
        execute(&options, statement).await?;
    }
    Migrator::try_new(&options)?.up(Target::Latest).await?;
    let mut connection = options.connect().await?;
    let can = "SELECT login::text, role::text FROM unnest('{serve,look}'::name[]) AS login, unnest('{pulse_narrowed,pulse_privacy,pulse_maintenance}'::name[]) AS role
                WHERE pg_has_role(login, role, 'SET') AND NOT pg_has_role(login, role, 'USAGE') ORDER BY 1, 2";
    let can: Vec<(String, String)> = sqlx::query_as(can).fetch_all(&mut connection).await?;
    let expected = [("look", "pulse_narrowed"), ("serve", "pulse_narrowed"), ("serve", "pulse_privacy")];
    assert_eq!(can, expected.map(|(login, role)| (login.to_owned(), role.to_owned())));
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn login_that_may_not_make_roles_is_told_what_it_needs() -> anyhow::Result<()> {
    let (cluster, _folder) = fresh_cluster(distribution().await?).await?;
    execute(&cluster.options("postgres"), "CREATE ROLE tenant LOGIN PASSWORD 'key'").await?;
    execute(&cluster.options("postgres"), "CREATE DATABASE flat OWNER tenant").await?;
    execute(&cluster.options("flat"), "CREATE EXTENSION vector").await?;
    let migrator = Migrator::try_new(&cluster.options("flat").username("tenant").password("key"))?;
    let error = migrator.up(Target::Latest).await.expect_err("it may not make roles");
    assert_eq!(error.exit_code(), 34);
    assert_eq!(
        error.to_string(),
        "the login \"tenant\" may not prepare this database for Pulse: permission denied to create role; connect as \
         a superuser, or give it CREATEROLE and BYPASSRLS and make it the database's owner"
    );
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn role_of_ours_with_other_attributes_is_refused() -> anyhow::Result<()> {
    let (cluster, _folder) = fresh_cluster(distribution().await?).await?;
    let options = cluster.options("postgres");
    execute(&options, "CREATE ROLE pulse_app BYPASSRLS").await?;
    let error = Migrator::try_new(&options)?.up(Target::Latest).await.expect_err("pulse_app may bypass");
    let expected = "migrations/bootstrap.sql failed and was rolled back: the role pulse_app exists with other \
                    attributes than Pulse needs (run \"ALTER ROLE pulse_app NOLOGIN NOSUPERUSER NOCREATEROLE \
                    NOBYPASSRLS\" as a superuser)";
    assert_eq!(error.to_string(), expected);
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn server_without_pgvector_is_named_with_the_way_out() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let bare = place.path().join("bare");
    copy_folder(distribution().await?.folder(), &bare)?;
    let bare = Distribution::in_folder(bare);
    let share = bare.program("postgres").with_file_name("../share/postgresql/extension");
    fs::remove_file(share.join("vector.control"))?;
    let (cluster, _folder) = fresh_cluster(bare).await?;
    let error = Migrator::try_new(&cluster.options("postgres"))?.up(Target::Latest).await;
    let error = error.expect_err("there is no pgvector");
    assert_eq!(error.exit_code(), 33);
    let expected = "this PostgreSQL 18.4 has no pgvector, which Pulse needs for vector search; install the server's \
                    pgvector package (0.8 or newer, for example \"postgresql-18-pgvector\"), or unset DATABASE_URL \
                    to use the embedded PostgreSQL";
    assert_eq!(error.to_string(), expected);
    cluster.stop().await;
    Ok(())
}
