//! What the database itself lets the platform's role see.

use pulse_tests::{Fingerprint, Graph, Tenant, TestPlatform};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

const PARTITIONS: &str = "
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relispartition AND c.relkind IN ('r', 'p') ORDER BY 1";

async fn filled() -> (TestPlatform, Tenant) {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    Graph::fill(&platform, &tenant, 3, "alpha").await;
    (platform, tenant)
}

/// Whether the role lacks the right.
fn is_refused(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42501"))
}

/// How many rows of each table of tenants and people the app's role sees after `setup`.
async fn seen(connection: &mut PgConnection, setup: &str) -> Vec<(String, i64)> {
    let mut seen = Vec::new();
    for class in ["tenant", "person"] {
        for table in Fingerprint::tables(connection, class).await {
            let mut transaction = connection.begin().await.unwrap();
            let setup = format!("SET LOCAL ROLE pulse_app; {setup}");
            sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut *transaction).await.unwrap();
            let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            match sqlx::query_scalar(count).fetch_one(&mut *transaction).await {
                Ok(rows) => seen.push((table, rows)),
                // Some of what proves who a person is can only be compared, by functions.
                Err(error) => assert!(class == "person" && is_refused(&error), "{table}: {error}"),
            }
        }
    }
    seen
}

#[tokio::test]
async fn the_apps_role_sees_no_row_until_a_tenant_and_a_person_are_set() {
    let (platform, tenant) = filled().await;
    let mut connection = platform.database.connect().await.unwrap();
    let empty = "SET LOCAL pulse.org_id = ''; SET LOCAL pulse.user_id = '';";
    let nil = "SET LOCAL pulse.org_id = '00000000-0000-0000-0000-000000000000';";
    for setup in ["", empty, nil] {
        let rows: Vec<_> =
            seen(&mut connection, setup).await.into_iter().filter(|(_, rows)| *rows > 0).collect();
        // Facts about no tenant stand under the nil id, and nobody acts in that.
        let expected: &[&str] = if setup == nil { &["platform.audit"] } else { &[] };
        assert_eq!(rows.iter().map(|(table, _)| table.as_str()).collect::<Vec<_>>(), expected, "{setup:?}");
    }
    let set =
        format!("SET LOCAL pulse.org_id = '{}'; SET LOCAL pulse.user_id = '{}';", tenant.id, tenant.owner.id);
    let rows = seen(&mut connection, &set).await;
    for table in [
        "accounts.users",
        "accounts.memberships",
        "entities.entities",
        "vectors.items",
        "analytics.events",
        "operations.webhooks",
    ] {
        assert!(rows.iter().any(|(name, rows)| name == table && *rows > 0), "{table} {rows:?}");
    }
}

#[tokio::test]
async fn the_apps_role_reaches_no_partition_past_its_parent() {
    let (platform, tenant) = filled().await;
    let mut connection = platform.database.connect().await.unwrap();
    let partitions: Vec<String> = sqlx::query_scalar(PARTITIONS).fetch_all(&mut connection).await.unwrap();
    for parent in ["platform.audit", "platform.log", "vectors.", "analytics."] {
        assert!(partitions.iter().any(|name| name.starts_with(parent)), "{parent} {partitions:?}");
    }
    for partition in partitions {
        for statement in ["SELECT FROM", "DELETE FROM"] {
            let mut transaction = connection.begin().await.unwrap();
            let setup = format!("SET LOCAL ROLE pulse_app; SET LOCAL pulse.org_id = '{}'", tenant.id);
            sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut *transaction).await.unwrap();
            let sql = AssertSqlSafe(format!("{statement} {partition}"));
            let refused = sqlx::query(sql).execute(&mut *transaction).await.unwrap_err();
            assert!(is_refused(&refused), "{statement} {partition}: {refused}");
        }
    }
}
