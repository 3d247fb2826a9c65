//! Settings that cannot be: each is named with the way out, and the program ends with 3.

use std::fs;

use tokio::process::Command;

use crate::support::process::{pulse, run};

async fn refusal(command: Command) -> anyhow::Result<String> {
    let ended = run(command).await?;
    assert_eq!(ended.stdout, "");
    Ok(ended.refusal(&[]))
}

fn with_env(words: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = pulse(words);
    command.envs(env.iter().copied());
    command
}

#[tokio::test]
async fn unknown_setting_in_the_file_is_named() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let file = place.path().join("pulse.toml");
    fs::write(&file, "[database]\nmax_conections = 5\n")?;
    let ended = run(pulse(["--config", &file.to_string_lossy(), "migrate", "status"])).await?;
    insta::assert_snapshot!(ended.refusal(&[(&place.path().to_string_lossy(), "[folder]")]), @"
    exit code 3
    error: database.max_conections (from the file [folder]/pulse.toml): there is no such setting; in its place there are url, direct_url, replica_url, max_connections, acquire_timeout_ms, statement_timeout_ms
    ");
    let missing = pulse(["--config", "missing.toml", "migrate", "status"]);
    insta::assert_snapshot!(refusal(missing).await?, @"
    exit code 3
    error: cannot read the settings file missing.toml; check the path and its permissions
      because: No such file or directory
    ");
    Ok(())
}

#[tokio::test]
async fn unknown_variable_is_named() -> anyhow::Result<()> {
    let unknown = with_env(&["migrate", "status"], &[("PULSE__DATABASE__MAX_CONECTIONS", "5")]);
    insta::assert_snapshot!(refusal(unknown).await?, @"
    exit code 3
    error: database.max_conections (from the environment variable PULSE__DATABASE__MAX_CONECTIONS): there is no such setting; in its place there are url, direct_url, replica_url, max_connections, acquire_timeout_ms, statement_timeout_ms
    ");
    let unfinished = with_env(&["migrate", "status"], &[("PULSE__GATEWAY__", "5s")]);
    insta::assert_snapshot!(refusal(unfinished).await?, @"
    exit code 3
    error: PULSE__GATEWAY__ names no setting; write PULSE__SECTION__FIELD, such as PULSE__GATEWAY__REQUEST_TIMEOUT
    ");
    Ok(())
}

#[tokio::test]
async fn log_filter_that_is_none_is_named() -> anyhow::Result<()> {
    let command = with_env(&["migrate", "status"], &[("PULSE__TELEMETRY__LOG_FILTER", "loud=very")]);
    insta::assert_snapshot!(refusal(command).await?, @r#"
    exit code 3
    error: telemetry.log_filter "loud=very" is not a filter; write a level such as "info", and levels of single modules after commas, such as "info,pulse_gateway=debug"
      because: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    "#);
    Ok(())
}

#[tokio::test]
async fn database_url_that_is_none_is_not_shown() -> anyhow::Result<()> {
    for words in [&["migrate", "up"][..], &["serve", "worker"], &["import", "/dev/null", "--org", "x"]] {
        let command = with_env(words, &[("DATABASE_URL", "mysql//secret@db"), ("PULSE_SIGNING_KEY", "x")]);
        let text = refusal(command).await?;
        assert!(!text.contains("secret@"), "{words:?}: {text}");
    }
    let command = with_env(&["migrate", "up"], &[("DATABASE_URL", "mysql//secret@db")]);
    insta::assert_snapshot!(refusal(command).await?, @"
    exit code 3
    error: database.url (DATABASE_URL) is not a PostgreSQL URL: expected postgresql://user:password@host:5432/database
    ");
    let other = with_env(&["migrate", "up"], &[("DATABASE_URL", "mysql://secret@db/pulse")]);
    insta::assert_snapshot!(refusal(other).await?, @"
    exit code 3
    error: database.url (DATABASE_URL) is not a PostgreSQL URL: expected postgresql://user:password@host:5432/database
    ");
    Ok(())
}

#[tokio::test]
async fn roles_need_a_database_of_their_own() -> anyhow::Result<()> {
    insta::assert_snapshot!(refusal(pulse(["serve", "worker"])).await?, @"
    exit code 3
    error: database.url is not set: this role needs a server of its own; set DATABASE_URL, or run `pulse dev`
    ");
    Ok(())
}

#[tokio::test]
async fn demo_is_refused_where_others_reach_it() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("pulse");
    let words = ["dev", "--demo", "--listen", "0.0.0.0:0", "--data-dir", &folder.to_string_lossy()];
    insta::assert_snapshot!(refusal(pulse(words)).await?, @"
    exit code 3
    error: --demo makes a login that everybody knows, so it needs a loopback address: leave out --listen, or --demo
    ");
    assert!(!folder.exists());
    Ok(())
}

#[tokio::test]
async fn reset_of_a_named_server_is_refused() -> anyhow::Result<()> {
    let words = ["dev", "--reset", "--listen", "127.0.0.1:0"];
    let command = with_env(&words, &[("DATABASE_URL", "postgresql://localhost:1/pulse")]);
    insta::assert_snapshot!(refusal(command).await?, @"
    exit code 3
    error: --reset deletes the private PostgreSQL's data, and DATABASE_URL names another server: empty that one with `pulse migrate down`
    ");
    Ok(())
}

#[tokio::test]
async fn missing_secrets_are_named_with_how_to_make_them() -> anyhow::Result<()> {
    const KEY: (&str, &str) = ("PULSE_SIGNING_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let gateway = ["serve", "gateway", "--listen", "127.0.0.1:0"];
    insta::assert_snapshot!(refusal(pulse(gateway)).await?, @"
    exit code 3
    error: secrets.signing_key is not set: make one with `openssl rand -base64 32` and set it as PULSE_SIGNING_KEY
    ");
    insta::assert_snapshot!(refusal(with_env(&gateway, &[("PULSE_SIGNING_KEY", "short")])).await?, @"
    exit code 3
    error: secrets.signing_key (PULSE_SIGNING_KEY): the signing key is not an Ed25519 seed: expected 32 bytes in base64, such as `openssl rand -base64 32` makes
    ");
    insta::assert_snapshot!(refusal(with_env(&gateway, &[KEY])).await?, @"
    exit code 3
    error: the gateway does not know where accounts is: set PULSE_SUBGRAPH_URL_ACCOUNTS to its address, such as http://accounts:4001/graphql
    ");
    let urls = pulse::platform::SUBGRAPHS.map(|name| format!("PULSE_SUBGRAPH_URL_{}", name.to_uppercase()));
    let mut without_secrets = with_env(&gateway, &[KEY]);
    without_secrets.envs(urls.iter().map(|name| (name, "http://127.0.0.1:1/graphql")));
    insta::assert_snapshot!(refusal(without_secrets).await?, @"
    exit code 3
    error: secrets.subgraphs.accounts is not set: make one with `openssl rand -hex 32` and set it as PULSE_SUBGRAPH_SECRET_ACCOUNTS at the subgraph and its gateways
    ");
    let subgraph = ["serve", "subgraph", "entities", "--listen", "127.0.0.1:0"];
    insta::assert_snapshot!(refusal(pulse(subgraph)).await?, @"
    exit code 3
    error: secrets.subgraphs.entities is not set: make one with `openssl rand -hex 32` and set it as PULSE_SUBGRAPH_SECRET_ENTITIES at the subgraph and its gateways
    ");
    let all = with_env(&["serve", "all", "--listen", "127.0.0.1:0"], &[("DATABASE_URL", "postgresql://db")]);
    insta::assert_snapshot!(refusal(all).await?, @"
    exit code 3
    error: secrets.signing_key is not set: make one with `openssl rand -base64 32` and set it as PULSE_SIGNING_KEY
    ");
    let all = |more: &[(&str, &str)]| {
        let mut command = with_env(&["serve", "all", "--listen", "127.0.0.1:0"], more);
        command.envs([KEY, ("DATABASE_URL", "postgresql://db")]);
        command
    };
    insta::assert_snapshot!(refusal(all(&[])).await?, @"
    exit code 3
    error: secrets.encryption_key is not set: make one with `openssl rand -base64 32`, keep a copy of it, and set it as PULSE_ENCRYPTION_KEY
    ");
    insta::assert_snapshot!(refusal(all(&[("PULSE_ENCRYPTION_KEY", "short")])).await?, @"
    exit code 3
    error: secrets.encryption_key (PULSE_ENCRYPTION_KEY) or one of secrets.old_encryption_keys: an encryption key is 32 bytes in base64, such as `openssl rand -base64 32` makes; this one is something else
    ");
    Ok(())
}
