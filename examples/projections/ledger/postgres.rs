//! The ledger in PostgreSQL.

use super::{OPEN, POST, REVERSE};
use crate::shop::{OrderEvent, PaymentEvent};
use eventlogs::sqlx::{self, PgConnection};
use eventlogs::{EventRecord, FeedRecord, Projection, event_handler};

/// The ledger. It has no fields, because its handlers need nothing but the database.
#[derive(Debug, Projection)]
#[projection(
    name = "example_ledger",
    events(OrderEvent, PaymentEvent),
    database = postgres,
    create = "../ledger.sql"
)]
pub(crate) struct Ledger;

/// A line of an order is what the customer has to pay.
#[event_handler(OrderEvent, ignore(Shipped))]
impl Ledger {
    #[on(Placed)]
    async fn place(
        &self,
        customer: &str,
        currency: &str,
        cents: i64,
        #[record] record: &FeedRecord<OrderEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        open(db, record, "orders", customer, currency).await?;
        post(db, record, cents).await
    }

    #[on(Cancelled)]
    async fn cancel(
        &self,
        #[record] record: &FeedRecord<OrderEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        let reverse = sqlx::query(REVERSE)
            .bind(record.log_id().to_string())
            .bind(record.index().cast_signed());
        reverse.execute(db).await?;
        Ok(())
    }
}

/// A line of a payment is money that came or went.
#[event_handler(PaymentEvent)]
impl Ledger {
    #[on(Requested)]
    async fn request(
        &self,
        customer: &str,
        currency: &str,
        #[record] record: &FeedRecord<PaymentEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        open(db, record, "payments", customer, currency).await
    }

    #[on(Captured)]
    async fn capture(
        &self,
        cents: i64,
        #[record] record: &FeedRecord<PaymentEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        post(db, record, cents).await
    }

    #[on(Refunded)]
    async fn refund(
        &self,
        cents: i64,
        #[record] record: &FeedRecord<PaymentEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        post(db, record, -cents).await
    }
}

/// Notes whose log it is.
async fn open<E>(
    db: &mut PgConnection,
    record: &FeedRecord<E>,
    account: &str,
    customer: &str,
    currency: &str,
) -> sqlx::Result<()> {
    let open = sqlx::query(OPEN)
        .bind(record.log_id().to_string())
        .bind(account)
        .bind(customer)
        .bind(currency);
    open.execute(db).await?;
    Ok(())
}

/// Adds a line.
async fn post<E>(db: &mut PgConnection, record: &FeedRecord<E>, cents: i64) -> sqlx::Result<()> {
    let post = sqlx::query(POST)
        .bind(record.log_id().to_string())
        .bind(record.index().cast_signed())
        .bind(cents);
    post.execute(db).await?;
    Ok(())
}
