use super::*;
use std::pin::{Pin, pin};
use std::task::{Poll, Waker};
use std::thread;
use tracing::field::Empty;
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing::{Dispatch, Instrument, Level, Span, info_span, span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// The metadata that a write made here would get.
fn here() -> Metadata {
    SpanMetadata::new().metadata()
}

fn correlation(id: &str) -> Metadata {
    Metadata::new().with_correlation_id(id)
}

/// Runs the closure with a subscriber that has the layer.
fn layered<T>(run: impl FnOnce() -> T) -> T {
    with_default(registry().with(SpanMetadata::new()), run)
}

#[test]
fn a_span_gives_its_ids_while_it_is_entered() {
    layered(|| {
        assert_eq!(here(), Metadata::new());
        let span = info_span!(
            "request",
            correlation_id = "17",
            causation_id = "4",
            user = "ada"
        );
        assert_eq!(here(), Metadata::new());
        span.in_scope(|| assert_eq!(here(), correlation("17").with_causation_id("4")));
        assert_eq!(here(), Metadata::new());
    });
}

#[test]
fn a_span_inherits_what_it_does_not_have_itself() {
    layered(|| {
        let outer = info_span!("request", correlation_id = "17", causation_id = "4").entered();
        let bare = info_span!("bare").entered();
        assert_eq!(here(), correlation("17").with_causation_id("4"));
        let inner = info_span!("message", causation_id = "5").entered();
        assert_eq!(here(), correlation("17").with_causation_id("5"));
        let innermost = info_span!("other", correlation_id = "18").entered();
        assert_eq!(here(), correlation("18").with_causation_id("5"));
        drop(innermost);
        drop(inner);
        assert_eq!(here(), correlation("17").with_causation_id("4"));
        drop(bare);
        drop(outer);
        assert_eq!(here(), Metadata::new());
    });
}

#[test]
fn a_span_inherits_from_its_parent_and_not_from_where_it_is_entered() {
    layered(|| {
        let request = info_span!("request", correlation_id = "17");
        let child = info_span!(parent: &request, "child");
        let root = request.in_scope(|| info_span!(parent: None, "root"));
        let _other = info_span!("other", correlation_id = "18").entered();
        child.in_scope(|| assert_eq!(here(), correlation("17")));
        root.in_scope(|| assert_eq!(here(), Metadata::new()));
        assert_eq!(here(), correlation("18"));
    });
}

#[test]
fn a_parent_that_was_left_and_dropped_is_still_inherited_from() {
    layered(|| {
        let child = info_span!("request", correlation_id = "17").in_scope(|| info_span!("child"));
        child.in_scope(|| assert_eq!(here(), correlation("17")));
    });
}

#[test]
fn ids_may_be_recorded_later_and_again() {
    layered(|| {
        let outer = info_span!("request", correlation_id = Empty, causation_id = "4").entered();
        let inner = info_span!("inner").entered();
        assert_eq!(here(), Metadata::new().with_causation_id("4"));
        // The inner span was made before this record.
        outer.record("correlation_id", "17");
        assert_eq!(here(), correlation("17").with_causation_id("4"));
        outer.record("correlation_id", "18");
        assert_eq!(here(), correlation("18").with_causation_id("4"));
        // A field that cannot be recorded, because the span was made without it, and a field of another name.
        inner.record("correlation_id", "19");
        outer.record("user", "ada");
        assert_eq!(here(), correlation("18").with_causation_id("4"));
    });
}

#[test]
fn values_count_as_their_text() {
    #[derive(Debug)]
    struct Id(#[expect(dead_code, reason = "it is shown by `Debug`")] u8);

    layered(|| {
        let of = |span: Span| span.in_scope(here).correlation_id;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of(info_span!("str", correlation_id = "a\"b")), text("a\"b"));
        let string = String::from("own");
        assert_eq!(
            of(info_span!("String", correlation_id = string)),
            text("own")
        );
        assert_eq!(
            of(info_span!("%", correlation_id = %"shown")),
            text("shown")
        );
        assert_eq!(of(info_span!("?", correlation_id = ?Id(7))), text("Id(7)"));
        assert_eq!(of(info_span!("?str", correlation_id = ?"a")), text("\"a\""));
        assert_eq!(of(info_span!("i64", correlation_id = -7)), text("-7"));
        let largest = u128::MAX;
        assert_eq!(
            of(info_span!("u128", correlation_id = largest)),
            Some(largest.to_string())
        );
        assert_eq!(of(info_span!("bool", correlation_id = true)), text("true"));
        assert_eq!(
            of(info_span!("Some", correlation_id = Some("17"))),
            text("17")
        );
        assert_eq!(of(info_span!("None", correlation_id = None::<&str>)), None);
    });
}

#[test]
fn an_empty_text_counts_as_none() {
    layered(|| {
        let _outer = info_span!("outer", correlation_id = "17").entered();
        for empty in [
            info_span!("str", correlation_id = ""),
            info_span!("%", correlation_id = %""),
        ] {
            empty.in_scope(|| assert_eq!(here(), correlation("17")));
        }
    });
}

#[test]
fn spans_may_be_left_in_any_order() {
    layered(|| {
        let first = info_span!("first", correlation_id = "1").entered();
        let second = info_span!(parent: None, "second", correlation_id = "2").entered();
        let third = info_span!(parent: None, "third", correlation_id = "3").entered();
        drop(second);
        assert_eq!(here(), correlation("3"));
        drop(third);
        assert_eq!(here(), correlation("1"));
        let fourth = info_span!(parent: None, "fourth", correlation_id = "4").entered();
        drop(first);
        assert_eq!(here(), correlation("4"));
        drop(fourth);
        assert_eq!(here(), Metadata::new());
    });
}

#[test]
fn a_span_may_be_entered_twice() {
    layered(|| {
        let span = info_span!("request", correlation_id = "17");
        let first = span.enter();
        let second = span.enter();
        assert_eq!(here(), correlation("17"));
        drop(first);
        assert_eq!(here(), correlation("17"));
        let other = info_span!("other", correlation_id = "18").entered();
        let third = span.enter();
        drop(other);
        drop(second);
        assert_eq!(here(), correlation("17"));
        drop(third);
        assert_eq!(here(), Metadata::new());
    });
}

#[test]
fn a_panic_leaves_the_span() {
    layered(|| {
        let panicked = std::panic::catch_unwind(|| {
            let _entered = info_span!("request", correlation_id = "17").entered();
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(panicked.is_err());
        assert_eq!(here(), Metadata::new());
    });
}

#[test]
fn a_value_that_panics_or_makes_spans_itself_does_no_harm() {
    struct Panics;
    impl Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            std::panic::resume_unwind(Box::new(()))
        }
    }
    struct Nosy;
    impl Debug for Nosy {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let _entered = info_span!("nosy", correlation_id = "18").entered();
            Span::current().record("correlation_id", "19");
            write!(formatter, "{:?}", here().correlation_id)
        }
    }

    layered(|| {
        let span = info_span!("request", correlation_id = "17");
        let _entered = span.enter();
        let record = |value: &dyn tracing::Value| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                span.record("correlation_id", value);
            }))
        };
        assert!(record(&tracing::field::debug(Panics)).is_err());
        assert_eq!(here(), correlation("17"));
        assert!(record(&tracing::field::debug(Nosy)).is_ok());
        assert!(here().correlation_id.is_some());
    });
}

/// Is pending once, and returns the metadata that a write would get before that and after it.
async fn write_twice() -> [Metadata; 2] {
    let before = here();
    let mut pending = true;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::take(&mut pending) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    [before, here()]
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(Waker::noop()))
}

#[test]
fn an_instrumented_future_keeps_its_ids_on_every_thread() {
    let dispatch = Dispatch::new(registry().with(SpanMetadata::new()));
    let mut future = dispatcher::with_default(&dispatch, || {
        let inner = async {
            let nested = write_twice()
                .instrument(info_span!("nested", causation_id = 4))
                .await;
            (nested, write_twice().await)
        };
        Box::pin(
            inner
                .instrument(info_span!("request", correlation_id = "17"))
                .with_subscriber(dispatch.clone()),
        )
    });
    for round in 0.. {
        let (back, outcome) = thread::spawn(move || {
            let outcome = poll(future.as_mut());
            assert_eq!(
                here(),
                Metadata::new(),
                "the thread has it only while it polls"
            );
            (future, outcome)
        })
        .join()
        .expect("it does not panic");
        future = back;
        if let Poll::Ready((nested, own)) = outcome {
            assert_eq!(round, 2);
            let both = correlation("17").with_causation_id("4");
            assert_eq!(nested, [both.clone(), both]);
            assert_eq!(own, [correlation("17"), correlation("17")]);
            return;
        }
    }
}

#[test]
fn futures_that_take_turns_on_a_thread_keep_to_their_own() {
    layered(|| {
        let of = |id| write_twice().instrument(info_span!("request", correlation_id = id));
        let (mut first, mut second) = (pin!(of("1")), pin!(of("2")));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(here(), Metadata::new());
        let twice = |id| Poll::Ready([correlation(id), correlation(id)]);
        assert_eq!(poll(first.as_mut()), twice("1"));
        assert_eq!(poll(second.as_mut()), twice("2"));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_a_runtime_keep_to_their_own() {
    let dispatch = Dispatch::new(registry().with(SpanMetadata::new()));
    let tasks: Vec<_> = (0..50)
        .map(|id| {
            let span =
                dispatcher::with_default(&dispatch, || info_span!("request", correlation_id = id));
            let task = async move {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                    assert_eq!(here(), correlation(&id.to_string()));
                }
            };
            tokio::spawn(task.instrument(span).with_subscriber(dispatch.clone()))
        })
        .collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
    assert_eq!(here(), Metadata::new());
}

#[test]
fn a_subscriber_knows_only_its_own_spans() {
    layered(|| {
        let span = info_span!("request", correlation_id = "17");
        let _entered = span.enter();
        layered(|| {
            assert_eq!(here(), Metadata::new());
            let _other = info_span!("other", correlation_id = "18").entered();
            assert_eq!(here(), correlation("18"));
            // A span belongs to the subscriber that it was made for, wherever it is entered.
            let _again = span.enter();
            assert_eq!(here(), correlation("18"));
        });
        assert_eq!(here(), correlation("17"));
    });
}

#[test]
fn without_the_layer_nothing_is_known() {
    let write = || {
        let span = info_span!("request", correlation_id = "17");
        span.record("causation_id", 4);
        span.in_scope(here)
    };
    assert_eq!(write(), Metadata::new());
    assert_eq!(with_default(registry(), write), Metadata::new());
    let none = registry().with(None::<SpanMetadata>);
    assert_eq!(with_default(none, write), Metadata::new());
    let off = registry().with(SpanMetadata::new().with_filter(LevelFilter::OFF));
    assert_eq!(with_default(off, write), Metadata::new());
    let all_off = registry().with(SpanMetadata::new()).with(LevelFilter::OFF);
    assert_eq!(with_default(all_off, write), Metadata::new());
}

#[test]
fn a_span_that_is_filtered_out_does_not_hide_its_parent() {
    let write = || {
        let _outer = info_span!("request", correlation_id = "17").entered();
        let _inner = span!(Level::DEBUG, "detail", correlation_id = "18").entered();
        here()
    };
    let everywhere = registry().with(SpanMetadata::new()).with(LevelFilter::INFO);
    assert_eq!(with_default(everywhere, write), correlation("17"));
    let only_here = registry().with(SpanMetadata::new().with_filter(LevelFilter::INFO));
    assert_eq!(with_default(only_here, write), correlation("17"));
    let elsewhere = registry()
        .with(SpanMetadata::new())
        .with(tracing_subscriber::layer::Identity::new().with_filter(LevelFilter::INFO));
    assert_eq!(with_default(elsewhere, write), correlation("18"));
}

#[test]
fn the_layer_may_stand_anywhere_and_twice() {
    let write = || {
        let span = info_span!("request", correlation_id = "17", causation_id = Empty);
        span.record("causation_id", 4);
        span.in_scope(here)
    };
    let expected = correlation("17").with_causation_id("4");
    let twice = registry()
        .with(SpanMetadata::new())
        .with(SpanMetadata::new());
    assert_eq!(with_default(twice, write), expected);
    let boxed = registry().with(vec![SpanMetadata::new().boxed()]);
    assert_eq!(with_default(boxed, write), expected);
    let joined = SpanMetadata::new().and_then(LevelFilter::INFO);
    assert_eq!(with_default(registry().with(joined), write), expected);
    let (reloadable, _handle) = tracing_subscriber::reload::Layer::new(SpanMetadata::new());
    assert_eq!(with_default(registry().with(reloadable), write), expected);
}
