//! `pulse migrate`.

use pulse_migrations::embedded;
use pulse_testkit::TestDatabase;
use tokio::process::Command;

use crate::support::process::{pulse, run};

fn migrate(database: &TestDatabase, words: &[&str]) -> Command {
    let mut command = pulse(["migrate"].iter().chain(words));
    command.env("DATABASE_URL", database.url());
    command
}

/// What is said of every migration, in their order.
fn of_all(say: impl Fn(&pulse_migrations::Migration) -> String) -> anyhow::Result<String> {
    Ok(embedded()?.iter().map(|migration| say(migration) + "\n").collect())
}

/// `status` with the times left out.
async fn status(database: &TestDatabase) -> anyhow::Result<String> {
    let said = run(migrate(database, &["status"])).await?.success()?;
    let without_time = |line: &str| match line.split_once(" applied ") {
        Some((migration, _)) => format!("{migration} applied\n"),
        None => format!("{line}\n"),
    };
    Ok(said.lines().map(without_time).collect())
}

fn listed(migration: &pulse_migrations::Migration, state: &str) -> String {
    format!("{:<10} {:04} {:<24} {state}", migration.owner.as_str(), migration.version, migration.name)
}

#[tokio::test]
async fn up_applies_everything_once_and_status_says_so() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    assert_eq!(status(&database).await?, of_all(|migration| listed(migration, "missing"))?);
    let applied = run(migrate(&database, &["up"])).await?.success()?;
    let expected = of_all(|m| format!("applied {} {:04} {}", m.owner, m.version, m.name))?;
    assert_eq!(applied, expected);
    assert_eq!(status(&database).await?, of_all(|migration| listed(migration, "applied"))?);
    assert_eq!(run(migrate(&database, &["up"])).await?.success()?, "nothing to do\n");
    Ok(())
}

#[tokio::test]
async fn down_takes_back_the_last_of_an_owner_and_up_brings_it_again() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let taken_back = run(migrate(&database, &["down", "analytics"])).await?.success()?;
    let last = embedded()?.into_iter().rfind(|migration| migration.owner.as_str() == "analytics");
    let last = last.expect("analytics has tables");
    let named = format!("analytics {:04} {}\n", last.version, last.name);
    assert_eq!(taken_back, format!("taken back {named}"));
    assert!(status(&database).await?.contains(&listed(&last, "missing")));
    assert_eq!(run(migrate(&database, &["up"])).await?.success()?, format!("applied {named}"));
    let all = run(migrate(&database, &["down", "analytics", "--steps", "1000"])).await?.success()?;
    assert!(all.starts_with(&format!("taken back {named}")), "{all}");
    let nothing = run(migrate(&database, &["down", "analytics"])).await?.success()?;
    assert_eq!(nothing, "nothing to do\n");
    Ok(())
}

#[tokio::test]
async fn down_of_an_unknown_owner_names_the_owners() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let refused = run(migrate(&database, &["down", "billing"])).await?;
    insta::assert_snapshot!(refused.refusal(&[]), @r#"
    exit code 38
    error: there is no owner "billing"; the owners are platform, accounts, entities, vectors, analytics, operations and registry
    "#);
    Ok(())
}

#[tokio::test]
async fn two_at_once_apply_everything_once() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let up = || run(migrate(&database, &["up"]));
    let (one, other) = tokio::try_join!(up(), up())?;
    let mut said = [one.success()?, other.success()?];
    said.sort();
    let expected = of_all(|m| format!("applied {} {:04} {}", m.owner, m.version, m.name))?;
    assert_eq!(said, [expected, "nothing to do\n".to_owned()]);
    Ok(())
}
