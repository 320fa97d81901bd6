//! All keys of a projection, in two enums and without a context.

#![deny(warnings, missing_docs, unused_qualifications, unused_lifetimes)]

use eventlogs::feed::Interest;
use eventlogs::sqlx::PgConnection;
use eventlogs::{Event, FeedRecord, Projection, event_handler, sqlx};

/// The events of a payment.
#[derive(Debug, Event)]
pub enum PaymentEvent {
    /// It was requested.
    #[event(name = "payment.requested")]
    Requested,
    /// It was captured.
    #[event(name = "payment.captured")]
    Captured {
        /// The amount.
        amount: u64,
    },
}

/// The events of an order.
#[derive(Debug, Event)]
pub enum OrderEvent {
    /// It was placed.
    #[event(name = "order.placed")]
    Placed,
}

/// What was captured.
#[derive(Debug, Projection)]
#[projection(name = "ledger", events(PaymentEvent, OrderEvent))]
#[projection(database = postgres, create = "every-key.sql", fingerprint = "2", crate = ::eventlogs)]
pub struct Ledger {
    currency: String,
}

#[event_handler(PaymentEvent, ignore(Requested))]
impl Ledger {
    #[on(Captured)]
    async fn capture(
        &self,
        amount: u64,
        #[record] record: &FeedRecord<PaymentEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        let _ = (amount, record.cursor(), &self.currency);
        sqlx::query("insert into captured values (1)").execute(db).await?;
        Ok(())
    }
}

#[event_handler(OrderEvent)]
impl Ledger {
    #[on(Placed)]
    async fn place(&self) {}
}

/// An enum may be a projection, too.
#[derive(Debug, Projection)]
#[projection(name = "search", events(OrderEvent), database = elsewhere)]
pub enum Search {
    /// In memory.
    Memory,
    /// On a server.
    Server {
        /// Its address.
        address: String,
    },
}

#[event_handler(OrderEvent)]
impl Search {
    #[on(Placed)]
    async fn place<'a>(&'a self) -> Result<(), &'a str> {
        match self {
            Self::Memory => Ok(()),
            Self::Server { address } => Err(address),
        }
    }
}

fn main() {
    assert_eq!(Ledger::CREATE, Some("create table captured (id int);\n"));
    assert_eq!(Ledger::SOURCES[0].interest, Interest::Except(&["Requested"]));
    assert_eq!(Search::SOURCES.len(), 1);
}
