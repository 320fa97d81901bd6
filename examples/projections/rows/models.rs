//! The rows: structs with the handlers of an aggregate, and no SQL but that which creates the tables.
//!
//! A row names its database, so a service has each of these structs once, and without a macro. This example needs them for two
//! databases.

use crate::shop::PaymentEvent;
use eventlogs::ids::LogId;
use eventlogs::projection::{Postgres, RememberedKeys, RowDatabase, Sqlite};
use eventlogs::{EventRecord, FeedRecord, ProjectedRow, Projection, event_handler};
use serde::{Deserialize, Serialize};

/// The rows on one database.
pub(crate) trait ReadModels: RowDatabase {
    /// The rows of payments, in a first version with a mistake.
    type FirstPayments: ProjectedRow<Database = Self>;
    /// The rows of payments.
    type Payments: ProjectedRow<Database = Self>;
    /// The rows of customers.
    type Customers: ProjectedRow<Database = Self>;
}

impl ReadModels for Sqlite {
    type FirstPayments = FirstPaymentOnSqlite;
    type Payments = PaymentOnSqlite;
    type Customers = CustomerOnSqlite;
}

impl ReadModels for Postgres {
    type FirstPayments = FirstPaymentOnPostgres;
    type Payments = PaymentOnPostgres;
    type Customers = CustomerOnPostgres;
}

/// Makes the row of a payment, as it is listed and searched. Its key is the log.
macro_rules! payment {
    ($Payment:ident, $database:ident, $Cents:ty, $add:ident) => {
        #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
        #[projection(
                                                                    name = "example_payments",
                                                                    events(PaymentEvent),
                                                                    database = $database,
                                                                    table = "example_payments",
                                                                    create = "payments.sql"
                                                                )]
        pub(crate) struct $Payment {
            #[key]
            id: LogId,
            customer: String,
            currency: String,
            cents: $Cents,
            captures: u32,
        }

        #[event_handler(PaymentEvent)]
        impl $Payment {
            #[on(Requested)]
            fn request(&mut self, customer: &str, currency: &str) {
                customer.clone_into(&mut self.customer);
                currency.clone_into(&mut self.currency);
            }

            #[on(Captured)]
            fn capture(&mut self, cents: i64) {
                self.cents = $add(self.cents, cents);
                self.captures += 1;
            }

            #[on(Refunded)]
            fn refund(&mut self, cents: i64) {
                self.cents = $add(self.cents, -cents);
            }
        }
    };
}

payment!(FirstPaymentOnSqlite, sqlite, u64, first_add);
payment!(FirstPaymentOnPostgres, postgres, u64, first_add);
payment!(PaymentOnSqlite, sqlite, i64, add);
payment!(PaymentOnPostgres, postgres, i64, add);

/// The mistake: if more is refunded than was captured, the sum is a very large number, which the databases refuse.
const fn first_add(sum: u64, cents: i64) -> u64 {
    sum.wrapping_add_signed(cents)
}

const fn add(sum: i64, cents: i64) -> i64 {
    sum + cents
}

/// The key of a customer's row. Only the first event of a payment names the customer; the later ones change the same row.
fn customer_of(record: &FeedRecord<PaymentEvent>) -> RememberedKeys<String> {
    match record.event() {
        PaymentEvent::Requested { customer, .. } => RememberedKeys::one(customer.clone()),
        PaymentEvent::Captured { .. } | PaymentEvent::Refunded { .. } => {
            RememberedKeys::as_before()
        }
    }
}

/// Makes the row of a customer, who has several payments.
macro_rules! customer {
    ($Customer:ident, $database:ident) => {
        #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
        #[projection(
            name = "example_customers",
            events(PaymentEvent by customer_of),
            database = $database,
            table = "example_customers",
            create = "create table example_customers (
                customer text not null primary key, payments bigint not null, cents bigint not null
            )"
        )]
        pub(crate) struct $Customer {
            #[key]
            customer: String,
            payments: u32,
            cents: i64,
        }

        #[event_handler(PaymentEvent)]
        impl $Customer {
            #[on(Requested { .. })]
            fn request(&mut self) {
                self.payments += 1;
            }

            #[on(Captured)]
            fn capture(&mut self, cents: i64) {
                self.cents += cents;
            }

            #[on(Refunded)]
            fn refund(&mut self, cents: i64) {
                self.cents -= cents;
            }
        }
    };
}

customer!(CustomerOnSqlite, sqlite);
customer!(CustomerOnPostgres, postgres);
