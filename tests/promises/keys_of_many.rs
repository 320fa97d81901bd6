//! A key that was used for several logs is known on each of them.

use crate::payments::{Payment, captured, on_every_store, refund};
use eventlogs::ids::LogId;
use eventlogs::{
    AppendOptions, Appends, CreateOptions, DecideError, DecideOptions, LogManager, LogManagerError,
    LogState, RequestFingerprint,
};

/// The use of a key: the log, the first index and the number of events; or the log of another use.
type Found = Result<(LogId, u64, u64), LogId>;

fn found<T: std::fmt::Debug>(answer: Result<T, LogManagerError>) -> Found {
    match answer {
        Err(LogManagerError::IdempotentReplay {
            log_id,
            event_index,
            event_count,
            state,
            ..
        }) => {
            assert_eq!(state.log_id(), log_id);
            assert_eq!(state.index() + 1, event_index + event_count);
            Ok((log_id, event_index, event_count))
        }
        Err(LogManagerError::IdempotencyKeyReused { log_id, .. }) => Err(log_id),
        answer => panic!("{answer:?}"),
    }
}

struct Caller<'a> {
    payments: &'a LogManager<Payment>,
    key: &'a str,
    fingerprint: Option<RequestFingerprint>,
}

impl Caller<'_> {
    fn options(&self) -> AppendOptions {
        AppendOptions {
            idempotency_key: Some(self.key.to_owned()),
            request_fingerprint: self.fingerprint,
            ..Default::default()
        }
    }

    async fn append(&self, log_id: LogId) -> Found {
        let state = LogState::at(log_id, 1);
        found(
            self.payments
                .append(state, &refund(1), &self.options())
                .await,
        )
    }

    async fn create(&self, log_id: LogId) -> Found {
        let options = CreateOptions {
            idempotency_key: Some(self.key.to_owned()),
            request_fingerprint: self.fingerprint,
            ..Default::default()
        };
        found(self.payments.create(&log_id, &refund(1), &options).await)
    }

    async fn decide(&self, log_id: LogId, refuse: bool) -> Found {
        let options = DecideOptions {
            idempotency_key: Some(self.key.to_owned()),
            request_fingerprint: self.fingerprint,
            ..Default::default()
        };
        let decision = |_: &Payment| if refuse { Err("no") } else { Ok([refund(1)]) };
        match self.payments.decide(&log_id, &options, decision).await {
            Ok(decided) => {
                let replay = decided.replay().expect("the key was used");
                assert_eq!(decided.aggregation().log_id(), log_id);
                let log_id = replay.state.log_id();
                Ok((log_id, replay.first_index, replay.event_count))
            }
            Err(DecideError::Log(error)) => found::<()>(Err(error)),
            Err(refused) => panic!("the key decides before the refusal: {refused}"),
        }
    }

    async fn append_across(&self, appends: impl Into<Appends>) -> Found {
        found(self.payments.append_across(appends, &self.options()).await)
    }
}

fn part(
    log_id: LogId,
) -> (
    LogState<crate::payments::PaymentEvent>,
    [crate::payments::PaymentEvent; 1],
) {
    (LogState::at(log_id, 1), [refund(1)])
}

#[tokio::test]
async fn a_key_of_several_logs_is_a_replay_on_each() {
    for (store, payments) in on_every_store().await {
        let (a, b, c) = (
            captured(&payments).await,
            captured(&payments).await,
            captured(&payments).await,
        );
        let key = format!("key of {a}");
        let mut caller = Caller {
            payments: &payments,
            key: &key,
            fingerprint: Some(RequestFingerprint::new(b"first")),
        };
        let two = || [refund(1), refund(1)];
        let both = Appends::new()
            .append(LogState::at(a, 1), [refund(1)])
            .append(LogState::at(b, 1), two());
        let written = payments.append_across(both, &caller.options()).await;
        assert_eq!(written.unwrap().len(), 2, "{store}");
        for _ in 0..2 {
            for (log_id, count) in [(a, 1), (b, 2)] {
                let here = Ok((log_id, 2, count));
                assert_eq!(caller.append(log_id).await, here, "{store}");
                assert_eq!(caller.create(log_id).await, here, "{store}");
                assert_eq!(caller.decide(log_id, false).await, here, "{store}");
                assert_eq!(caller.decide(log_id, true).await, here, "{store}");
                assert_eq!(caller.append_across([part(log_id)]).await, here, "{store}");
            }
            // Log C was not part of the write to A and B.
            assert_eq!(caller.append(c).await, Err(a), "{store}");
            assert_eq!(caller.decide(c, false).await, Err(a), "{store}");
            assert_eq!(caller.decide(c, true).await, Err(a), "{store}");
            // The retry of a creation has another log id, and gets the replay for the first log.
            assert_eq!(caller.create(LogId::new()).await, Ok((a, 2, 1)), "{store}");
            let turned_round = [part(b), part(a)];
            assert_eq!(
                caller.append_across(turned_round).await,
                Ok((b, 2, 2)),
                "{store}"
            );
            // The retry adds a third log, so it is another request.
            assert_eq!(
                caller.append_across([part(a), part(c)]).await,
                Err(a),
                "{store}"
            );
            assert_eq!(
                caller.append_across([part(c), part(b)]).await,
                Err(b),
                "{store}"
            );
            // A log that the append creates has another id in each attempt.
            let creating = Appends::new()
                .create(LogId::new(), [refund(1)])
                .append(LogState::at(b, 1), two());
            assert_eq!(
                caller.append_across(creating).await,
                Ok((b, 2, 2)),
                "{store}"
            );
        }
        caller.fingerprint = Some(RequestFingerprint::new(b"second"));
        for log_id in [a, b] {
            assert_eq!(caller.append(log_id).await, Err(log_id), "{store}");
            assert_eq!(caller.decide(log_id, false).await, Err(log_id), "{store}");
            assert_eq!(caller.create(log_id).await, Err(log_id), "{store}");
        }
        assert_eq!(
            caller.append_across([part(a), part(b)]).await,
            Err(a),
            "{store}"
        );
        for (log_id, events) in [(a, 3), (b, 4), (c, 2)] {
            let stored = payments.load(&log_id, 0, 10).await.unwrap().len();
            assert_eq!(stored, events, "{store}");
        }
    }
}

#[tokio::test]
async fn a_key_of_one_log_is_no_replay_of_a_write_to_several() {
    for (store, payments) in on_every_store().await {
        let (a, b) = (captured(&payments).await, captured(&payments).await);
        let key = format!("key of {a}");
        let caller = Caller {
            payments: &payments,
            key: &key,
            fingerprint: None,
        };
        let state = LogState::at(a, 1);
        let written = payments.append(state, &refund(1), &caller.options()).await;
        written.unwrap();
        assert_eq!(
            caller.append_across([part(a)]).await,
            Ok((a, 2, 1)),
            "{store}"
        );
        assert_eq!(
            caller.append_across([part(a), part(b)]).await,
            Err(a),
            "{store}"
        );
        assert_eq!(
            caller.append_across([part(b), part(a)]).await,
            Err(a),
            "{store}"
        );
        assert_eq!(payments.load(&b, 0, 10).await.unwrap().len(), 2, "{store}");
    }
}
