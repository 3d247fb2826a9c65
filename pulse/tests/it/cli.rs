//! The command line itself.

use clap::Parser;
use pulse::cli::Cli;
use pulse_testkit::TestDatabase;

use crate::support::process::{pulse, run};

/// What a command of containers begins with, and nothing else does.
pub(crate) fn deploy_commands() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = include_str!("../../../deploy/commands.txt").lines();
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first().is_some_and(|word| *word != "#"))
}

#[tokio::test]
async fn help_lists_the_commands() -> anyhow::Result<()> {
    let help = run(pulse(["--help"])).await?.success()?;
    let commands = help.split_once("Commands:\n").map_or("", |(_, commands)| commands);
    let commands = commands.split_once("\n\n").map_or("", |(commands, _)| commands);
    insta::assert_snapshot!(commands, @"
    dev         Run the whole platform in this process, on a private PostgreSQL unless `DATABASE_URL` names another
    serve       Run one role of the platform, or all of them, against `DATABASE_URL`
    migrate     Change the database's schema
    keys        List and replace the keys that access tokens are signed with
    import      Load entities and relationships from files; the same as `pulse graph import`
    graph       Import and export the knowledge graph, and keep its copy in Neo4j
    audit       Prove that what was done is kept as it was written
    privacy     Say what is stored about persons
    schema      Export, compose, compare, check and lint GraphQL schemas
    operations  Check and publish the operations that a client sends
    gateway     Check settings and supergraph of a gateway before it serves
    health      Ask a running process whether it is ready; for container health checks
    config      Print the settings with their defaults and what they mean
    help        Print this message or the help of the given subcommand(s)
    ");
    Ok(())
}

#[tokio::test]
async fn every_command_has_help_of_its_own() -> anyhow::Result<()> {
    for (command, listed) in [
        ("dev", "--demo"),
        ("serve", "subgraph"),
        ("serve gateway", "--supergraph <FILE|URL>"),
        ("gateway", "check"),
        ("gateway check", "--online"),
        ("serve subgraph", "accounts, analytics, entities, operations, registry, vectors"),
        ("serve worker", "--config <FILE>"),
        ("serve all", "--listen <ADDRESS>"),
        ("migrate", "status"),
        ("migrate down", "--steps"),
        ("keys", "rotate"),
        ("keys rotate", "--now"),
        ("keys", "reseal"),
        ("import", "--org <SLUG>"),
        ("graph", "export"),
        ("graph import", "--on-conflict <ON_CONFLICT>"),
        ("graph export", "--format <FORMAT>"),
        ("audit", "verify"),
        ("audit verify", "--org <SLUG>"),
        ("audit verify", "--file <PATH>"),
        ("privacy", "inventory"),
        ("schema", "compose"),
        ("schema compose", "routing_url: http://accounts:4001/graphql"),
        ("schema diff", "Ends with 47"),
        (
            "schema check",
            "Ends with 41 when the schemas do not compose, with 47 when they do but break clients",
        ),
        ("schema lint", "Ends with 49"),
        ("schema publish", "Ends with 41"),
        ("schema fetch", "PULSE_REGISTRY_KEY"),
        ("health", "--url"),
        ("config", "--config <FILE>"),
    ] {
        let help = run(pulse(command.split(' ').chain(["--help"]))).await?.success()?;
        assert!(help.contains(listed), "{command}: {help}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_word_ends_with_2_and_names_what_there_is() -> anyhow::Result<()> {
    let ended = run(pulse(["serve", "subgraph", "billing"])).await?;
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("[possible values: accounts, analytics, entities, operations, registry, vectors]"),
        "{}",
        ended.stderr
    );
    Ok(())
}

#[test]
fn the_commands_of_containers_are_commands_of_the_program() {
    let mut count = 0;
    for words in deploy_commands() {
        let parsed = Cli::try_parse_from(std::iter::once("pulse").chain(words.iter().copied()));
        assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
        count += 1;
    }
    assert_eq!(count, 11);
}

#[tokio::test]
async fn printed_settings_load_again() -> anyhow::Result<()> {
    let printed = run(pulse(["config"])).await?.success()?;
    assert!(printed.starts_with("# Settings of Pulse with their defaults."), "{printed}");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pulse.toml");
    std::fs::write(&file, printed)?;
    let database = TestDatabase::new().await?;
    let mut command = pulse(["--config", &file.to_string_lossy(), "migrate", "status"]);
    command.env("DATABASE_URL", database.url());
    assert!(run(command).await?.success()?.contains("applied"));
    Ok(())
}
