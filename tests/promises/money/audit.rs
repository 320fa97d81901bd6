//! Compares the accounts with each other, and with what clients were told.

use super::accounts::{ACCOUNTS, Account, AccountEvent, Bank, OPENING, Transfer};
use super::clients::{Answer, Told};
use eventlogs::{
    DecideError, DecideOptions, EventRecord, LogManager, LogManagerError, RecordedEvent,
};
use std::collections::{HashMap, HashSet};

/// All money, and the couple with the least.
#[derive(Debug)]
struct Balance {
    all: i64,
    least: i64,
}

impl Balance {
    fn of<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Self {
        let cents: Vec<_> = accounts.into_iter().map(|account| account.cents).collect();
        let couples = cents.chunks(2).map(|couple| couple.iter().sum());
        Self {
            all: cents.iter().sum(),
            least: couples.min().expect("some couples"),
        }
    }

    #[track_caller]
    fn check(&self) {
        let all = OPENING * i64::try_from(ACCOUNTS).unwrap();
        assert_eq!(self.all, all, "money was lost or made");
        assert!(self.least >= 0, "a couple is overdrawn: {self:?}");
    }
}

/// Looks at all accounts at one moment, with a decision that refuses.
pub(super) async fn audit(accounts: &LogManager<Account>, bank: &Bank) {
    let seen = accounts
        .decide_each(&bank.accounts, DecideOptions::NONE, |accounts| {
            let balance = Balance::of(accounts.iter().copied());
            Err::<Vec<Vec<AccountEvent>>, _>(balance)
        })
        .await;
    match seen {
        Err(DecideError::Refused(balance)) => balance.check(),
        // The accounts moved each time, or there is no server.
        Err(DecideError::Log(
            LogManagerError::ConcurrentAppend { .. } | LogManagerError::Store(_),
        )) => {}
        other => panic!("{other:?}"),
    }
}

/// Checks the balance and every transfer, given the answers of all clients, those of each client in their order.
pub(super) async fn check(accounts: &LogManager<Account>, bank: &Bank, told: &[Told]) {
    let records = still(accounts, bank).await;
    let (mut sent, mut received) = (HashMap::new(), HashMap::new());
    for (account, records) in records.iter().enumerate() {
        for record in records {
            let (side, transfer, cents) = match *record.event() {
                AccountEvent::Opened { .. } => continue,
                AccountEvent::Sent { transfer, cents } => (&mut sent, transfer, cents),
                AccountEvent::Received { transfer, cents } => (&mut received, transfer, cents),
            };
            let other = side.insert(transfer, (account, cents));
            assert!(other.is_none(), "{transfer} happened twice: {records:?}");
        }
    }
    assert_eq!(sent.len(), received.len());
    for (transfer, (from, cents)) in &sent {
        let Some((to, _)) = received.get(transfer).filter(|(_, come)| come == cents) else {
            panic!("{transfer} was sent, and not received");
        };
        let moved = Transfer {
            number: *transfer,
            from: *from,
            to: *to,
            cents: *cents,
        };
        assert_eq!(moved, Transfer::numbered(*transfer));
    }
    let mut accepted = HashSet::new();
    for Told { transfer, answer } in told {
        let is_accepted = accepted.contains(transfer);
        match answer {
            Answer::Accepted => drop(accepted.insert(*transfer)),
            // A refusal does not use up the key, so a process that began again may be told otherwise. The other way round, the
            // key is known.
            Answer::Refused | Answer::Doubtful => {
                assert!(!is_accepted, "{transfer} was accepted, and then refused");
            }
        }
    }
    for transfer in &accepted {
        let has_happened = sent.contains_key(transfer);
        assert!(has_happened, "{transfer} was accepted, and is lost");
    }
    let doubtful = told.iter().filter(|told| told.answer == Answer::Doubtful);
    let doubtful: HashSet<_> = doubtful.map(|told| told.transfer).collect();
    for told in told.iter().filter(|told| told.answer == Answer::Refused) {
        let may_have_happened =
            accepted.contains(&told.transfer) || doubtful.contains(&told.transfer);
        assert!(
            may_have_happened || !sent.contains_key(&told.transfer),
            "{} was refused, and has happened",
            told.transfer
        );
    }
    let mut states = Vec::new();
    for log_id in &bank.accounts {
        let reduced = accounts.reduce(log_id).await.unwrap();
        states.push(reduced.aggregate().clone());
    }
    Balance::of(&states).check();
}

/// Reads all accounts, until nothing moves any more.
async fn still(
    accounts: &LogManager<Account>,
    bank: &Bank,
) -> Vec<Vec<RecordedEvent<AccountEvent>>> {
    let mut before = Vec::new();
    loop {
        let mut now = Vec::new();
        for log_id in &bank.accounts {
            now.push(accounts.load(log_id, 0, usize::MAX).await.unwrap());
        }
        if now == before {
            return now;
        }
        before = now;
    }
}
