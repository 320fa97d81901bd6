//! Idempotency keys: their fingerprints, their scopes, and how long they are kept.

use crate::payments::{Payment, PaymentEvent, captured, on_every_store, refund};
use eventlogs::ids::LogId;
use eventlogs::{
    AppendOptions, CreateOptions, DecideError, DecideOptions, IdempotencyScope, LogManager,
    LogManagerError, LogState, RequestFingerprint,
};
use std::time::Duration;

/// The outcome of an operation with a key.
#[derive(Debug, PartialEq)]
enum Outcome {
    Written,
    Replayed,
    Reused,
}

fn outcome<T>(answer: Result<T, LogManagerError>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Written,
        Err(LogManagerError::IdempotentReplay { .. }) => Outcome::Replayed,
        Err(LogManagerError::IdempotencyKeyReused { .. }) => Outcome::Reused,
        Err(error) => panic!("neither written nor a replay: {error:?}"),
    }
}

/// An operation on a log, with a key and a fingerprint of the request.
struct Operation<'a> {
    payments: &'a LogManager<Payment>,
    log_id: LogId,
    /// The second log of an append to several logs.
    other: LogId,
    key: Option<String>,
    scope: IdempotencyScope,
    fingerprint: Option<RequestFingerprint>,
}

impl Operation<'_> {
    fn append_options(&self) -> AppendOptions {
        AppendOptions {
            idempotency_key: self.key.clone(),
            idempotency_scope: self.scope,
            request_fingerprint: self.fingerprint,
            ..Default::default()
        }
    }

    async fn create(&self) -> Outcome {
        let options = CreateOptions {
            idempotency_key: self.key.clone(),
            idempotency_scope: self.scope,
            request_fingerprint: self.fingerprint,
            ..Default::default()
        };
        let requested = PaymentEvent::Requested { amount: 1 };
        outcome(
            self.payments
                .create(&self.log_id, &requested, &options)
                .await,
        )
    }

    async fn append(&self) -> Outcome {
        let state = self.payments.reduce(&self.log_id).await.unwrap();
        let options = self.append_options();
        outcome(self.payments.append(state, &refund(1), &options).await)
    }

    async fn append_all(&self) -> Outcome {
        let state = self.payments.reduce(&self.log_id).await.unwrap();
        let (options, events) = (self.append_options(), [refund(1), refund(1)]);
        outcome(self.payments.append_all(state, &events, &options).await)
    }

    async fn append_across(&self) -> Outcome {
        let state = self.payments.reduce(&self.log_id).await.unwrap().state();
        let other = LogState::at(self.other, 1);
        let parts = [(state, [refund(1)]), (other, [refund(1)])];
        let options = self.append_options();
        outcome(self.payments.append_across(parts, &options).await)
    }

    async fn decide(&self, refuse: bool) -> Outcome {
        let options = DecideOptions {
            idempotency_key: self.key.clone(),
            idempotency_scope: self.scope,
            request_fingerprint: self.fingerprint,
            ..Default::default()
        };
        let decision = |_: &Payment| if refuse { Err("no") } else { Ok([refund(1)]) };
        match self.payments.decide(&self.log_id, &options, decision).await {
            Ok(decided) if decided.is_replay() => Outcome::Replayed,
            Err(DecideError::Log(error)) => outcome::<()>(Err(error)),
            Err(refused) => panic!("the key decides before the refusal: {refused}"),
            Ok(_) => Outcome::Written,
        }
    }
}

#[tokio::test]
async fn a_key_that_comes_with_another_request_is_no_replay() {
    let first = Some(RequestFingerprint::new(b"refund 1"));
    let other = Some(RequestFingerprint::new(b"refund 2"));
    for (store, payments) in on_every_store().await {
        for operation in [
            "create",
            "append",
            "append_all",
            "append_across",
            "decide",
            "refuse",
        ] {
            // The first fingerprint, the fingerprint of the retry, and the outcome.
            let cases = [
                (first, first, Outcome::Replayed),
                (first, None, Outcome::Replayed),
                (None, first, Outcome::Replayed),
                (None, None, Outcome::Replayed),
                (first, other, Outcome::Reused),
            ];
            for (then, now, expected) in cases {
                let log_id = match operation {
                    "create" => LogId::new(),
                    _ => captured(&payments).await,
                };
                let mut request = Operation {
                    payments: &payments,
                    log_id,
                    other: captured(&payments).await,
                    key: Some(format!("key of {log_id}")),
                    scope: IdempotencyScope::Global,
                    fingerprint: then,
                };
                let written = match operation {
                    "create" => request.create().await,
                    "append" => request.append().await,
                    "append_all" => request.append_all().await,
                    "append_across" => request.append_across().await,
                    _ => request.decide(false).await,
                };
                assert_eq!(written, Outcome::Written, "{operation} on {store}");
                let before = payments.load(&log_id, 0, 10).await.unwrap().len();
                request.fingerprint = now;
                for _ in 0..2 {
                    let again = match operation {
                        "create" => request.create().await,
                        "append" => request.append().await,
                        "append_all" => request.append_all().await,
                        "append_across" => request.append_across().await,
                        "refuse" => request.decide(true).await,
                        _ => request.decide(false).await,
                    };
                    assert_eq!(
                        again, expected,
                        "{operation} on {store}, {then:?} and {now:?}"
                    );
                }
                let after = payments.load(&log_id, 0, 10).await.unwrap().len();
                assert_eq!(after, before, "{operation} on {store}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_of_one_log_may_be_used_once_on_each() {
    for (store, payments) in on_every_store().await {
        let mut logs = vec![captured(&payments).await, captured(&payments).await];
        logs.extend([LogId::new(), LogId::new()]);
        for (place, log_id) in logs.iter().enumerate() {
            let mut request = Operation {
                payments: &payments,
                log_id: *log_id,
                other: *log_id,
                key: Some("invoice-7".to_owned()),
                scope: IdempotencyScope::Log,
                fingerprint: None,
            };
            let first = match place {
                0 => request.append().await,
                1 => request.decide(false).await,
                _ => request.create().await,
            };
            assert_eq!(first, Outcome::Written, "{store}");
            // Every operation on this log knows the key.
            assert_eq!(request.append().await, Outcome::Replayed, "{store}");
            assert_eq!(request.append_all().await, Outcome::Replayed, "{store}");
            assert_eq!(request.decide(false).await, Outcome::Replayed, "{store}");
            assert_eq!(request.decide(true).await, Outcome::Replayed, "{store}");
            assert_eq!(request.create().await, Outcome::Replayed, "{store}");
            // An equal key of all logs is another key.
            if place == 0 {
                request.scope = IdempotencyScope::Global;
                assert_eq!(request.append().await, Outcome::Written, "{store}");
                assert_eq!(request.append().await, Outcome::Replayed, "{store}");
            }
        }
    }
}

#[tokio::test]
async fn keys_are_forgotten_on_demand_and_only_then() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let request = Operation {
            payments: &payments,
            log_id,
            other: captured(&payments).await,
            key: Some(format!("key of {log_id}")),
            scope: IdempotencyScope::Global,
            fingerprint: None,
        };
        assert_eq!(request.append_across().await, Outcome::Written, "{store}");
        let day = Duration::from_hours(24);
        let forgotten = payments.prune_idempotency_keys(day).await.unwrap();
        assert_eq!(forgotten, 0, "{store}");
        assert_eq!(request.decide(false).await, Outcome::Replayed, "{store}");
        // A pause, so that the key is older than zero by every clock.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let forgotten = payments.prune_idempotency_keys(Duration::ZERO).await;
        assert_eq!(forgotten.unwrap(), 1, "{store}");
        assert_eq!(request.decide(false).await, Outcome::Written, "{store}");
        assert_eq!(request.decide(false).await, Outcome::Replayed, "{store}");
        let refunded = payments.reduce(&log_id).await.unwrap().aggregate().refunded;
        assert_eq!(refunded, 2, "{store}");
    }
}
