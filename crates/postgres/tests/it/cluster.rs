use std::borrow::Cow;
use std::fs;
use std::net::TcpListener;

use pulse_postgres::{Cluster, ClusterError, ClusterOptions, Listen};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::servers::{ask, execute, options, refusal};

#[tokio::test]
async fn data_are_there_after_a_stop_and_a_start() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let durable = || ClusterOptions { durable: true, ..options(place.path()) };
    let cluster = Cluster::start(durable()).await?;
    execute(&cluster, "CREATE TABLE kept AS SELECT 'here'::text AS word").await?;
    assert!(
        ask(&cluster, "SHOW fsync").await? == "on" && ask(&cluster, "SHOW synchronous_commit").await? == "on"
    );
    cluster.stop().await;
    let cluster = Cluster::start(durable()).await?;
    assert_eq!(ask(&cluster, "SELECT word FROM kept").await?, "here");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn dropped_cluster_stops_and_frees_its_folder() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    drop(Cluster::start(options(place.path())).await?);
    drop(Cluster::start(options(place.path())).await?);
    Ok(())
}

#[tokio::test]
async fn server_is_postgresql_18_with_pgvector_in_utf8_and_c() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let cluster = Cluster::start(options(place.path())).await?;
    execute(&cluster, "CREATE EXTENSION vector").await?;
    let found = ask(
        &cluster,
        "SELECT concat_ws(' ', current_setting('server_version'), extversion, pg_encoding_to_char(encoding), datcollate)
         FROM pg_extension, pg_database WHERE extname = 'vector' AND datname = 'postgres'",
    );
    assert_eq!(found.await?, "18.4 0.8.5 UTF8 C");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn database_is_made_once_and_the_url_leads_to_it() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let cluster = Cluster::start(options(place.path())).await?;
    cluster.ensure_database("pulse").await?;
    cluster.ensure_database("pulse").await?;
    let by_url: PgConnectOptions = cluster.url("pulse").parse()?;
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut by_url.connect().await?).await?;
    assert_eq!(name, "pulse");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn wrong_password_is_refused() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    for listen in [Listen::Auto, Listen::Loopback(0)] {
        let cluster = Cluster::start(ClusterOptions { listen, ..options(place.path()) }).await?;
        let error = cluster.options("postgres").password("guessed").connect().await.expect_err("it is wrong");
        let code = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
        assert_eq!(code.as_deref(), Some("28P01"));
        cluster.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn socket_is_used_and_nothing_listens_on_the_network() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let cluster = Cluster::start(options(place.path())).await?;
    assert_eq!(ask(&cluster, "SHOW listen_addresses").await?, "");
    assert!(cluster.options("postgres").get_socket().is_some());
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn socket_moves_where_the_data_folder_is_too_long_for_one() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let cluster = Cluster::start(options(&place.path().join("long".repeat(40)))).await?;
    let socket = cluster.options("postgres").get_socket().cloned().expect("a short folder is there");
    assert!(!socket.starts_with(place.path()));
    assert_eq!(ask(&cluster, "SELECT 'answered'").await?, "answered");
    cluster.stop().await;
    Ok(fs::remove_dir_all(socket)?)
}

#[tokio::test]
async fn taken_port_is_named() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let other = TcpListener::bind("127.0.0.1:0")?;
    let port = other.local_addr()?.port();
    let error = refusal(ClusterOptions { listen: Listen::Loopback(port), ..options(place.path()) }).await;
    assert_eq!(error.exit_code(), 13);
    let expected =
        format!("port {port} on 127.0.0.1 is taken; stop what listens there or choose another port");
    assert_eq!(error.to_string(), expected);
    drop(other);
    let cluster =
        Cluster::start(ClusterOptions { listen: Listen::Loopback(port), ..options(place.path()) }).await?;
    assert_eq!(ask(&cluster, "SELECT 'answered'").await?, "answered");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn folder_of_a_running_pulse_is_refused_with_its_process() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let cluster = Cluster::start(options(place.path())).await?;
    let error = refusal(options(place.path())).await;
    assert_eq!(error.exit_code(), 11);
    let folder = place.path().canonicalize()?;
    let expected = format!(
        "the data folder {} is in use by another running Pulse (process {}); stop that one or choose another folder \
         with --data-dir",
        folder.display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    assert!(matches!(Cluster::remove_data(place.path()), Err(ClusterError::InUse { .. })));
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn data_of_another_major_version_are_refused() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    fs::create_dir(place.path().join("data"))?;
    fs::write(place.path().join("data/PG_VERSION"), "17\n")?;
    let error = refusal(options(place.path())).await;
    assert_eq!(error.exit_code(), 12);
    assert!(error.to_string().contains("was made by PostgreSQL 17 and this Pulse brings 18"), "{error}");
    Ok(())
}

#[tokio::test]
async fn unwritable_folder_is_named() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let file = place.path().join("file");
    fs::write(&file, "")?;
    // Root may write to every folder, but nobody makes one below a file.
    let error = refusal(options(&file.join("data"))).await;
    assert_eq!(error.exit_code(), 10);
    assert!(
        error.to_string().contains(&format!("the data folder {}/data cannot be written", file.display()))
    );
    Ok(())
}

#[tokio::test]
async fn interrupted_first_start_is_begun_anew() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    fs::create_dir(place.path().join("data.unfinished"))?;
    fs::write(place.path().join("data.unfinished/PG_VERSION"), "1")?;
    fs::write(place.path().join("password.unfinished"), "half")?;
    let cluster = Cluster::start(options(place.path())).await?;
    assert_eq!(ask(&cluster, "SELECT 'answered'").await?, "answered");
    cluster.stop().await;
    assert!(
        !place.path().join("data.unfinished").exists() && !place.path().join("password.unfinished").exists()
    );
    Ok(())
}

#[tokio::test]
async fn server_that_cannot_start_is_quoted() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    Cluster::start(options(place.path())).await?.stop().await;
    fs::remove_file(place.path().join("data/global/pg_control"))?;
    let error = refusal(options(place.path())).await;
    assert_eq!(error.exit_code(), 17);
    assert!(error.to_string().contains("could not find the database system"), "{error}");
    Ok(())
}

#[tokio::test]
async fn removed_data_are_made_anew() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let cluster = Cluster::start(options(place.path())).await?;
    execute(&cluster, "CREATE TABLE gone ()").await?;
    cluster.stop().await;
    Cluster::remove_data(place.path())?;
    let cluster = Cluster::start(options(place.path())).await?;
    assert_eq!(ask(&cluster, "SELECT coalesce(to_regclass('gone')::text, 'none')").await?, "none");
    cluster.stop().await;
    Ok(())
}
