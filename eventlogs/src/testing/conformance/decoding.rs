//! Promises about decoding, for every store that encodes its events.

use crate::__example::CounterEvent;
use crate::codec::stored::DecodeProblem;
use crate::event::Event;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::EventStore;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::{AppendError, DecodeError, EncodeError, ReadError};
use crate::stores::limits::Limits;
use crate::stores::page::{Page, ReadRequest, ReadStart};
use crate::stores::request::AppendRequest;
use crate::testing::conformance::events::{AlienEvent, StrangeEvent};

/// A store that keeps the events of several types.
pub trait Store:
    EventStore<CounterEvent> + EventStore<StrangeEvent> + EventStore<AlienEvent>
{
}
impl<S: EventStore<CounterEvent> + EventStore<StrangeEvent> + EventStore<AlienEvent>> Store for S {}

/// Creates a log of two events, the second of which this code cannot read.
async fn log_with<E: Event>(store: &(impl Store + EventStore<E>), bad: E) -> LogPosition {
    let good = [CounterEvent::Added { amount: 7 }];
    let state = store
        .append(AppendRequest::create(LogId::new(), &good))
        .await
        .expect("the first event can be stored")
        .state;
    store
        .append(AppendRequest::after(state, &[bad]))
        .await
        .expect("the second event can be stored")
        .state
}

async fn page(
    store: &impl Store,
    log_id: LogId,
    limit: usize,
) -> Result<Page<CounterEvent>, ReadError> {
    EventStore::<CounterEvent>::read(store, ReadRequest::new(log_id, ReadStart::Index(0), limit))
        .await
}

/// Returns the error of reading the log; the error must name the event.
async fn decode_error<E: Event>(store: &(impl Store + EventStore<E>), bad: E) -> DecodeError {
    let event_type = bad.event_type();
    let state = log_with(store, bad).await;
    let read = page(store, state.log_id(), 10).await;
    let Err(ReadError::Decode(error)) = read else {
        panic!("expected a decode error, got {read:?}")
    };
    assert_eq!((error.log_id, error.index), (state.log_id(), 1));
    assert_eq!(
        (error.event_type.as_str(), error.version),
        (event_type.name, i32::from(event_type.version))
    );
    *error
}

/// Reading an event with an unknown name returns an error that names it, as when the code is older than the log.
pub async fn an_unknown_event_is_an_error_that_names_it(store: &impl Store) {
    let error = decode_error(store, StrangeEvent::UnknownName).await;
    assert!(
        matches!(error.problem, DecodeProblem::UnknownName),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("`counter.exploded` version 1"),
        "{error}"
    );
}

/// Reading an event of a newer version returns an error that names it, as when the code knows only an earlier version.
pub async fn a_newer_version_is_an_error_that_names_it(store: &impl Store) {
    let error = decode_error(store, StrangeEvent::NewerVersion).await;
    assert!(
        matches!(
            error.problem,
            DecodeProblem::UnknownVersion { supported: 1 }
        ),
        "{error:?}"
    );
}

/// Reading an event whose codec the code does not have returns an error.
pub async fn an_unknown_codec_is_an_error(store: &impl Store) {
    let error = decode_error(store, AlienEvent).await;
    assert!(
        matches!(error.problem, DecodeProblem::UnknownCodec { codec: 30_000 }),
        "{error:?}"
    );
}

/// Reading a payload of another shape returns an error, as after a manual change, or a change of the event without a new
/// version.
pub async fn a_payload_of_another_shape_is_an_error(store: &impl Store) {
    let error = decode_error(store, StrangeEvent::OtherShape).await;
    assert!(
        matches!(error.problem, DecodeProblem::Payload(_)),
        "{error:?}"
    );
}

/// An event that cannot be encoded is refused with an error, and the log is unchanged.
pub async fn an_event_that_cannot_be_encoded_is_refused(store: &impl Store) {
    let good = [CounterEvent::Added { amount: 7 }];
    let state = store
        .append(AppendRequest::create(LogId::new(), &good))
        .await
        .expect("the first event can be stored")
        .state;
    let refused = store
        .append(AppendRequest::after(
            state,
            &[StrangeEvent::OtherShape, StrangeEvent::NotEncodable],
        ))
        .await;
    assert!(
        matches!(
            &refused,
            Err(AppendError::Encode(EncodeError::Codec {
                event_type: "counter.added",
                ..
            }))
        ),
        "{refused:?}"
    );
    assert_eq!(
        page(store, state.log_id(), 10)
            .await
            .expect("the log can be read")
            .records
            .len(),
        1
    );
}

/// An event that could not be decoded again is refused: stored, it would make the whole log unreadable.
pub async fn an_event_that_could_not_be_read_back_is_refused(store: &impl Store) {
    let refused = store
        .append(AppendRequest::create(
            LogId::new(),
            &[StrangeEvent::NotReadable],
        ))
        .await;
    assert!(
        matches!(
            &refused,
            Err(AppendError::Encode(EncodeError::NotReadable { .. }))
        ),
        "{refused:?}"
    );
}

/// An event that would be decoded as another event is refused: stored, it would be that other event from then on, without any
/// error.
pub async fn an_event_that_would_come_back_as_another_is_refused(store: &impl Store) {
    let log_id = LogId::new();
    let refused = store
        .append(AppendRequest::create(
            log_id,
            &[StrangeEvent::ReadAsAnother],
        ))
        .await;
    assert!(
        matches!(
            &refused,
            Err(AppendError::Encode(EncodeError::Codec {
                event_type: "counter.added",
                ..
            }))
        ),
        "{refused:?}"
    );
    let page = page(store, log_id, 10)
        .await
        .expect("the store can be read");
    assert_eq!(page.records, []);
}

/// Every number comes back bit for bit, both from the append and from the log.
pub async fn numbers_come_back_bit_for_bit(store: &impl Store) {
    let numbers = [
        117.633_313_94,
        117.633_311_394_000_17,
        9_007_199_254_740_991.0,
        0.1 + 0.2,
        -0.0,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        f64::EPSILON,
        -1.0 / 3.0,
        5e-324,
        18_446_744_073_709_551_615.0,
    ];
    let written = numbers.map(|number: f64| StrangeEvent::Measured {
        bits: number.to_bits(),
    });
    let log_id = LogId::new();
    let mut request = AppendRequest::create(log_id, &written);
    request.return_events = true;
    let appended = store
        .append(request)
        .await
        .expect("the events can be stored");
    let request = ReadRequest::new(log_id, ReadStart::Index(0), 100);
    let page = EventStore::<StrangeEvent>::read(store, request)
        .await
        .expect("the log can be read");
    for records in [appended.events, page.records] {
        let read: Vec<_> = records.into_iter().map(RecordedEvent::into_event).collect();
        assert_eq!(read, written);
    }
}

/// A payload above the limit is refused before it is sent anywhere.
pub async fn a_payload_above_the_limit_is_refused(store: &impl Store) {
    let text = "x".repeat(Limits::default().max_payload_bytes);
    let log_id = LogId::new();
    let refused = store
        .append(AppendRequest::create(
            log_id,
            &[CounterEvent::Noted { text }],
        ))
        .await;
    assert!(
        matches!(
            refused,
            Err(AppendError::Invalid(InvalidAppend::PayloadTooLarge {
                event_type: "counter.noted",
                ..
            }))
        ),
        "the event is too large for its log"
    );
    assert!(
        page(store, log_id, 10)
            .await
            .expect("the store can be read")
            .records
            .is_empty()
    );
}

/// A page that ends before an unreadable event can be read: a read decodes only the events of its page.
pub async fn a_page_in_front_of_the_bad_event_can_be_read(store: &impl Store) {
    let state = log_with(store, StrangeEvent::UnknownName).await;
    let page = page(store, state.log_id(), 1)
        .await
        .expect("the first event is readable");
    assert_eq!(page.records[0].event(), &CounterEvent::Added { amount: 7 });
    assert!(page.more);
}
