//! One open transaction, and the statements run in it.

use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, Postgres, Transaction};

use crate::{Statistics, StoreError};

/// An open transaction. Dropped without [`Connection::commit`], it rolls back off the caller's path.
///
/// Each statement has a name, `table.what`, for its span, its metrics and its errors.
#[derive(Debug)]
pub struct Connection {
    transaction: Transaction<'static, Postgres>,
    statistics: Arc<Statistics>,
}

impl Connection {
    pub(crate) fn new(transaction: Transaction<'static, Postgres>, statistics: Arc<Statistics>) -> Self {
        Self { transaction, statistics }
    }

    /// All rows.
    pub async fn fetch_all<O>(
        &mut self,
        statement: &'static str,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<Vec<O>, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.statistics.measure(statement, query.fetch_all(&mut *self.transaction)).await
    }

    /// The one row, or none.
    pub async fn fetch_optional<O>(
        &mut self,
        statement: &'static str,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<Option<O>, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.statistics.measure(statement, query.fetch_optional(&mut *self.transaction)).await
    }

    /// The one row that there must be.
    pub async fn fetch_one<O>(
        &mut self,
        statement: &'static str,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<O, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.statistics.measure(statement, query.fetch_one(&mut *self.transaction)).await
    }

    /// Runs a statement; the number of rows it touched.
    pub async fn execute(
        &mut self,
        statement: &'static str,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<u64, StoreError> {
        let done = self.statistics.measure(statement, query.execute(&mut *self.transaction)).await?;
        Ok(done.rows_affected())
    }

    /// Commits what was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(|error| StoreError::classify("commit", error))
    }
}
