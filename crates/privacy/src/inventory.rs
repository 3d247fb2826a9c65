//! What is stored about whom and where.

use pulse_store::{Store, StoreError};

use crate::catalog::{self, Pii};
use crate::rules;

/// A column that holds something of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The table, as `schema.table`.
    pub table: String,
    /// Whose rows it holds: tenant, person or platform.
    pub class: &'static str,
    /// The column.
    pub column: String,
    /// What it holds: NAME, CONTACT, CREDENTIAL, SUBJECT, CONTENT or ADDRESS.
    pub pii: &'static str,
    /// What it is.
    pub description: String,
    /// Whether persons get it in an export.
    pub exported: bool,
    /// What is done with the table when a person is erased, as statements.
    pub erasing: Vec<String>,
}

/// Every column of the database that holds something of persons, by table.
pub async fn inventory(store: &Store) -> Result<Vec<Entry>, StoreError> {
    let mut connection = store.system().await?;
    let mut entries = Vec::new();
    for table in catalog::tables(&mut connection, None).await? {
        let erasing = rules::erasing(&table, false);
        let erasing: Vec<_> = erasing.by_id.into_iter().chain(erasing.by_contact).collect();
        let is_exported = rules::exporting(&table, false).is_some();
        for column in table.columns.iter().filter(|column| column.pii != Pii::None) {
            entries.push(Entry {
                table: table.name.clone(),
                class: table.class.as_str(),
                column: column.name.clone(),
                pii: column.pii.as_str(),
                description: column.description.clone(),
                exported: is_exported && column.pii != Pii::Credential,
                erasing: erasing.clone(),
            });
        }
    }
    entries.sort_by(|one, other| (&one.table, &one.column).cmp(&(&other.table, &other.column)));
    Ok(entries)
}
