use pulse_testkit::TestDatabase;
use sqlx::{ConnectOptions, Connection};

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() -> anyhow::Result<()> {
    let (one, other) = tokio::try_join!(TestDatabase::new(), TestDatabase::new())?;
    assert_ne!(one.name(), other.name());
    let pool = one.pool(2);
    let migrations: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pulse_migrations.applied").fetch_one(&pool).await?;
    let expected = pulse_migrations::embedded()?.len();
    assert_eq!(usize::try_from(migrations)?, expected);
    Ok(())
}

#[tokio::test]
async fn database_is_gone_when_its_test_ends() -> anyhow::Result<()> {
    let kept = TestDatabase::empty().await?;
    let dropped = TestDatabase::empty().await?;
    let name = dropped.name().to_owned();
    // A connection that a test forgot does not keep it alive.
    let _forgotten = dropped.connect().await?;
    drop(dropped);
    let mut conn = kept.connect().await?;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut conn)
        .await?;
    assert!(!there);
    Ok(())
}

#[tokio::test]
async fn url_leads_to_the_same_database() -> anyhow::Result<()> {
    let database = TestDatabase::empty().await?;
    let options: sqlx::postgres::PgConnectOptions = database.url().parse()?;
    let mut conn = options.connect().await?;
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut conn).await?;
    assert_eq!(name, database.name());
    conn.close().await?;
    Ok(())
}
