//! The fingerprint of a projection changes with its code, and its statements are taken from where the attribute says.

use eventlogs::sqlx::PgConnection;
use eventlogs::{Event, Projection, event_handler};

#[derive(Debug, Event)]
enum ShippingEvent {
    #[event(name = "shipping.dispatched")]
    Dispatched,
}

/// What the handlers below call.
const fn work(_: u32) {}

/// Projections that differ from the base in one place. Each is in its own module, which is named after that place.
macro_rules! ledgers {
    ($($name:ident ($($keys:tt)*) $fields:tt $body:block)*) => {$(
        mod $name {
            use super::*;

            #[allow(dead_code, reason = "the fields are there to be hashed")]
            #[derive(Projection)]
            #[projection($($keys)*)]
            pub(super) struct Ledger $fields

            #[event_handler(ShippingEvent)]
            impl Ledger {
                #[on(Dispatched)]
                async fn dispatch(&self) $body
            }
        }
    )*};
}

ledgers! {
    base (name = "ledger", events(ShippingEvent), database = elsewhere) { rate: u32 } { work(1) }
    same (database = elsewhere, events(ShippingEvent,), name = "ledger") { pub(crate) rate: u32, } { work( 1 ) }
    other_body (name = "ledger", events(ShippingEvent), database = elsewhere) { rate: u32 } { work(2) }
    other_fields (name = "ledger", events(ShippingEvent), database = elsewhere) { rate: u64 } { work(1) }
    other_name (name = "ledgers", events(ShippingEvent), database = elsewhere) { rate: u32 } { work(1) }
    other_database (name = "ledger", events(ShippingEvent), database = postgres) { rate: u32 } { work(1) }
    mixed (name = "ledger", events(ShippingEvent), database = elsewhere, fingerprint = "2") { rate: u32 } { work(1) }
    pinned (name = "ledger", events(ShippingEvent), database = elsewhere, fingerprint = 7) { rate: u32 } { work(1) }
    table (name = "ledger", events(ShippingEvent), database = postgres, create = "create table a (b int)") { rate: u32 } { work(1) }
    other_table (name = "ledger", events(ShippingEvent), database = postgres, create = "create table a (c int)") { rate: u32 } { work(1) }
}

#[test]
fn the_fingerprint_changes_with_the_behaviour_of_the_code() {
    assert_eq!(base::Ledger::fingerprint(), same::Ledger::fingerprint());
    assert_eq!(pinned::Ledger::fingerprint(), 7);
    let fingerprints = [
        base::Ledger::fingerprint(),
        other_body::Ledger::fingerprint(),
        other_fields::Ledger::fingerprint(),
        other_name::Ledger::fingerprint(),
        other_database::Ledger::fingerprint(),
        mixed::Ledger::fingerprint(),
        table::Ledger::fingerprint(),
        other_table::Ledger::fingerprint(),
    ];
    for (index, fingerprint) in fingerprints.iter().enumerate() {
        let others = &fingerprints[..index];
        assert!(!others.contains(fingerprint), "{index} of {fingerprints:?}");
    }
}

#[test]
fn statements_are_taken_from_the_attribute_or_from_a_file() {
    #[derive(Projection)]
    #[projection(name = "files", events(ShippingEvent), database = postgres, create = "projection_code.sql")]
    struct Files;

    #[event_handler(ShippingEvent)]
    impl Files {
        #[on(Dispatched)]
        async fn dispatch(&self, #[context] _db: &mut PgConnection) {}
    }

    assert_eq!(table::Ledger::CREATE, Some("create table a (b int)"));
    assert_eq!(
        Files::CREATE,
        Some("create table parcels (id uuid primary key);\n")
    );
}
