//! Erasing a person from the tables of one owner.

use pulse_store::{Connection, StoreError};
use pulse_types::{OrgId, UserId};
use sqlx::AssertSqlSafe;

use crate::{catalog, rules};

/// Erases the person from everything that the schema `owner` has, or from what it has of a tenant; how many rows that were. To
/// be called in a transaction of [`pulse_store::Store::privacy`].
pub(crate) async fn erase_in_tx(
    connection: &mut Connection,
    owner: &str,
    (person, tenant): (UserId, Option<OrgId>),
) -> Result<u64, StoreError> {
    let tables = catalog::tables(connection, Some(owner)).await?;
    let mut contacts = Vec::new();
    for statement in tables.iter().flat_map(rules::contacts) {
        let find = sqlx::query_as(AssertSqlSafe(statement)).bind(person);
        let found: Vec<(String,)> = connection.fetch_all("privacy.contacts", find).await?;
        contacts.extend(found.into_iter().map(|(contact,)| contact.to_lowercase()));
    }
    let mut rows = 0;
    for table in &tables {
        let erasing = rules::erasing(table, tenant.is_some());
        for statement in erasing.by_id {
            let mut erase = sqlx::query(AssertSqlSafe(statement)).bind(person);
            if let Some(tenant) = tenant {
                erase = erase.bind(tenant);
            }
            rows += connection.execute("privacy.erase", erase).await?;
        }
        if contacts.is_empty() {
            continue;
        }
        for statement in erasing.by_contact {
            let mut erase = sqlx::query(AssertSqlSafe(statement)).bind(&contacts);
            if let Some(tenant) = tenant {
                erase = erase.bind(tenant);
            }
            rows += connection.execute("privacy.erase_contacts", erase).await?;
        }
    }
    Ok(rows)
}
