use super::*;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn user(name: &str) -> Metadata {
    Metadata::new().with("user", name)
}

#[test]
fn scopes_inherit_what_they_do_not_set() {
    assert_eq!(TaskMetadata::current(), Metadata::new());
    let outer = user("ada").with_correlation_id("17");
    TaskMetadata::sync_scope(outer.clone(), || {
        let inner = user("root").with_causation_id("4");
        let both = inner.clone().with_correlation_id("17");
        TaskMetadata::sync_scope(inner, || assert_eq!(TaskMetadata::current(), both));
        assert_eq!(TaskMetadata::new().metadata(), outer);
    });
    assert_eq!(TaskMetadata::current(), Metadata::new());
}

/// The scope is there while its future is polled, and only then, whoever polls it.
#[test]
fn a_future_has_its_scope_whenever_it_is_polled() {
    let mut context = Context::from_waker(Waker::noop());
    let twice = async {
        let first = TaskMetadata::current();
        let mut is_second = false;
        std::future::poll_fn(|_| {
            let poll = if is_second {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
            is_second = true;
            poll
        })
        .await;
        (first, TaskMetadata::current())
    };
    let mut scoped = TaskMetadata::sync_scope(user("ada"), || {
        Box::pin(TaskMetadata::scope(
            Metadata::new().with_correlation_id("17"),
            twice,
        ))
    });
    let expected = user("ada").with_correlation_id("17");
    assert!(scoped.as_mut().poll(&mut context).is_pending());
    assert_eq!(TaskMetadata::current(), Metadata::new());
    let elsewhere = user("eve");
    let second = TaskMetadata::sync_scope(elsewhere, || scoped.as_mut().poll(&mut context));
    assert_eq!(second, Poll::Ready((expected.clone(), expected)));
}

#[test]
fn a_panic_ends_the_scope() {
    let panicked = std::panic::catch_unwind(|| {
        TaskMetadata::sync_scope(user("ada"), || panic!("on purpose"));
    });
    assert!(panicked.is_err());
    assert_eq!(TaskMetadata::current(), Metadata::new());
}

#[test]
fn a_future_that_waits_for_others_shares_its_scope_with_them() {
    let both = async {
        let here = || async { TaskMetadata::current() };
        futures_util::future::join(here(), here()).await
    };
    let mut scoped = pin!(TaskMetadata::scope(user("ada"), both));
    let mut context = Context::from_waker(Waker::noop());
    let ready = scoped.as_mut().poll(&mut context);
    assert_eq!(ready, Poll::Ready((user("ada"), user("ada"))));
}
