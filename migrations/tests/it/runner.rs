use pulse_migrations::{Applied, MigrateError, Migration, Migrator, Owner, State, Target};
use pulse_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

const ONE: &str = "0001_one.up.sql";
const TWO: &str = "0002_two.up.sql";

fn migration(owner: Owner, file: &str, table: &str) -> Migration {
    let up = format!("CREATE TABLE {owner}.{table} (id integer);\n");
    Migration::try_new(owner, file, up, format!("DROP TABLE {owner}.{table};\n"))
        .expect("the name is well formed")
}

fn migrations() -> Vec<Migration> {
    // In another order than they are to be applied in.
    vec![
        migration(Owner::Analytics, ONE, "a"),
        migration(Owner::Platform, TWO, "q"),
        migration(Owner::Platform, ONE, "p"),
    ]
}

fn migrator(database: &TestDatabase, migrations: Vec<Migration>) -> Migrator {
    Migrator::with_migrations(&database.options(), migrations).expect("the numbers follow each other")
}

fn names(applied: &[Applied]) -> Vec<String> {
    applied.iter().map(|applied| format!("{} {} {}", applied.owner, applied.version, applied.name)).collect()
}

async fn execute(database: &TestDatabase, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut database.connect().await?).await?;
    Ok(())
}

async fn exists(database: &TestDatabase, table: &str) -> anyhow::Result<bool> {
    let mut conn = database.connect().await?;
    let found =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(&mut conn).await?;
    Ok(found)
}

#[tokio::test]
async fn up_applies_owners_in_order_and_only_once() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = migrator(&database, migrations());
    let first = migrator.up(Target::Latest).await?;
    assert_eq!(names(&first), ["platform 1 one", "platform 2 two", "analytics 1 one"]);
    assert!(migrator.up(Target::Latest).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn up_to_a_version_stops_there() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = migrator(&database, migrations());
    let applied = migrator.up(Target::Version(Owner::Platform, 1)).await?;
    assert_eq!(names(&applied), ["platform 1 one"]);
    let states: Vec<_> =
        migrator.status().await?.iter().map(|status| matches!(status.state, State::Applied(_))).collect();
    assert_eq!(states, [true, false, false]);
    let error = migrator.up(Target::Version(Owner::Platform, 3)).await.expect_err("there are two");
    assert_eq!(error.to_string(), "platform has no migration 0003; its last is 0002");
    Ok(())
}

#[tokio::test]
async fn down_takes_back_the_newest_first() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = migrator(&database, migrations());
    migrator.up(Target::Latest).await?;
    assert_eq!(names(&migrator.down(Owner::Platform, 1).await?), ["platform 2 two"]);
    assert!(!exists(&database, "platform.q").await? && exists(&database, "platform.p").await?);
    assert_eq!(names(&migrator.down_all().await?), ["analytics 1 one", "platform 1 one"]);
    assert_eq!(names(&migrator.up(Target::Latest).await?).len(), 3);
    Ok(())
}

#[tokio::test]
async fn status_and_down_of_an_untouched_database_change_nothing() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = migrator(&database, migrations());
    assert!(migrator.status().await?.iter().all(|status| status.state == State::Pending));
    assert!(migrator.down_all().await?.is_empty());
    assert!(!exists(&database, "pulse_migrations.applied").await?);
    Ok(())
}

#[tokio::test]
async fn tables_belong_to_pulse_owner() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    migrator(&database, migrations()).up(Target::Latest).await?;
    let owners: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = ANY ($1)")
            .bind(["platform", "analytics", "pulse_migrations"])
            .fetch_all(&mut database.connect().await?)
            .await?;
    assert_eq!(owners, ["pulse_owner"]);
    Ok(())
}

#[tokio::test]
async fn changed_file_is_refused_with_both_checksums() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let applied = migration(Owner::Platform, ONE, "p");
    migrator(&database, vec![applied.clone()]).up(Target::Latest).await?;
    let changed = Migration { up: "SELECT 2".into(), ..applied.clone() };
    let migrator = migrator(&database, vec![changed.clone(), migration(Owner::Accounts, ONE, "a")]);
    for result in [migrator.up(Target::Latest).await, migrator.down_all().await] {
        let error = result.expect_err("the text is another");
        assert_eq!(error.exit_code(), 32);
        assert_eq!(
            error.to_string(),
            format!(
                "migrations/platform/0001_one.up.sql (platform, version 0001) was changed after it was applied: the \
                 database has SHA-256 {}, the file has {}; restore the file as it was and put the change into a new \
                 migration",
                applied.sha256(),
                changed.sha256()
            )
        );
    }
    assert!(!exists(&database, "accounts.a").await?);
    Ok(())
}

#[tokio::test]
async fn database_of_a_newer_pulse_is_refused() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    migrator(&database, migrations()).up(Target::Latest).await?;
    let older = migrator(&database, vec![migration(Owner::Platform, ONE, "p")]);
    let error = older.up(Target::Latest).await.expect_err("it knows one of two");
    assert_eq!(error.exit_code(), 37);
    assert!(error.to_string().starts_with("the database has platform migration 0002_two applied"), "{error}");
    execute(&database, "UPDATE pulse_migrations.applied SET owner = 'billing' WHERE owner = 'analytics'")
        .await?;
    let error = migrator(&database, migrations()).status().await.expect_err("there is no such owner");
    assert!(error.to_string().starts_with("the database has billing migration 0001_one applied"), "{error}");
    Ok(())
}

#[tokio::test]
async fn record_with_a_hole_is_refused() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = migrator(&database, migrations());
    migrator.up(Target::Latest).await?;
    execute(&database, "DELETE FROM pulse_migrations.applied WHERE owner = 'platform' AND version = 1")
        .await?;
    let error = migrator.up(Target::Latest).await.expect_err("the record has a hole");
    assert_eq!(error.exit_code(), 36);
    assert!(
        error.to_string().starts_with("platform has migration 0002 applied but not 0001 before it"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn failing_migration_names_its_place_and_leaves_what_came_before() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let broken = "CREATE TABLE platform.r (id integer);\n\nSELECT missing FROM platform.r;\n";
    let broken = Migration::try_new(Owner::Platform, TWO, broken, "")?;
    let migrator = migrator(&database, vec![migration(Owner::Platform, ONE, "p"), broken]);
    let error = migrator.up(Target::Latest).await.expect_err("there is no such column");
    assert_eq!(error.exit_code(), 31);
    assert_eq!(
        error.to_string(),
        "migrations/platform/0002_two.up.sql:3:8 failed and was rolled back: column \"missing\" does not exist"
    );
    assert!(exists(&database, "platform.p").await? && !exists(&database, "platform.r").await?);
    assert!(matches!(migrator.status().await?[1].state, State::Pending));
    Ok(())
}

#[tokio::test]
async fn two_at_once_apply_each_migration_once() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let migrator = migrator(&database, migrations());
    let (one, other) = tokio::try_join!(migrator.up(Target::Latest), migrator.up(Target::Latest))?;
    assert_eq!(one.len() + other.len(), 3);
    Ok(())
}

#[tokio::test]
async fn unreachable_server_is_its_own_error() {
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass().socket("/nonexistent");
    let error = Migrator::try_new(&options).expect("the files are in order").status().await;
    let error = error.expect_err("nobody listens there");
    assert!(matches!(error, MigrateError::Database(_)));
    assert_eq!(error.exit_code(), 30);
}
