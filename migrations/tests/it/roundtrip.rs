use std::process::Command;

use anyhow::{Context, ensure};
use pulse_migrations::{Migrator, Owner, Target};
use pulse_postgres::{Distribution, FetchOptions};
use pulse_testkit::TestDatabase;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

/// Everything that the catalog says about the database, as SQL.
async fn dump(database: &TestDatabase) -> anyhow::Result<String> {
    let distribution = Distribution::ensure(&FetchOptions::from_env()).await?;
    let output = Command::new(distribution.program("pg_dump"))
        // The key is random otherwise, and part of the output.
        .args(["--schema-only", "--restrict-key=fixed", "--dbname", &database.url()])
        .output()
        .context("pg_dump")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn every_migration_can_be_taken_back_and_applied_again() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = Migrator::try_new(&database.options())?;
    migrator.up(Target::Version(Owner::Platform, 0)).await?;
    let bare = dump(&database).await?;
    let all = migrator.up(Target::Latest).await?;
    let migrated = dump(&database).await?;
    assert_ne!(bare, migrated);

    let mut taken_back = migrator.down_all().await?;
    taken_back.reverse();
    assert_eq!(taken_back, all);
    let bare_again = dump(&database).await?;
    assert!(bare == bare_again, "left behind by the down-migrations:\n{}", difference(&bare, &bare_again));

    assert_eq!(migrator.up(Target::Latest).await?, all);
    let migrated_again = dump(&database).await?;
    assert!(migrated == migrated_again, "changed:\n{}", difference(&migrated, &migrated_again));
    Ok(())
}

#[tokio::test]
async fn events_without_a_partition_of_their_own_get_one() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = Migrator::try_new(&database.options())?;
    migrator.up(Target::Version(Owner::Platform, 1)).await?;
    migrator.up(Target::Version(Owner::Analytics, 1)).await?;
    let mut connection = database.connect().await?;
    let insert = "INSERT INTO analytics.events (org_id, at, id, name, properties)
        SELECT gen_random_uuid(), at, gen_random_uuid(), 'old', '{}'
          FROM unnest('{2020-02-01T00:00:00Z, 2020-02-29T23:59:59Z, 2021-07-04T00:00:00Z}'::timestamptz[]) AS at";
    connection.execute(insert).await?;
    let count = async |connection: &mut PgConnection, table: &str| -> anyhow::Result<i64> {
        let sql = format!("SELECT count(*) FROM analytics.{table}");
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?)
    };
    assert_eq!(count(&mut connection, "events_other").await?, 3);
    migrator.up(Target::Latest).await?;
    assert_eq!(count(&mut connection, "events_2020_02").await?, 2);
    assert_eq!(count(&mut connection, "events_2021_07").await?, 1);
    migrator.down(Owner::Analytics, 1).await?;
    assert_eq!(count(&mut connection, "events").await?, 3);
    Ok(())
}

/// Lines that only one of the two has.
fn difference(before: &str, after: &str) -> String {
    let lost = before.lines().filter(|line| !after.lines().any(|other| other == *line));
    let gained = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    lost.map(|line| format!("- {line}"))
        .chain(gained.map(|line| format!("+ {line}")))
        .collect::<Vec<_>>()
        .join("\n")
}
