//! Promises about folds: they get the same events as pages have, once each and in order.

use crate::__example::CounterEvent;
use crate::event::interest::Interest;
use crate::event::needs::EventNeeds;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::metadata::Metadata;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::ReadError;
use crate::stores::fold::{BareFold, EventFold, PassedEvent};
use crate::stores::page::ReadStart;
use crate::stores::request::AppendRequest;
use crate::testing::conformance::store::helpers::{
    Store, added, all, amounts, append, create, log_of,
};
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;

/// A fold that keeps what it gets.
#[derive(Debug)]
struct Kept {
    log_id: LogId,
    start: ReadStart,
    needs: EventNeeds,
    /// The number of events after which it stops.
    most: usize,
    taken: Vec<RecordedEvent<CounterEvent>>,
    passed: Vec<PassedEvent>,
}

impl Kept {
    fn of(log_id: LogId) -> Self {
        Self {
            log_id,
            start: ReadStart::Index(0),
            needs: EventNeeds::EVERYTHING,
            most: usize::MAX,
            taken: Vec::new(),
            passed: Vec::new(),
        }
    }

    fn after(position: LogPosition) -> Self {
        Self {
            start: ReadStart::After(position),
            ..Self::of(position.log_id())
        }
    }

    /// Takes note of the next event.
    fn next(&mut self, event: PassedEvent) -> ControlFlow<()> {
        let expected = match self.start {
            ReadStart::Index(index) => index,
            ReadStart::After(position) => position.index() + 1,
        };
        assert_eq!((event.log_id, event.index), (self.log_id, expected));
        let position = LogPosition::new(event.log_id, event.index, event.event_id);
        self.start = ReadStart::After(position);
        if self.taken.len() + self.passed.len() < self.most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

impl EventFold<CounterEvent> for Kept {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn start(&self) -> ReadStart {
        self.start
    }

    fn needs(&self) -> EventNeeds {
        self.needs
    }

    fn page_size(&self) -> usize {
        7
    }

    fn take(&mut self, record: &RecordedEvent<CounterEvent>) -> ControlFlow<()> {
        self.taken.push(record.clone());
        self.next(PassedEvent::of(record))
    }

    fn pass(&mut self, event: PassedEvent) -> ControlFlow<()> {
        self.passed.push(event);
        self.next(event)
    }
}

/// A fold that takes no records, if the store has it so. It keeps the amounts that it gets.
#[derive(Debug)]
struct Amounts {
    log_id: LogId,
    start: ReadStart,
    taken: Vec<(u64, i64)>,
    ended: Option<(DateTime<Utc>, PassedEvent)>,
}

impl Amounts {
    fn from(log_id: LogId, start: ReadStart) -> Self {
        Self {
            log_id,
            start,
            taken: Vec::new(),
            ended: None,
        }
    }

    fn add(&mut self, index: u64, event: &CounterEvent) -> ControlFlow<()> {
        let CounterEvent::Added { amount } = event else {
            panic!("only amounts were written");
        };
        self.taken.push((index, *amount));
        ControlFlow::Continue(())
    }
}

impl EventFold<CounterEvent> for Amounts {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn start(&self) -> ReadStart {
        self.start
    }

    fn needs(&self) -> EventNeeds {
        EventNeeds::new(Interest::All, false)
    }

    fn page_size(&self) -> usize {
        1_000
    }

    fn bare(&mut self) -> Option<&mut dyn BareFold<CounterEvent>> {
        self.taken
            .is_empty()
            .then_some(self as &mut dyn BareFold<CounterEvent>)
    }

    fn take(&mut self, record: &RecordedEvent<CounterEvent>) -> ControlFlow<()> {
        let created_at = self
            .ended
            .map_or(record.recorded_at(), |(created_at, _)| created_at);
        self.ended = Some((created_at, PassedEvent::of(record)));
        self.start = ReadStart::After(record.position());
        self.add(record.index(), record.event())
    }

    fn pass(&mut self, event: PassedEvent) -> ControlFlow<()> {
        panic!("nothing is ignored, but {event:?} is passed");
    }
}

impl BareFold<CounterEvent> for Amounts {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn restart(&mut self) -> ReadStart {
        self.taken.clear();
        self.start
    }

    fn take(&mut self, index: u64, event: &CounterEvent) -> ControlFlow<()> {
        self.add(index, event)
    }

    fn pass(&mut self, index: u64) -> ControlFlow<()> {
        panic!("nothing is ignored, but {index} is passed");
    }

    fn end(&mut self, created_at: DateTime<Utc>, last: PassedEvent) {
        self.ended = Some((created_at, last));
    }
}

/// Creates a log of more events than a store reads ahead of a fold, with times and metadata.
async fn long_log(store: &impl Store) -> LogPosition {
    let mut state = create(store, LogId::new(), 0).await;
    for batch in 0..4 {
        let events: Vec<_> = (0..20).map(|nth| added(100 * batch + nth)).collect();
        let mut request = AppendRequest::after(state, &events);
        request.context.occurred_at = Some(Utc::now());
        request.context.metadata = Metadata::new().with("batch", batch);
        state = store
            .append(request)
            .await
            .expect("the state is current")
            .state;
    }
    state
}

/// A fold gets the events that pages have, wherever it starts.
pub async fn a_fold_gets_what_pages_have(store: &impl Store) {
    let end = long_log(store).await;
    let whole = all(store, end.log_id()).await;
    let mut fold = Kept::of(end.log_id());
    store.fold(&mut fold).await.expect("the log can be read");
    assert_eq!(fold.taken, whole);
    for after in [0, 1, 40, 47, 48, 49, 79, 80] {
        let mut fold = Kept::after(whole[after].position());
        store.fold(&mut fold).await.expect("the log can be read");
        assert_eq!(fold.taken, whole[after + 1..], "after {after}");
    }
    let mut nothing = Kept::of(LogId::new());
    store.fold(&mut nothing).await.expect("there is no log");
    assert!(nothing.taken.is_empty());
}

/// A fold that does not look at records gets the events, and their ids and times of recording.
pub async fn a_fold_without_records_gets_the_events(store: &impl Store) {
    let end = long_log(store).await;
    let whole = all(store, end.log_id()).await;
    for start in [ReadStart::Index(0), ReadStart::After(whole[2].position())] {
        let mut fold = Kept {
            needs: EventNeeds::new(Interest::All, false),
            start,
            ..Kept::of(end.log_id())
        };
        store.fold(&mut fold).await.expect("the log can be read");
        let places = |records: &[RecordedEvent<CounterEvent>]| -> Vec<_> {
            let place = |record: &RecordedEvent<CounterEvent>| {
                (PassedEvent::of(record), record.event().clone())
            };
            records.iter().map(place).collect()
        };
        let first = whole.len() - fold.taken.len();
        assert_eq!(places(&fold.taken), places(&whole[first..]));
        assert_eq!(first, if start == ReadStart::Index(0) { 0 } else { 3 });
    }
}

/// A fold that needs no positions gets each event once and the position of the last one, for logs of every length.
pub async fn a_fold_without_positions_gets_the_last_one(store: &impl Store) {
    let mut logs = vec![long_log(store).await];
    for events in [1, 2, 31, 32, 33, 34] {
        logs.push(log_of(store, events).await);
    }
    for end in logs {
        let whole = all(store, end.log_id()).await;
        let amounts: Vec<_> = (0..).zip(amounts(store, end.log_id()).await).collect();
        for first in [0_usize, 1, 2, 40] {
            let Some(before) = first.checked_sub(1) else {
                let mut fold = Amounts::from(end.log_id(), ReadStart::Index(0));
                store.fold(&mut fold).await.expect("the log can be read");
                let ended = (
                    whole[0].recorded_at(),
                    PassedEvent::of(&whole[whole.len() - 1]),
                );
                assert_eq!(fold.taken, amounts);
                assert_eq!(fold.ended, Some(ended));
                continue;
            };
            let Some(anchor) = whole.get(before) else {
                continue;
            };
            let mut fold = Amounts::from(end.log_id(), ReadStart::After(anchor.position()));
            store.fold(&mut fold).await.expect("the log can be read");
            assert_eq!(fold.taken, amounts[first..]);
            let last = fold.ended.map(|(_, last)| last);
            let is_new = first < whole.len();
            let expected = is_new.then(|| PassedEvent::of(&whole[whole.len() - 1]));
            assert_eq!(last, expected);
        }
    }
    let mut nothing = Amounts::from(LogId::new(), ReadStart::Index(0));
    store.fold(&mut nothing).await.expect("there is no log");
    assert_eq!((nothing.taken.len(), nothing.ended), (0, None));
}

/// A fold that stops gets nothing more, and can go on later. The store serves others afterwards.
pub async fn a_fold_that_stops_can_go_on(store: &impl Store) {
    let end = long_log(store).await;
    let whole = all(store, end.log_id()).await;
    let mut fold = Kept {
        most: 3,
        ..Kept::of(end.log_id())
    };
    store.fold(&mut fold).await.expect("the log can be read");
    assert_eq!(fold.taken, whole[..3]);
    fold.most = 40;
    store.fold(&mut fold).await.expect("the log can be read");
    assert_eq!(fold.taken, whole[..40]);
    fold.most = usize::MAX;
    store.fold(&mut fold).await.expect("the log can be read");
    assert_eq!(fold.taken, whole);
    append(store, end, 1).await.expect("the state is current");
    store.fold(&mut fold).await.expect("the log can be read");
    assert_eq!(fold.taken.len(), whole.len() + 1);
}

/// A fold after an event that the log does not hold is refused, before it gets anything.
pub async fn a_fold_after_a_lost_event_is_refused(store: &impl Store) {
    let end = log_of(store, 3).await;
    let log_id = end.log_id();
    let other_history = LogPosition::new(log_id, 1, EventId::new());
    let ahead = LogPosition::new(log_id, 3, EventId::new());
    let far_ahead = LogPosition::at(log_id, 70);
    let no_log = LogPosition::new(LogId::new(), 0, EventId::new());
    for position in [other_history, ahead, far_ahead, no_log] {
        let mut fold = Kept::after(position);
        let refused = store.fold(&mut fold).await;
        assert!(
            matches!(refused, Err(ReadError::HistoryChanged { index, .. }) if index == position.index()),
            "{position:?}: {refused:?}"
        );
        assert!(fold.taken.is_empty(), "{position:?}");
        let mut fold = Kept::after(position);
        let refused = store.fold_all(&mut [&mut fold]).await;
        assert!(
            matches!(refused[..], [Err(ReadError::HistoryChanged { .. })]),
            "{position:?}: {refused:?}"
        );
    }
}

/// Several folds get their events, and each has its own result.
pub async fn several_folds_get_their_own_events(store: &impl Store) {
    let short = log_of(store, 5).await;
    let long = long_log(store).await;
    let first = |log: Vec<RecordedEvent<CounterEvent>>| log[0].position();
    let start_of_long = first(all(store, long.log_id()).await);
    let start_of_short = first(all(store, short.log_id()).await);
    let mut folds = [
        Kept::after(start_of_short),
        Kept::of(LogId::new()),
        Kept::after(LogPosition::new(short.log_id(), 1, EventId::new())),
        Kept::after(start_of_long),
        Kept::after(start_of_short),
        Kept::of(long.log_id()),
        Kept::after(long),
    ];
    let mut asked: Vec<_> = folds
        .iter_mut()
        .map(|fold| fold as &mut dyn EventFold<CounterEvent>)
        .collect();
    let results = store.fold_all(&mut asked).await;
    let refused: Vec<_> = results.iter().map(Result::is_err).collect();
    assert_eq!(refused, [false, false, true, false, false, false, false]);
    let counts: Vec<_> = folds.iter().map(|fold| fold.taken.len()).collect();
    assert_eq!(counts, [4, 0, 0, 80, 4, 81, 0]);
    assert!(store.fold_all(&mut []).await.is_empty());
}

/// The newest events go on where a fold has come to, if they reach so far. A store may not support them.
pub async fn the_newest_events_go_on_with_a_fold(store: &impl Store) {
    let end = long_log(store).await;
    let log_id = end.log_id();
    let whole = all(store, log_id).await;
    let newest = |most| async move {
        let newest = store.newest(log_id, most).await;
        newest.expect("the log can be read")
    };
    if newest(4).await.is_none() {
        return;
    }
    for (after, reaches) in [(80, true), (79, true), (77, true), (76, false), (0, false)] {
        let mut fold = Kept::after(whole[after].position());
        let newest = newest(4).await.expect("it is supported");
        assert_eq!(newest.fold(&mut fold).expect("the event is there"), reaches);
        let taken = if reaches { &whole[after + 1..] } else { &[] };
        assert_eq!(fold.taken, taken, "after {after}");
    }
    let refused = [
        LogPosition::new(log_id, 81, EventId::new()),
        LogPosition::new(log_id, 79, EventId::new()),
    ];
    for position in refused {
        let newest = newest(4).await.expect("it is supported");
        let refused = newest.fold(&mut Kept::after(position));
        assert!(matches!(refused, Err(ReadError::HistoryChanged { .. })));
    }
    let short = log_of(store, 3).await;
    for (most, reaches) in [(2, false), (3, true), (20, true)] {
        let newest = store.newest(short.log_id(), most).await;
        let newest = newest.expect("the log can be read").expect("supported");
        let mut fold = Kept::of(short.log_id());
        assert_eq!(newest.fold(&mut fold).expect("no anchor"), reaches);
        assert_eq!(fold.taken.len(), if reaches { 3 } else { 0 });
    }
    let nothing = store.newest(LogId::new(), 4).await;
    let nothing = nothing.expect("it is no error").expect("supported");
    let refused = nothing.fold(&mut Kept::after(end));
    assert!(matches!(refused, Err(ReadError::HistoryChanged { .. })));
}

/// Folds of many logs that are asked for at the same time get the events of their own logs, also while the logs grow.
pub async fn many_folds_at_once_get_their_own_events(store: &impl Store) {
    let mut ends = Vec::new();
    for events in 1..=40 {
        ends.push(log_of(store, events % 5 + 1).await);
    }
    let folds = ends.iter().map(|end| async move {
        let first = all(store, end.log_id()).await[0].position();
        for _ in 0..5 {
            let mut fold = Kept::after(first);
            store.fold(&mut fold).await.expect("the log can be read");
            assert_eq!(fold.taken.len() as u64, end.index(), "{end:?}");
        }
        let grown = append(store, *end, 7).await.expect("the state is current");
        let mut fold = Kept::after(*end);
        store.fold(&mut fold).await.expect("the log can be read");
        assert_eq!(EventFold::start(&fold), ReadStart::After(grown.state));
    });
    futures_util::future::join_all(folds).await;
}
