use pulse_migrations::{MigrateError, Migration, Migrator, Owner};
use sqlx::postgres::PgConnectOptions;

fn migration(owner: Owner, file: &str) -> Migration {
    Migration::try_new(owner, file, "SELECT 1", "SELECT 1").expect("the name is well formed")
}

fn refusal(migrations: Vec<Migration>) -> String {
    let options = PgConnectOptions::new_without_pgpass();
    Migrator::with_migrations(&options, migrations)
        .expect_err("the numbers do not follow each other")
        .to_string()
}

#[test]
fn embedded_migrations_are_in_order() -> Result<(), MigrateError> {
    let migrations = pulse_migrations::embedded()?;
    assert!(migrations.iter().any(|migration| migration.owner == Owner::Platform && migration.version == 1));
    assert!(migrations.is_sorted_by_key(|migration| (migration.owner, migration.version)));
    Ok(())
}

#[test]
fn missing_number_is_refused() {
    let migrations = vec![
        migration(Owner::Entities, "0001_first.up.sql"),
        migration(Owner::Entities, "0003_third.up.sql"),
    ];
    let expected = "migrations/entities/0003_third.up.sql should have the number 0002: an owner's migrations are \
                    numbered 0001, 0002 … without gaps; renumber it";
    assert_eq!(refusal(migrations), expected);
}

#[test]
fn number_used_twice_is_refused() {
    let migrations =
        vec![migration(Owner::Vectors, "0001_one.up.sql"), migration(Owner::Vectors, "0001_other.up.sql")];
    assert!(
        refusal(migrations).starts_with("migrations/vectors/0001_other.up.sql should have the number 0002")
    );
}

#[test]
fn badly_named_file_is_refused() {
    for file in
        ["1_first.up.sql", "0001.up.sql", "0001_first.sql", "first.up.sql", "0001_.up.sql", "+001_a.up.sql"]
    {
        let error = Migration::try_new(Owner::Platform, file, "", "").expect_err(file);
        assert!(matches!(error, MigrateError::BadFileName { .. }), "{file}: {error}");
    }
}

#[test]
fn unknown_owner_is_refused_with_the_known_ones() {
    let error = "billing".parse::<Owner>().expect_err("there is no such owner").to_string();
    let expected = "there is no owner \"billing\"; the owners are platform, accounts, entities, vectors, analytics, operations and registry";
    assert_eq!(error, expected);
}
