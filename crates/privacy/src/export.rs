//! Exporting what the tables of one owner have of a person.

use pulse_files::{FilesError, NewFile};
use pulse_store::{Connection, StoreError};
use pulse_types::{OrgId, UserId};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::{catalog, rules};

/// Rows in memory at once.
const BATCH: usize = 500;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Writes an object into the file, with a list of rows for each table of the schema `owner` that has any; how many rows.
pub(crate) async fn export_in_tx(
    connection: &mut Connection,
    owner: &str,
    (person, tenant): (UserId, Option<OrgId>),
    file: &mut NewFile,
) -> Result<u64, ExportError> {
    let mut rows = 0;
    file.write(b"{").await?;
    let tables = catalog::tables(connection, Some(owner)).await?;
    for table in &tables {
        let Some(statement) = rules::exporting(table, tenant.is_some()) else { continue };
        let before = rows;
        open(connection, &statement, (person, tenant)).await?;
        loop {
            let batch = fetch(connection).await?;
            for row in &batch {
                let opening = match (rows, rows == before) {
                    (0, _) => format!("\"{}\":[", table.name),
                    (_, true) => format!(",\"{}\":[", table.name),
                    (_, false) => ",".to_owned(),
                };
                file.write(format!("{opening}{row}").as_bytes()).await?;
                rows += 1;
            }
            if batch.len() < BATCH {
                break;
            }
        }
        connection.execute("privacy.close", sqlx::query("CLOSE exported")).await?;
        if rows > before {
            file.write(b"]").await?;
        }
    }
    file.write(b"}").await?;
    Ok(rows)
}

/// Opens a cursor, in which parameters cannot be: ids are safe to print.
async fn open(
    connection: &mut Connection,
    statement: &str,
    (person, tenant): (UserId, Option<OrgId>),
) -> Result<(), StoreError> {
    let tenant = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    let statement = statement.replace("$1", &format!("'{person}'")).replace("$2", &format!("'{tenant}'"));
    let declare = format!("DECLARE exported NO SCROLL CURSOR FOR {statement}");
    let declare = sqlx::query(AssertSqlSafe(declare)).persistent(false);
    connection.execute("privacy.declare", declare).await.map(drop)
}

async fn fetch(connection: &mut Connection) -> Result<Vec<Value>, StoreError> {
    let fetch =
        sqlx::query_as(AssertSqlSafe(format!("FETCH FORWARD {BATCH} FROM exported"))).persistent(false);
    let rows: Vec<(Value,)> = connection.fetch_all("privacy.export", fetch).await?;
    Ok(rows.into_iter().map(|(row,)| row).collect())
}
