//! What an aggregate ignores is not decoded, and all that it looks at is there.

mod broken;
pub(crate) mod domain;

use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Book, ByHand, Level, Looks, Seen, TankEvent, garbage, last_year, manager, next_year,
    next_year_s_garbage, with_every_cache,
};
use eventlogs::codec::DecodeProblem;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{AppendRequest, DecodeError};
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventStore, LogManager, LogManagerError,
    LogPosition, MemoryAggregationCache, Metadata, PointInTime,
};

/// The store of one log for each of the programs that write to it.
trait Tables {
    type Store<E: Event + Clone>: EventStore<E> + Clone;

    fn of<E: Event + Clone>(&self) -> Self::Store<E>;
}

impl Tables for FakeEventStore<TankEvent> {
    type Store<E: Event + Clone> = FakeEventStore<E>;

    fn of<E: Event + Clone>(&self) -> FakeEventStore<E> {
        self.read_as().expect("it encodes")
    }
}

/// A store of any events.
struct Database<S>(S);

macro_rules! database {
    ($store:ty) => {
        impl Tables for Database<$store> {
            type Store<E: Event + Clone> = $store;

            fn of<E: Event + Clone>(&self) -> $store {
                self.0.clone()
            }
        }
    };
}

database!(crate::kept::Kept<eventlogs::SqliteEventStore>);
database!(eventlogs::PostgresEventStore);

/// Runs a test on each store.
macro_rules! on_each_store {
    ($($run:ident => $fake:ident, $sqlite:ident, $postgres:ident;)*) => {
        $(
            #[tokio::test]
            async fn $fake() {
                $run(&FakeEventStore::<TankEvent>::encoding()).await;
            }

            #[tokio::test]
            async fn $sqlite() {
                $run(&Database(TemporaryStore::open().await.kept())).await;
            }

            #[tokio::test]
            async fn $postgres() {
                if let Some(store) = TestStore::new().await {
                    $run(&Database(store.store)).await;
                }
            }
        )*
    };
}

on_each_store! {
    ignored_garbage =>
        ignored_events_are_not_decoded_on_the_fake,
        ignored_events_are_not_decoded_on_sqlite,
        ignored_events_are_not_decoded_on_postgres;
    unknown_events =>
        unknown_names_and_versions_are_errors_on_the_fake,
        unknown_names_and_versions_are_errors_on_sqlite,
        unknown_names_and_versions_are_errors_on_postgres;
    upcast_events =>
        an_old_version_of_an_ignored_event_is_applied_as_what_it_has_become_on_the_fake,
        an_old_version_of_an_ignored_event_is_applied_as_what_it_has_become_on_sqlite,
        an_old_version_of_an_ignored_event_is_applied_as_what_it_has_become_on_postgres;
    accepted_events =>
        an_accepted_newer_version_of_an_ignored_event_is_ignored_or_applied_on_the_fake,
        an_accepted_newer_version_of_an_ignored_event_is_ignored_or_applied_on_sqlite,
        an_accepted_newer_version_of_an_ignored_event_is_ignored_or_applied_on_postgres;
    records =>
        handlers_see_the_records_that_they_ask_for_on_the_fake,
        handlers_see_the_records_that_they_ask_for_on_sqlite,
        handlers_see_the_records_that_they_ask_for_on_postgres;
}

fn filled(litres: u64) -> TankEvent {
    TankEvent::Filled { litres }
}

async fn created(tables: &impl Tables) -> LogPosition {
    appended(tables, None, &[filled(1)]).await
}

/// Appends events of any program.
async fn appended<E: Event + Clone>(
    tables: &impl Tables,
    state: Option<LogPosition>,
    events: &[E],
) -> LogPosition {
    let request = match state {
        Some(state) => AppendRequest::after(state, events),
        None => AppendRequest::create(LogId::new(), events),
    };
    tables.of::<E>().append(request).await.unwrap().state
}

/// All that `Level` ignores, with payloads that cannot be decoded.
fn all_ignored() -> [garbage::TankEvent; 6] {
    use garbage::TankEvent as Garbage;
    let bytes = vec![1, 2, 3];
    [
        Garbage::Painted {
            colour: bytes.clone(),
        },
        Garbage::Inspected { by: bytes.clone() },
        Garbage::Moved {
            place: bytes.clone(),
        },
        Garbage::Cleaned { how: bytes.clone() },
        Garbage::Rated {
            stars: bytes.clone(),
        },
        Garbage::Named { name: bytes },
    ]
}

async fn reduced<A: Aggregate>(tanks: &LogManager<A>, log_id: LogId) -> (A, u64, u64) {
    let state = tanks.reduce(log_id).await.unwrap();
    let (index, applied) = (state.through_index(), state.applied_events());
    tanks.flush_cache().await;
    (state.into_aggregate(), index, applied)
}

fn not_decoded<A: std::fmt::Debug>(
    result: Result<A, LogManagerError>,
    index: u64,
) -> DecodeProblem {
    match result {
        Err(LogManagerError::Decode(error)) => {
            let DecodeError {
                index: of, problem, ..
            } = *error;
            assert_eq!(of, index);
            problem
        }
        other => panic!("{other:?}"),
    }
}

async fn ignored_garbage(tables: &impl Tables) {
    let level = |filled, changes| Level {
        filled,
        changes,
        ..Level::default()
    };
    for tanks in with_every_cache::<Level>(&tables.of()) {
        let mut end = created(tables).await;
        let log_id = end.log_id();
        end = appended(tables, Some(end), &all_ignored()).await;
        end = appended(tables, Some(end), &[filled(10)]).await;
        // From the start.
        assert_eq!(reduced(&tanks, log_id).await, (level(11, 2), 7, 8));
        // From a cached state, with a tail that ends with an ignored event.
        end = appended(tables, Some(end), &[filled(100)]).await;
        end = appended(tables, Some(end), &all_ignored()).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(111, 3), 14, 7));
        assert_eq!(reduced(&tanks, log_id).await, (level(111, 3), 14, 0));
        // Only ignored events: the state stays, and its end moves.
        end = appended(tables, Some(end), &all_ignored()).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(111, 3), 20, 6));
        // A tail of several pages or statements.
        for _ in 0..20 {
            end = appended(tables, Some(end), &all_ignored()).await;
            end = appended(tables, Some(end), &[filled(1)]).await;
        }
        assert_eq!(reduced(&tanks, log_id).await, (level(131, 23), 160, 140));
        let past = tanks
            .reduce_at(log_id, PointInTime::Index(3))
            .await
            .unwrap();
        assert_eq!((past.through_index(), past.aggregate().filled), (3, 1));
        let many = tanks.reduce_many([log_id]).await.remove(0).unwrap();
        assert_eq!(many.aggregate(), &level(131, 23));

        // Whoever does not ignore them cannot read the log.
        let looks = manager::<Looks>(tables.of(), MemoryAggregationCache::default());
        let problem = not_decoded(looks.reduce(log_id).await, 1);
        assert!(matches!(problem, DecodeProblem::Payload(_)), "{problem:?}");
        let by_hand = manager::<ByHand>(tables.of(), MemoryAggregationCache::default());
        not_decoded(by_hand.reduce(log_id).await, 1);

        // The same garbage in an event that has a handler: in the tail, and then from the start.
        let litres = "a few".to_owned();
        appended(tables, Some(end), &[garbage::TankEvent::Filled { litres }]).await;
        let problem = not_decoded(tanks.reduce(log_id).await, 161);
        assert!(matches!(problem, DecodeProblem::Payload(_)), "{problem:?}");
        not_decoded(tanks.reduce_many([log_id]).await.remove(0), 161);
        tanks.forget_cached(log_id).await.unwrap();
        not_decoded(tanks.reduce(log_id).await, 161);
    }
}

async fn unknown_events(tables: &impl Tables) {
    use next_year::TankEvent as Next;
    let by = "ann".to_owned();
    let cases = [
        (Next::Painted { colour: 7 }, Some(1)),
        (Next::Inspected { by }, Some(2)),
        (Next::Sold, None),
    ];
    for (event, supported) in cases {
        let is_right = |problem: &DecodeProblem| match problem {
            DecodeProblem::UnknownVersion { supported: newest } => supported == Some(*newest),
            DecodeProblem::UnknownName => supported.is_none(),
            _ => false,
        };
        for tanks in with_every_cache::<Level>(&tables.of()) {
            for ignored_before in [0, 1, 40] {
                let end = created(tables).await;
                let log_id = end.log_id();
                reduced(&tanks, log_id).await;
                let moved = TankEvent::Moved {
                    place: "here".to_owned(),
                };
                let mut events = vec![moved; ignored_before];
                events.push(filled(1));
                let end = appended(tables, Some(end), &events).await;
                let next = [event.clone(), Next::Filled { litres: 1 }];
                appended(tables, Some(end), &next).await;
                let index = 2 + ignored_before as u64;
                let problem = not_decoded(tanks.reduce(log_id).await, index);
                assert!(is_right(&problem), "in the tail: {problem:?}");
                let cold = manager::<Level>(tables.of(), MemoryAggregationCache::default());
                let problem = not_decoded(cold.reduce(log_id).await, index);
                assert!(is_right(&problem), "from the start: {problem:?}");
                let book = manager::<Book>(tables.of(), MemoryAggregationCache::default());
                let problem = not_decoded(book.reduce(log_id).await, index);
                assert!(is_right(&problem), "with records: {problem:?}");
            }
        }
    }
}

async fn upcast_events(tables: &impl Tables) {
    use last_year::TankEvent as Last;
    let inspected = Last::Inspected { litres: 1_000 };
    for tanks in with_every_cache::<Level>(&tables.of()) {
        let mut end = created(tables).await;
        let log_id = end.log_id();
        end = appended(
            tables,
            Some(end),
            &[inspected.clone(), Last::Filled { litres: 10 }],
        )
        .await;
        // The current version, and a former name of an ignored event.
        let by = "ann".to_owned();
        end = appended(tables, Some(end), &[TankEvent::Inspected { by }]).await;
        let colour = "red".to_owned();
        end = appended(tables, Some(end), &[Last::Coloured { colour }]).await;
        let level = |filled, changes| Level {
            filled,
            changes,
            ..Level::default()
        };
        assert_eq!(reduced(&tanks, log_id).await, (level(1_011, 3), 4, 5));
        end = appended(tables, Some(end), std::slice::from_ref(&inspected)).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(2_011, 4), 5, 1));
        let many = vec![inspected.clone(); 40];
        appended(tables, Some(end), &many).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(42_011, 44), 45, 40));

        // For the one who handles inspections, only that of this year is one.
        let looks = manager::<Looks>(tables.of(), MemoryAggregationCache::default());
        let (looks, _, _) = reduced(&looks, log_id).await;
        assert_eq!((looks.colours.as_str(), looks.inspections), ("red", 1));
    }
}

async fn accepted_events(tables: &impl Tables) {
    use next_year::TankEvent as Next;
    let named = |litres| Next::Named {
        name: "north".to_owned(),
        litres,
    };
    let level = |filled, changes| Level {
        filled,
        changes,
        ..Level::default()
    };
    for tanks in with_every_cache::<Level>(&tables.of()) {
        let mut end = created(tables).await;
        let log_id = end.log_id();
        // Two that stay ignored, and one that has become a filling.
        end = appended(tables, Some(end), &[named(0), named(10), named(0)]).await;
        let name = "south".to_owned();
        end = appended(tables, Some(end), &[TankEvent::Named { name }]).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(11, 2), 4, 5));
        // In a tail, and in one of several pages or statements.
        end = appended(tables, Some(end), &[named(0), named(100)]).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(111, 3), 6, 2));
        let many: Vec<_> = (0..40).map(|n| named(n % 2)).collect();
        end = appended(tables, Some(end), &many).await;
        assert_eq!(reduced(&tanks, log_id).await, (level(131, 23), 46, 40));
        let many = tanks.reduce_many([log_id]).await.remove(0).unwrap();
        assert_eq!(many.aggregate(), &level(131, 23));

        // For the one who sees everything, an ignored one is what it is.
        let by_hand = manager::<ByHand>(tables.of(), MemoryAggregationCache::default());
        let (seen, _, _) = reduced(&by_hand, log_id).await;
        let ignored = seen
            .lines
            .iter()
            .filter(|(event, _)| matches!(event, TankEvent::Named { .. }));
        assert_eq!(ignored.count(), 24);

        // Its payload counts, although it is ignored.
        let garbage = next_year_s_garbage::TankEvent::Named { name: Vec::new() };
        appended(tables, Some(end), &[garbage]).await;
        let problem = not_decoded(tanks.reduce(log_id).await, 47);
        assert!(matches!(problem, DecodeProblem::Payload(_)), "{problem:?}");
    }
}

/// The time and the user of the `n`th write.
fn said(n: i64) -> (Option<DateTime<Utc>>, Metadata, Seen) {
    let occurred_at = (n % 2 == 0).then(|| DateTime::UNIX_EPOCH + TimeDelta::days(n));
    let user = format!("user {n}");
    let seen = Seen {
        index: n.unsigned_abs(),
        occurred_at,
        user: Some(user.clone()),
    };
    (occurred_at, Metadata::new().with("user", user), seen)
}

async fn records(tables: &impl Tables) {
    for (books, hands) in with_every_cache::<Book>(&tables.of())
        .into_iter()
        .zip(with_every_cache::<ByHand>(&tables.of()))
    {
        let log_id = LogId::new();
        let (mut events, mut seen) = (Vec::new(), Vec::new());
        let (occurred_at, metadata, first) = said(0);
        let create = CreateOptions {
            occurred_at,
            metadata,
            ..Default::default()
        };
        let mut state = hands.create(&log_id, &filled(0), &create).await.unwrap();
        events.push(filled(0));
        seen.push(first);
        // Tails of each length that is read in another way: none, short ones, and one of several statements.
        for more in [0, 2, 1, 6, 45] {
            for _ in 0..more {
                let n = i64::try_from(events.len()).unwrap();
                let (occurred_at, metadata, of) = said(n);
                let event = match n % 3 {
                    0 => filled(n.unsigned_abs()),
                    1 => TankEvent::Drained { litres: 1 },
                    _ => TankEvent::Moved {
                        place: "there".to_owned(),
                    },
                };
                let append = AppendOptions {
                    occurred_at,
                    metadata,
                    ..Default::default()
                };
                state = hands.append(state, &event, &append).await.unwrap();
                events.push(event);
                seen.push(of);
            }
            for _ in 0..2 {
                let (book, index, _) = reduced(&books, log_id).await;
                let noted = seen.iter().filter(|seen| seen.index % 3 != 2);
                assert_eq!(book.lines, noted.cloned().collect::<Vec<_>>());
                assert_eq!(index + 1, events.len() as u64);
                let (all, _, _) = reduced(&hands, log_id).await;
                let lines = events.iter().cloned().zip(seen.iter().cloned());
                assert_eq!(all.lines, lines.collect::<Vec<_>>());
            }
        }
        books.forget_cached(log_id).await.unwrap();
        let whole = books.reduce(log_id).await.unwrap();
        assert_eq!(whole.applied_events(), events.len() as u64);
        assert_eq!(
            whole.aggregate().lines.len(),
            events.len() - events.len() / 3
        );
        let ends = books.reduce_many([log_id]).await.remove(0).unwrap();
        assert_eq!(ends.aggregate(), whole.aggregate());
    }
}
