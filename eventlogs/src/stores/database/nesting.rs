//! Transactions that the driver counts: when the handler of a projection begins a transaction on its connection, the driver must
//! set a savepoint. If it began a second transaction, the commit of the handler would end the transaction of the page.

use sqlx::{Database, Error, SqlStr};
use sqlx_core::transaction::TransactionManager;

/// Begins a transaction with this text.
pub(in crate::stores) async fn begin<D: Database>(
    connection: &mut D::Connection,
    text: SqlStr,
) -> Result<(), Error> {
    D::TransactionManager::begin(connection, Some(text)).await
}

/// Commits, with all that handlers have left open.
pub(in crate::stores) async fn commit<D: Database>(
    connection: &mut D::Connection,
) -> Result<(), Error> {
    while is_open::<D>(connection) {
        D::TransactionManager::commit(connection).await?;
    }
    Ok(())
}

/// Rolls back, with all that handlers have left open.
pub(in crate::stores) async fn roll_back<D: Database>(
    connection: &mut D::Connection,
) -> Result<(), Error> {
    while is_open::<D>(connection) {
        D::TransactionManager::rollback(connection).await?;
    }
    Ok(())
}

fn is_open<D: Database>(connection: &D::Connection) -> bool {
    D::TransactionManager::get_transaction_depth(connection) > 0
}
