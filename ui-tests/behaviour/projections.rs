//! Each event of the feed reaches the handler that is marked for it, with that handler's parameters.

use crate::support::{now, record};
use eventlogs::feed::{Interest, Wanted};
use eventlogs::{
    Cursor, Event, EventRecord, FeedEvent, FeedRecord, HandlerError, Projection, RecordedEvent,
    Subscriber, event_handler,
};
use std::error::Error;
use std::fmt;
use std::sync::Mutex;

#[derive(Debug, Clone, Event)]
#[event(log_type = "payment")]
enum PaymentEvent {
    #[event(name = "payment.requested")]
    Requested { customer: String },
    #[event(name = "payment.captured", alias = "payment.taken", version = 2, upcast(1 = captured_from_v1))]
    Captured { amount: u64, note: Option<String> },
    #[event(name = "payment.voided")]
    Voided(String, u32),
    #[event(name = "payment.noted")]
    r#In,
}

const fn captured_from_v1(amount: u64) -> PaymentEvent {
    PaymentEvent::Captured { amount, note: None }
}

#[derive(Debug, Clone, Event)]
#[event(log_type = "order")]
enum OrderEvent {
    #[event(name = "order.placed")]
    Placed { customer: String },
    #[event(name = "order.paid")]
    Paid,
    #[event(flatten)]
    Shipping(ShippingEvent),
}

#[derive(Debug, Clone, Event)]
enum ShippingEvent {
    #[event(name = "shipping.dispatched")]
    Dispatched,
}

/// A read model in memory, so that a test can look at it.
#[derive(Debug, Default, Projection)]
#[projection(name = "ledger", events(PaymentEvent, OrderEvent), database = elsewhere)]
struct Ledger {
    currency: String,
    lines: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct TooLarge(u64);

impl fmt::Display for TooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the amount {} is too large", self.0)
    }
}

impl Error for TooLarge {}

#[event_handler(PaymentEvent, ignore(Requested | Voided(_, 1)))]
impl Ledger {
    #[on(Captured)]
    async fn capture(
        &self,
        amount: u64,
        note: Option<String>,
        #[record] record: &FeedRecord<PaymentEvent>,
    ) -> Result<(), TooLarge> {
        if amount > 1000 {
            return Err(TooLarge(amount));
        }
        let note = note.as_deref().unwrap_or("-");
        let (index, cursor) = (record.index(), record.cursor());
        self.write(format!(
            "{amount} {} {note} {index} {cursor}",
            self.currency
        ));
        Ok(())
    }

    #[on(Voided(reason, 0 | 2..))]
    async fn void(&self, reason: &str) {
        std::future::ready(()).await;
        self.write(reason.to_owned());
    }

    #[on(r#In)]
    async fn note(&self) {}

    fn write(&self, line: String) {
        let mut lines = self.lines.lock().expect("no test has panicked");
        lines.push(line);
    }
}

#[event_handler(OrderEvent, ignore(_))]
impl Ledger {
    #[on(Placed)]
    async fn place(
        &self,
        customer: String,
        #[record] record: &impl EventRecord<OrderEvent>,
        #[context] nothing: &mut (),
    ) -> Result<(), &'static str> {
        *nothing = ();
        self.write(format!("{customer} {}", record.log_id()));
        Ok(())
    }
}

impl Ledger {
    /// Applies events, and returns what was written.
    fn after(events: &[FeedEvent]) -> Vec<String> {
        let ledger = Self {
            currency: "EUR".to_owned(),
            ..Self::default()
        };
        for event in events {
            now(ledger.apply(event, &mut ())).expect("the handlers do not fail");
        }
        ledger.lines.into_inner().expect("no test has panicked")
    }
}

/// An event as the feed of a store returns it.
fn stored<E: Event>(record: &RecordedEvent<E>) -> FeedEvent {
    let cursor = Cursor::from_parts(1, 7, record.index() + 1, None);
    FeedEvent::encode(record, cursor).expect("the event can be encoded")
}

#[test]
fn each_event_reaches_its_handler() {
    let note = Some("tip".to_owned());
    let captured = record(2, PaymentEvent::Captured { amount: 5, note });
    let voided = record(3, PaymentEvent::Voided("lost".to_owned(), 2));
    let customer = "ada".to_owned();
    let placed = record(0, OrderEvent::Placed { customer });
    let lines = Ledger::after(&[stored(&captured), stored(&voided), stored(&placed)]);
    let order = format!("ada {}", placed.log_id());
    assert_eq!(lines, ["5 EUR tip 2 1-1-7-3", "lost", &order]);
}

#[test]
fn an_event_without_handler_is_passed_over() {
    let ignored = [
        stored(&record(
            0,
            PaymentEvent::Requested {
                customer: String::new(),
            },
        )),
        stored(&record(1, PaymentEvent::Voided("lost".to_owned(), 1))),
        stored(&record(0, OrderEvent::Paid)),
        stored(&record(1, OrderEvent::Shipping(ShippingEvent::Dispatched))),
        // The kind of its logs is in no source.
        stored(&record(0, ShippingEvent::Dispatched)),
    ];
    assert_eq!(Ledger::after(&ignored), [""; 0]);
}

#[test]
fn former_names_and_versions_reach_the_handler_too() {
    let note = None;
    let mut event = stored(&record(0, PaymentEvent::Captured { amount: 0, note }));
    event.event_type = "payment.taken".into();
    event.version = 1;
    event.payload = Some(b"7".to_vec());
    assert_eq!(Ledger::after(&[event]), ["7 EUR - 0 1-1-7-1"]);
}

#[test]
fn an_event_that_cannot_be_read_is_an_error() {
    let mut event = stored(&record(0, PaymentEvent::r#In));
    event.event_type = "payment.refunded".into();
    let outcome = now(Ledger::default().apply(&event, &mut ()));
    assert!(
        matches!(outcome, Err(HandlerError::Decode(_))),
        "{outcome:?}"
    );
}

#[test]
fn the_error_of_a_handler_comes_back() {
    let (amount, note) = (1001, None);
    let event = stored(&record(0, PaymentEvent::Captured { amount, note }));
    let outcome = now(Ledger::default().apply(&event, &mut ()));
    let Err(HandlerError::Failed { source }) = outcome else {
        panic!("{outcome:?}");
    };
    let TooLarge(amount) = source.downcast_ref().expect("the error of the handler");
    assert_eq!(*amount, 1001);
}

#[test]
fn the_sources_are_in_the_order_of_the_attribute() {
    assert_eq!(Ledger::NAME, "ledger");
    assert_eq!(Ledger::CREATE, None);
    let [payment, order] = Ledger::SOURCES else {
        panic!("{:?}", Ledger::SOURCES);
    };
    assert_eq!(payment.log_type.name(), "payment");
    assert_eq!(order.log_type.name(), "order");
    // A variant of which one value is ignored is wanted.
    assert_eq!(payment.interest, Interest::Except(&["Requested"]));
    assert_eq!(order.interest, Interest::Only(&["Placed"]));
}

#[test]
fn what_is_ignored_is_not_wanted() {
    let wanted = Wanted::of(Ledger::SOURCES);
    // Events of a flattened enum are always wanted: its handlers are those of the variant that holds them.
    assert_eq!(
        wanted.except(),
        [("payment.requested", 1), ("order.paid", 1)]
    );
}

/// Interests in the forms that the ledger does not have. The context is a type of the test.
struct Interested;

#[event_handler(PaymentEvent, ignore(Captured | Voided { .. } | r#In))]
impl Interested {
    #[on(Requested)]
    async fn request(&self, customer: &str, #[context] seen: &mut Vec<String>) {
        seen.push(customer.to_owned());
    }

    /// A part of a variant that is otherwise ignored.
    #[on(Captured { amount: 1, .. })]
    async fn capture_one(&self, #[context] seen: &mut Vec<String>) {
        seen.push("one".to_owned());
    }
}

#[event_handler(OrderEvent)]
impl Interested {
    #[on(Placed | Paid | Shipping)]
    async fn change(&self) {}
}

#[event_handler(ShippingEvent, ignore(_))]
impl Interested {
    #[cfg(any())]
    #[on(Returned)]
    async fn take_back(&self) {}

    #[cfg(not(any()))]
    #[on(Dispatched)]
    async fn dispatch(&self) {}
}

#[test]
fn the_interest_is_what_the_handlers_take() {
    type Context = Vec<String>;
    assert_eq!(
        <Interested as Subscriber<PaymentEvent, Context>>::INTEREST,
        Interest::Except(&["Voided", "In"])
    );
    assert_eq!(
        <Interested as Subscriber<OrderEvent, Context>>::INTEREST,
        Interest::All
    );
    assert_eq!(
        <Interested as Subscriber<ShippingEvent, str>>::INTEREST,
        Interest::Only(&["Dispatched"])
    );
}

#[test]
fn the_handlers_of_a_block_share_one_context() {
    let mut seen = Vec::new();
    let (amount, note) = (1, None);
    let customer = "ada".to_owned();
    for event in [
        PaymentEvent::Requested { customer },
        PaymentEvent::Captured { amount, note },
        PaymentEvent::r#In,
    ] {
        let record = FeedRecord::new(record(0, event), Cursor::START);
        now(Interested.handle(&record, &mut seen)).expect("the handlers do not fail");
    }
    assert_eq!(seen, ["ada", "one"]);
}

#[test]
fn flattened_events_are_marked_at_every_depth() {
    #[derive(Event)]
    enum Outer {
        #[event(name = "outer.begun")]
        Begun,
        #[event(flatten)]
        Order(OrderEvent),
    }

    let marks = |schema: &[eventlogs::EventSchema]| -> Vec<(&str, bool)> {
        let entries = schema.iter();
        entries
            .map(|entry| (entry.variant, entry.is_flattened))
            .collect()
    };
    assert_eq!(
        marks(OrderEvent::SCHEMA),
        [("Placed", false), ("Paid", false), ("Dispatched", true)]
    );
    assert_eq!(
        marks(Outer::SCHEMA),
        [
            ("Begun", false),
            ("Placed", true),
            ("Paid", true),
            ("Dispatched", true)
        ]
    );
}

#[derive(Debug, Event)]
#[event(log_type = "cart")]
enum CartEvent<I> {
    #[event(name = "cart.filled")]
    Filled { item: I },
}

#[derive(Default, Projection)]
#[projection(name = "carts", events(CartEvent<I>, ShippingEvent), database = elsewhere)]
struct Carts<I: Clone, const N: usize> {
    items: Mutex<Vec<I>>,
}

#[event_handler(CartEvent<I>)]
impl<I, const N: usize> Carts<I, N>
where
    I: Clone + Send,
{
    #[on(Filled)]
    async fn fill(&self, item: I) {
        let mut items = self.items.lock().expect("no test has panicked");
        items.push(item);
    }
}

#[event_handler(ShippingEvent)]
impl<I: Clone + Send, const N: usize> Carts<I, N> {
    #[on(Dispatched)]
    async fn dispatch(&self) {
        let mut items = self.items.lock().expect("no test has panicked");
        items.truncate(N);
    }
}

#[test]
fn a_projection_may_be_generic() {
    let carts = Carts::<u8, 2>::default();
    let items = || carts.items.lock().expect("no test has panicked").clone();
    for (index, item) in [5, 6, 7].into_iter().enumerate() {
        let event = stored(&record(index as u64, CartEvent::Filled { item }));
        now(carts.apply(&event, &mut ())).expect("the handlers do not fail");
    }
    assert_eq!(items(), [5, 6, 7]);
    let event = stored(&record(0, ShippingEvent::Dispatched));
    now(carts.apply(&event, &mut ())).expect("the handlers do not fail");
    assert_eq!(items(), [5, 6]);
    assert_ne!(Carts::<u8, 2>::fingerprint(), 0);
}
