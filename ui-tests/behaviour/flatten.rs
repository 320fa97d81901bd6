//! A large domain in several enums: the variants of a flattened event are stored as if they belonged to the outer enum.

use crate::support::{bytes, decode, decode_json, fold, json, round_trip};
use eventlogs::codec::{Codec, CodecError, CodecId, DecodeProblem};
use eventlogs::{Aggregate, Event, EventHandler, EventRecord, EventType, event_handler};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A codec that only the outer enum uses.
struct Marked;

impl Codec for Marked {
    const ID: CodecId = CodecId::custom(779);

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.push(b'!');
        Ok(serde_json::to_writer(buffer, value)?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let bytes = bytes.strip_prefix(b"!").ok_or("the marker is missing")?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

#[derive(Debug, Clone, PartialEq, Event)]
#[event(explicit_names)]
enum ParcelEvent {
    #[event(name = "parcel.weighed")]
    Weighed { grams: u32 },
}

#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = "msgpack")]
enum ShippingEvent {
    #[event(name = "shipping.dispatched", alias = "dispatched", version = 2, upcast(1 = dispatched_from_v1))]
    Dispatched { parcels: u32 },
    #[event(name = "shipping.returned")]
    Returned,
    #[event(flatten)]
    Parcel(ParcelEvent),
}

const fn dispatched_from_v1(parcels: u32) -> ShippingEvent {
    ShippingEvent::Dispatched { parcels }
}

#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = Marked, explicit_names)]
enum OrderEvent {
    #[event(name = "order.placed")]
    Placed { amount: u64 },
    #[event(flatten)]
    Shipping(ShippingEvent),
    #[event(name = "order.closed")]
    Closed,
}

/// An enum of other enums, with a generic variant.
#[derive(Debug, PartialEq, Event)]
enum Everything<T> {
    #[event(flatten)]
    Orders(OrderEvent),
    Other(T),
}

fn all() -> Vec<OrderEvent> {
    vec![
        OrderEvent::Placed { amount: 5 },
        OrderEvent::Shipping(ShippingEvent::Dispatched { parcels: 2 }),
        OrderEvent::Shipping(ShippingEvent::Returned),
        OrderEvent::Shipping(ShippingEvent::Parcel(ParcelEvent::Weighed { grams: 900 })),
        OrderEvent::Closed,
    ]
}

#[test]
fn the_schema_holds_the_parts_in_the_place_of_their_variants() {
    let names = |schema: &[eventlogs::EventSchema]| -> Vec<&str> {
        schema.iter().map(|entry| entry.event_type.name).collect()
    };
    let expected = [
        "order.placed",
        "shipping.dispatched",
        "shipping.returned",
        "parcel.weighed",
        "order.closed",
    ];
    assert_eq!(names(OrderEvent::SCHEMA), expected);
    assert_eq!(names(Everything::<u8>::SCHEMA)[..5], expected);
    assert_eq!(OrderEvent::SCHEMA[1], ShippingEvent::SCHEMA[0].flattened());
}

#[test]
fn a_part_is_stored_under_its_own_name_in_the_codec_of_the_whole() {
    let event = &all()[1];
    let expected = EventType::new("shipping.dispatched", 2);
    assert_eq!(event.event_type(), expected);
    assert_eq!(json(event), r#"{"parcels":2}"#);
    assert_eq!(bytes(event), br#"!{"parcels":2}"#);
}

#[test]
fn every_event_survives_a_round_trip() {
    for event in all() {
        assert_eq!(round_trip(&event), event);
        let event = Everything::<u8>::Orders(event);
        assert_eq!(round_trip(&event), event);
    }
}

#[test]
fn old_names_versions_and_codecs_of_a_part_are_read() {
    let expected = OrderEvent::Shipping(ShippingEvent::Dispatched { parcels: 7 });
    for (name, version, text) in [
        ("dispatched", 2, r#"{"parcels":7}"#),
        ("shipping.dispatched", 1, "7"),
    ] {
        let event: OrderEvent = decode_json(name, version, text).expect("json");
        assert_eq!(event, expected);
        let event: OrderEvent =
            decode(name, version, Marked::ID, format!("!{text}").as_bytes()).expect("own");
        assert_eq!(event, expected);
    }
    let event: OrderEvent =
        decode("shipping.dispatched", 1, CodecId::MSGPACK, b"\x07").expect("msgpack");
    assert_eq!(event, expected);
}

#[test]
fn what_no_part_reads_is_a_typed_error() {
    let problem = decode_json::<OrderEvent>("shipping.lost", 1, "{}").expect_err("nobody knows it");
    assert!(matches!(problem, DecodeProblem::UnknownName), "{problem}");
    let problem =
        decode_json::<OrderEvent>("shipping.dispatched", 3, "{}").expect_err("nobody knows it");
    assert!(
        matches!(problem, DecodeProblem::UnknownVersion { supported: 2 }),
        "{problem}"
    );
}

#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = ShippingEvent)]
struct Shipping {
    parcels: u32,
    last: u64,
}

#[event_handler(ShippingEvent, ignore(Parcel))]
impl Shipping {
    #[on(Dispatched)]
    fn dispatch(&mut self, parcels: u32, #[record] record: &impl EventRecord<ShippingEvent>) {
        self.parcels += parcels;
        self.last = record.index();
    }

    #[on(Returned)]
    fn take_back(&mut self, #[record] record: &impl EventRecord<ShippingEvent>) {
        self.parcels = 0;
        self.last = record.index();
    }
}

#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = OrderEvent)]
struct Order {
    amount: u64,
    shipping: Shipping,
}

#[event_handler(OrderEvent, ignore(Closed))]
impl Order {
    #[on(Placed)]
    fn place(&mut self, amount: u64) {
        self.amount = amount;
    }

    #[on(Shipping(event))]
    fn ship(&mut self, event: &ShippingEvent, #[record] record: &impl EventRecord<OrderEvent>) {
        let inner = record.with_event(event);
        assert_eq!(
            (
                inner.log_id(),
                inner.event_id(),
                inner.recorded_at(),
                inner.occurred_at()
            ),
            (
                record.log_id(),
                record.event_id(),
                record.recorded_at(),
                record.occurred_at()
            )
        );
        self.shipping.handle(&inner);
    }
}

#[test]
fn the_handlers_of_a_part_get_it_with_its_record() {
    let order: Order = fold(all().into_iter().take(2));
    let shipping = Shipping {
        parcels: 2,
        last: 1,
    };
    assert_eq!(
        order,
        Order {
            amount: 5,
            shipping
        }
    );
    assert_eq!(fold::<Order>(all()).shipping.last, 2);
}

#[test]
fn an_aggregate_may_need_any_event_of_a_part() {
    let ignored: Vec<_> = Order::NEEDS.ignores(OrderEvent::SCHEMA).collect();
    assert_eq!(ignored, [("order.closed", 1)]);
    // `Parcel` is ignored, and the entries of its enum do not name it.
    assert_eq!(Shipping::NEEDS.ignores(ShippingEvent::SCHEMA).count(), 0);
}
