//! All keys and marks of a row, in two enums, and with another key than the log.

#![deny(warnings, missing_docs, unused_qualifications, unused_lifetimes)]

use eventlogs::feed::Interest;
use eventlogs::ids::LogId;
use eventlogs::projection::{Postgres, RowKeys, RowTable};
use eventlogs::{Event, EventRecord, FeedRecord, ProjectedRow, Projection, Rows, event_handler};
use serde::{Deserialize, Serialize};

/// The events of a payment.
#[derive(Debug, Event)]
pub enum PaymentEvent {
    /// It was requested.
    #[event(name = "payment.requested")]
    Requested {
        /// Who pays.
        customer: String,
    },
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

/// A payment or an order.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "payments", events(PaymentEvent, OrderEvent), table = "all_payments", keep = PaymentRow::is_open)]
#[projection(database = postgres, create = "every-key.sql", fingerprint = "2", crate = ::eventlogs)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRow {
    #[key]
    log_id: LogId,
    captured: u64,
    #[through]
    #[serde(rename = "last")]
    r#final: Option<u64>,
}

impl PaymentRow {
    const fn is_open(&self) -> bool {
        self.captured == 0
    }
}

#[event_handler(PaymentEvent, ignore(Requested))]
impl PaymentRow {
    #[on(Captured)]
    fn capture(&mut self, amount: u64, #[record] record: &impl EventRecord<PaymentEvent>) {
        self.captured += amount + record.index();
    }
}

#[event_handler(OrderEvent)]
impl PaymentRow {
    #[on(Placed)]
    fn place(&mut self) {}
}

/// What a customer has to do with us.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "customers", events(PaymentEvent by customer_of), database = postgres, table = "customers")]
pub struct Customer {
    #[key]
    name: String,
    payments: u64,
}

fn customer_of(record: &FeedRecord<PaymentEvent>) -> RowKeys<String> {
    match record.event() {
        PaymentEvent::Requested { customer } => RowKeys::one(customer.clone()),
        PaymentEvent::Captured { .. } => RowKeys::none(),
    }
}

#[event_handler(PaymentEvent, ignore(_))]
impl Customer {
    #[on(Requested)]
    fn request(&mut self) {
        self.payments += 1;
    }
}

fn main() -> Result<(), eventlogs::projection::RowError> {
    assert_eq!(PaymentRow::CREATE, Some("create table captured (id int);\n"));
    assert_eq!(PaymentRow::SOURCES[0].interest, Interest::Except(&["Requested"]));
    assert_eq!((PaymentRow::TABLE, PaymentRow::KEY), ("all_payments", "logId"));
    assert_eq!(PaymentRow::THROUGH, Some("last"));
    assert_eq!(<Rows::<PaymentRow> as Projection>::NAME, "payments");
    assert_ne!(PaymentRow::fingerprint(), Rows::<Customer>::fingerprint());
    let _: <PaymentRow as ProjectedRow>::Database = Postgres;
    RowTable::of::<PaymentRow>()?;
    let mut row = PaymentRow::default();
    assert!(row.keep() && row.through().is_none());
    row.captured = 3;
    row.set_through(7);
    assert!(!row.keep() && row.through() == Some(7));
    Ok(())
}
