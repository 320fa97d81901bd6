//! Clients that want transfers, and an auditor.

use super::accounts::{Account, Bank, TooLittle, Transfer};
use super::audit::audit;
use crate::concurrency::random::Random;
use crate::model::effort;
use eventlogs::stores::StoreError;
use eventlogs::{DecideError, LogManager, LogManagerError};
use futures_util::future::join_all;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The number of clients of a process.
pub(super) const CLIENTS: u64 = 4;
/// The greatest number of transfers of a client.
const MOST: u64 = 1_000_000;

/// What a client was told in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Accepted,
    Refused,
    /// Refused, but an earlier attempt may still be on its way.
    Doubtful,
}

/// The answer to a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Told {
    pub(super) transfer: u64,
    pub(super) answer: Answer,
}

/// Lets clients with these numbers transfer money as long as there is `more`, and audits meanwhile. Returns all answers.
pub(super) async fn soak(
    managers: &[LogManager<Account>],
    bank: &Bank,
    clients: Range<u64>,
    more: impl Fn(u64) -> bool + Clone + Send + 'static,
) -> Vec<Told> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&told);
    let tell = move |told| all.lock().unwrap().push(told);
    transfer_all(managers, bank, clients, more, tell).await;
    let told = told.lock().unwrap();
    told.clone()
}

/// Like [`soak`], but passes each answer to `tell` at once.
pub(super) async fn transfer_all(
    managers: &[LogManager<Account>],
    bank: &Bank,
    clients: Range<u64>,
    more: impl Fn(u64) -> bool + Clone + Send + 'static,
    tell: impl Fn(Told) + Clone + Send + 'static,
) {
    let is_over = Arc::new(AtomicBool::new(false));
    let audited = tokio::spawn(audit_until(
        managers[0].clone(),
        bank.clone(),
        Arc::clone(&is_over),
    ));
    let clients = clients
        .zip(managers.iter().cycle())
        .map(|(client, manager)| {
            let (manager, bank) = (manager.clone(), bank.clone());
            let (more, tell) = (more.clone(), tell.clone());
            tokio::spawn(async move {
                for nth in 0..MOST {
                    if !more(nth) {
                        return;
                    }
                    let transfer = Transfer::numbered(client * MOST + nth);
                    let answer = answer(&manager, &bank, transfer).await;
                    tell(Told {
                        transfer: transfer.number,
                        answer,
                    });
                }
            })
        });
    // Clients that wait for each other in a circle are given up.
    let patience = Duration::from_mins(2) * effort::scaled(1);
    let ended = timeout(patience, join_all(clients)).await;
    for client in ended.expect("no client waits for ever") {
        client.expect("all clients get answers");
    }
    is_over.store(true, Ordering::SeqCst);
    audited.await.expect("every audit is right");
}

async fn audit_until(accounts: LogManager<Account>, bank: Bank, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::SeqCst) {
        audit(&accounts, &bank).await;
        sleep(Duration::from_millis(10)).await;
    }
}

/// Asks for a transfer until there is an answer. Sometimes it is impatient, and asks again while an attempt may be in flight.
async fn answer(accounts: &LogManager<Account>, bank: &Bank, transfer: Transfer) -> Answer {
    let mut random = Random::new(transfer.number, 78);
    let mut in_doubt = false;
    loop {
        let patience = if random.percent(10) {
            Duration::from_micros(random.below(3_000))
        } else {
            Duration::from_mins(1)
        };
        let attempt = timeout(patience, transfer.carry_out(accounts, bank)).await;
        match attempt {
            Ok(Ok(()) | Err(DecideError::Log(LogManagerError::StoredWithoutState { .. }))) => {
                return Answer::Accepted;
            }
            Ok(Err(DecideError::Refused(TooLittle))) if in_doubt => return Answer::Doubtful,
            Ok(Err(DecideError::Refused(TooLittle))) => return Answer::Refused,
            Err(_)
            | Ok(Err(DecideError::Log(LogManagerError::Store(StoreError::OutcomeUnknown {
                ..
            })))) => {
                in_doubt = true;
            }
            Ok(Err(DecideError::Log(
                LogManagerError::ConcurrentAppend { .. }
                | LogManagerError::Store(
                    StoreError::Unavailable { .. }
                    | StoreError::ReadOnly { .. }
                    | StoreError::Busy { .. }
                    | StoreError::DeadlineExceeded
                    | StoreError::Overloaded,
                ),
            ))) => sleep(Duration::from_millis(random.below(5))).await,
            Ok(Err(error)) => panic!("{transfer:?}: {error:?}"),
        }
    }
}
