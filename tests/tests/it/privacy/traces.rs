//! Where something is still to be found.

use std::path::Path;

use pulse_tests::TestPlatform;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::PATIENCE;

/// Every place in the database and in the folder of files that contains one of the values.
pub(super) async fn of(platform: &TestPlatform, values: &[&str]) -> Vec<String> {
    let mut connection = platform.database.connect().await.unwrap();
    let mut found = in_rows(&mut connection, values).await;
    found.extend(in_storage(&mut connection, values).await);
    found.extend(in_files(platform.files.path(), values));
    found
}

/// Every table that has one of the values in a row of the tenant's, and how many rows.
pub(super) async fn in_tenant(platform: &TestPlatform, tenant: &str, values: &[&str]) -> Vec<String> {
    let mut connection = platform.database.connect().await.unwrap();
    let of_tenants =
        "NOT c.relispartition AND obj_description(c.oid, 'pg_class') ~ '^class: (tenant|platform)'";
    let mut found = Vec::new();
    for table in relations(&mut connection, "('r', 'p')", of_tenants).await {
        for value in values {
            let sql = format!(
                "SELECT count(*) FROM {table} t, to_jsonb(t) AS j
                  WHERE coalesce(j->>'org_id', j->>'tenant') = $1 AND strpos(lower(t::text), lower($2)) > 0"
            );
            let count = sqlx::query_scalar(AssertSqlSafe(sql)).bind(tenant).bind(value);
            let count: i64 = count.fetch_one(&mut connection).await.unwrap();
            if count > 0 {
                found.push(format!("{value} in {count} rows of {table}"));
            }
        }
    }
    found
}

/// Every column as text, of every table but those of the catalog.
async fn in_rows(connection: &mut PgConnection, values: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for table in relations(connection, "('r', 'p')", "NOT c.relispartition").await {
        for value in values {
            let sql = format!("SELECT count(*) FROM {table} t WHERE strpos(lower(t::text), lower($1)) > 0");
            let count: i64 =
                sqlx::query_scalar(AssertSqlSafe(sql)).bind(value).fetch_one(&mut *connection).await.unwrap();
            if count > 0 {
                found.push(format!("{value} in {count} rows of {table}"));
            }
        }
    }
    found
}

/// What the server has on disk of tables, indexes and large values, once rows that nobody sees any more are swept out.
async fn in_storage(connection: &mut PgConnection, values: &[&str]) -> Vec<String> {
    everybody_else_has_begun_anew(connection).await;
    for table in relations(connection, "('r', 'p')", "NOT c.relispartition").await {
        connection.execute(AssertSqlSafe(format!("VACUUM (FULL) {table}"))).await.unwrap();
    }
    connection.execute("CHECKPOINT").await.unwrap();
    let mut found = Vec::new();
    for relation in relations(connection, "('r', 'i', 't')", "pg_relation_filepath(c.oid) IS NOT NULL").await
    {
        for value in values {
            // As text, and as an id is stored.
            let binary = value
                .parse::<uuid::Uuid>()
                .map_or_else(|_| value.as_bytes().to_vec(), |id| id.as_bytes().to_vec());
            let sql = format!(
                "SELECT position($1::bytea IN file) > 0 OR position($2::bytea IN file) > 0
                   FROM pg_read_binary_file(pg_relation_filepath('{relation}')) AS file"
            );
            let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(value.as_bytes()).bind(binary);
            if query.fetch_one(&mut *connection).await.unwrap() {
                found.push(format!("{value} in the storage of {relation}"));
            }
        }
    }
    found
}

/// Rows are kept as long as anybody has a snapshot that may see them, and a snapshot looks back to the oldest transaction
/// of the whole server, be it another test's: waits for the end of all that are older than this.
async fn everybody_else_has_begun_anew(connection: &mut PgConnection) {
    let now: String =
        sqlx::query_scalar("SELECT pg_current_xact_id()::text").fetch_one(&mut *connection).await.unwrap();
    let ended = async {
        loop {
            let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 AND NOT EXISTS (
                SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                   AND age(backend_xmin) >= age($1::xid8::xid))";
            if sqlx::query_scalar(sql).bind(&now).fetch_one(&mut *connection).await.unwrap() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("older transactions end");
}

async fn relations(connection: &mut PgConnection, kinds: &str, condition: &str) -> Vec<String> {
    let sql = format!(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN {kinds} AND {condition} AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND NOT (n.nspname = 'pg_toast' AND c.oid IN (
                SELECT t.reltoastrelid FROM pg_class t WHERE t.relnamespace = 'pg_catalog'::regnamespace
                UNION SELECT i.indexrelid FROM pg_index i JOIN pg_class t ON t.reltoastrelid = i.indrelid
                 WHERE t.relnamespace = 'pg_catalog'::regnamespace))
          ORDER BY 1"
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
}

fn in_files(folder: &Path, values: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(in_files(&path, values));
            continue;
        }
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let name = path.display().to_string();
        found.extend(
            values.iter().filter(|value| content.contains(**value)).map(|value| format!("{value} in {name}")),
        );
    }
    found
}
