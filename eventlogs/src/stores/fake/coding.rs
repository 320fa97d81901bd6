//! Encodes and decodes events for the fake, as a database would.

use crate::event::{Event, EventSchema, LogType};
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite, encode, encode_across};
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, EncodeError, ReadError};
use crate::stores::fold::{EventFold, PassedEvent};
use crate::stores::limits::Limits;
use crate::stores::request::AppendRequest;
use std::iter;
use std::sync::Arc;

/// An encoded event that can be cloned cheaply.
pub(super) type Row = Arc<StoredRow>;

/// An encoded event: the columns of a row of the table of events, except its log, its index and its times.
pub(super) struct StoredRow {
    pub(super) event: EncodedEvent,
    /// The number of the kind that the writer of the event gave it. That of the first event is the kind of the log.
    pub(super) kind: i32,
    pub(super) metadata: Option<Arc<[u8]>>,
}

/// Encodes events of `E` as rows and decodes them, with the functions that databases use.
///
/// It holds function pointers, because they do not require `E: Event`. A store of plain values has the same type, and requires
/// less of its events.
pub(super) struct Coding<E> {
    encode: Encode<E>,
    decode: Decode<E>,
    log_type: LogType,
    schema: &'static [EventSchema],
}

/// [`encode`].
type Encode<E> = fn(&AppendRequest<'_, E>, &Limits) -> Result<(EncodedWrite, Vec<E>), AppendError>;

/// [`StoredEvent::decode`].
type Decode<E> = fn(StoredEvent<'_>) -> Result<RecordedEvent<E>, ReadError>;

impl<E> Clone for Coding<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Coding<E> {}

impl<E: Event> Coding<E> {
    pub(super) fn new() -> Self {
        Self {
            encode: encode::<E>,
            decode: |stored| stored.decode::<E>(),
            log_type: E::LOG_TYPE,
            schema: E::SCHEMA,
        }
    }
}

impl<E> Coding<E> {
    /// Encodes the events of a request.
    pub(super) fn encode(
        &self,
        request: &AppendRequest<'_, E>,
        limits: &Limits,
    ) -> Result<Vec<Row>, AppendError> {
        let (write, _) = (self.encode)(request, limits)?;
        Ok(rows(write).into_iter().flatten().collect())
    }

    /// Returns `true` if a log that begins with this row has the kind of `E`.
    pub(super) fn accepts(&self, first: &StoredRow) -> bool {
        self.log_type.accepts(first.kind)
    }

    /// Decodes rows that were read.
    pub(super) fn decode(
        &self,
        records: &[RecordedEvent<Row>],
    ) -> Result<Vec<RecordedEvent<E>>, ReadError> {
        records
            .iter()
            .map(|record| self.decode_row(record))
            .collect()
    }

    /// Gives rows that were read to a fold.
    pub(super) fn fold(
        &self,
        records: &[RecordedEvent<Row>],
        fold: &mut dyn EventFold<E>,
    ) -> Result<(), ReadError> {
        let ignored: Vec<_> = fold.needs().ignores(self.schema).collect();
        for record in records {
            let event_type = record.event().event.event_type;
            let event_type = (event_type.name, i32::from(event_type.version));
            let taken = if ignored.contains(&event_type) {
                fold.pass(PassedEvent::of(record))
            } else {
                fold.take(&self.decode_row(record)?)
            };
            if taken.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Decodes rows that were just written.
    pub(super) fn decode_appended(
        &self,
        records: &[RecordedEvent<Row>],
    ) -> Result<Vec<RecordedEvent<E>>, AppendError> {
        let decoded = records.iter().map(|record| {
            self.decode_row(record).map_err(|error| match error {
                ReadError::Decode(error) => AppendError::Encode(EncodeError::NotReadable {
                    event_type: record.event().event.event_type.name,
                    source: error.problem,
                }),
                ReadError::Store(error) => AppendError::Store(error),
                error @ (ReadError::HistoryChanged { .. } | ReadError::WrongKind { .. }) => {
                    AppendError::Store(StoreError::Database {
                        source: error.into(),
                    })
                }
            })
        });
        decoded.collect()
    }

    fn decode_row(&self, record: &RecordedEvent<Row>) -> Result<RecordedEvent<E>, ReadError> {
        let StoredRow {
            event, metadata, ..
        } = &**record.event();
        (self.decode)(StoredEvent {
            log_id: record.log_id(),
            index: signed(record.index()),
            event_id: record.event_id(),
            name: event.event_type.name,
            version: event.event_type.version.into(),
            codec: event.codec.into(),
            payload: &event.payload,
            occurred_at: record.occurred_at(),
            recorded_at: record.recorded_at(),
            metadata: metadata.as_deref(),
        })
    }
}

/// Encodes the events of a request for several logs. Returns the rows of each log that it writes to.
pub(super) fn rows_across(
    request: &AppendAcrossRequest<'_>,
    limits: &Limits,
) -> Result<Vec<Vec<Row>>, AppendError> {
    let (write, _) = encode_across(request, limits)?;
    Ok(rows(write))
}

fn rows(write: EncodedWrite) -> Vec<Vec<Row>> {
    let metadata: Option<Arc<[u8]>> = write.context.metadata.map(Into::into);
    let appends = iter::once(write.first).chain(write.others);
    let rows = appends.map(|append| {
        let EncodedAppend {
            head,
            tail,
            log_type,
            ..
        } = append;
        let kind = log_type.number();
        let events = iter::once(head).chain(tail);
        let rows = events.map(|event| {
            Arc::new(StoredRow {
                event,
                kind,
                metadata: metadata.clone(),
            })
        });
        rows.collect()
    });
    rows.collect()
}
