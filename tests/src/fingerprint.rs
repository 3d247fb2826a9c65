//! What is stored, so that a test can say that nothing changed.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{Tenant, TestPlatform};

/// Of each table the number of rows, and a checksum of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<String, (i64, Option<String>)>);

impl Fingerprint {
    /// Of everything that tenants and people have.
    pub async fn of_all(platform: &TestPlatform) -> Self {
        let mut connection = platform.database.connect().await.unwrap();
        let mut found = BTreeMap::new();
        for class in ["tenant", "person"] {
            for table in Self::tables(&mut connection, class).await {
                let rows = rows(&mut connection, &table, "true", &[]).await;
                found.insert(table, rows);
            }
        }
        Self(found)
    }

    /// Of everything that a tenant and its people have.
    pub async fn of_tenant(platform: &TestPlatform, tenant: &Tenant) -> Self {
        let mut connection = platform.database.connect().await.unwrap();
        let org = [tenant.id.parse().unwrap()];
        let people = tenant.people().map(|person| person.id.parse().unwrap());
        let mut found = BTreeMap::new();
        for (class, condition, ids) in
            [("tenant", "org_id = ANY($1)", &org[..]), ("person", "user_id = ANY($1)", &people[..])]
        {
            for table in Self::tables(&mut connection, class).await {
                let rows = rows(&mut connection, &table, condition, ids).await;
                found.insert(table, rows);
            }
        }
        Self(found)
    }

    /// The tables of which any row is there.
    pub fn filled(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, (rows, _))| *rows > 0).map(|(table, _)| table.as_str())
    }

    /// The tables of which the rows are others than here.
    pub fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        let is_other = |(table, rows): &(&String, _)| other.0.get(*table) != Some(*rows);
        self.0.iter().filter(is_other).map(|(table, _)| table.as_str())
    }

    /// The tables of a class, as their comments declare it.
    pub async fn tables(connection: &mut PgConnection, class: &str) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
               AND starts_with(obj_description(c.oid, 'pg_class'), 'class: ' || $1 || '.')
             ORDER BY 1",
        )
        .bind(class)
        .fetch_all(connection)
        .await
        .unwrap()
    }
}

/// What of a table counts. Letters go out and exports are made by jobs, also while a test compares; and that somebody asked for
/// one, or for a passkey, or was refused, or saw something, is written down without anything having changed.
fn counted(table: &str) -> &'static str {
    match table {
        "accounts.one_time_tokens" => "false",
        "platform.audit" => {
            "action <> 'one_time_token:create' AND action NOT LIKE '%:request' AND action NOT LIKE '%:refuse'
             AND action NOT LIKE 'privacy:%' AND action <> 'passkey:ask' AND action NOT LIKE '%:read%'
             AND action NOT LIKE 'audit:export%' AND action <> 'branding:miss'"
        }
        _ => "true",
    }
}

/// What of a row is compared. That a key is used is written down at some time within a minute.
fn compared(table: &str) -> &'static str {
    match table {
        "accounts.machines" => "(to_jsonb(t) - 'last_used_at')::text",
        // Written by a job, also while a test compares; how it goes out depends on when a name is found to be unknown.
        "platform.audit_exports" | "operations.deliveries" => "id::text",
        "operations.webhooks" => "(to_jsonb(t) - '{failing_since,failed_in_row}'::text[])::text",
        _ => "t::text",
    }
}

async fn rows(
    connection: &mut PgConnection,
    table: &str,
    condition: &str,
    ids: &[Uuid],
) -> (i64, Option<String>) {
    let sql = format!(
        "SELECT count(*), md5(string_agg({row}, ',' ORDER BY {row})) FROM {table} t
         WHERE {condition} AND {counted} AND $1::uuid[] IS NOT NULL",
        row = compared(table),
        counted = counted(table)
    );
    sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_one(connection).await.unwrap()
}
