//! The domain: accounts in couples, and transfers between couples.

use crate::concurrency::random::Random;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CreateOptions, DecideError, DecideOptions, Event, EventStore, LogManager,
    LogManagerOptions, MemoryAggregationCache, RequestFingerprint, across, event_handler,
};

/// The number of accounts.
pub(super) const ACCOUNTS: usize = 6;
/// The cents of each account in the beginning. Few, so that many transfers are refused, and each missed one shows.
pub(super) const OPENING: i64 = 100;

/// The events of an account.
#[derive(Debug, Clone, PartialEq, Eq, Event)]
pub(super) enum AccountEvent {
    /// The account was opened.
    #[event(name = "account.opened")]
    Opened {
        /// The first money.
        cents: i64,
    },
    /// Money went to another account.
    #[event(name = "account.sent")]
    Sent {
        /// The number of the transfer.
        transfer: u64,
        /// The amount.
        cents: i64,
    },
    /// Money came from another account.
    #[event(name = "account.received")]
    Received {
        /// The number of the transfer.
        transfer: u64,
        /// The amount.
        cents: i64,
    },
}

/// The state of an account.
#[derive(Debug, Default, Clone, PartialEq, Eq, Aggregate)]
#[aggregate(event = AccountEvent)]
pub(super) struct Account {
    pub(super) cents: i64,
}

#[event_handler(AccountEvent)]
impl Account {
    #[on(Opened)]
    fn open(&mut self, cents: i64) {
        self.cents += cents;
    }

    #[on(Sent)]
    fn send(&mut self, cents: i64) {
        self.cents -= cents;
    }

    #[on(Received)]
    fn receive(&mut self, cents: i64) {
        self.cents += cents;
    }
}

/// Creates a manager with a cache of its own.
pub(super) fn accounts(store: impl EventStore<AccountEvent>) -> LogManager<Account> {
    LogManager::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    )
}

/// The accounts, which all processes know by name.
#[derive(Debug, Clone)]
pub(super) struct Bank {
    pub(super) name: String,
    pub(super) accounts: Vec<LogId>,
}

impl Bank {
    pub(super) fn named(name: &str) -> Self {
        let accounts =
            (0..ACCOUNTS).map(|account| LogId::derived("money", format!("{name} {account}")));
        Self {
            name: name.to_owned(),
            accounts: accounts.collect(),
        }
    }

    /// Opens all accounts.
    pub(super) async fn opened(accounts: &LogManager<Account>, name: &str) -> Self {
        let bank = Self::named(name);
        for log_id in &bank.accounts {
            let opened = AccountEvent::Opened { cents: OPENING };
            let options = CreateOptions::default();
            accounts.create(log_id, &opened, &options).await.unwrap();
        }
        bank
    }
}

/// A wish to move money from one couple to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) number: u64,
    /// Numbers of accounts.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) cents: i64,
}

/// Why a transfer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLittle;

impl Transfer {
    /// The transfer of this number is the same in all processes.
    pub(super) fn numbered(number: u64) -> Self {
        let mut random = Random::new(number, 77);
        let mut below = |limit: usize| usize::try_from(random.below(limit as u64)).unwrap();
        let from = below(ACCOUNTS);
        // Not in the same couple.
        let to = (from / 2 * 2 + 2 + below(ACCOUNTS - 2)) % ACCOUNTS;
        let cents = 1 + i64::try_from(below(150)).unwrap();
        Self {
            number,
            from,
            to,
            cents,
        }
    }

    /// Carries the transfer out, unless that has happened already.
    pub(super) async fn carry_out(
        self,
        accounts: &LogManager<Account>,
        bank: &Bank,
    ) -> Result<(), DecideError<TooLittle>> {
        let Self {
            number: transfer,
            from,
            to,
            cents,
        } = self;
        let options = DecideOptions {
            idempotency_key: Some(format!("{} {transfer}", bank.name)),
            request_fingerprint: Some(RequestFingerprint::new(format!("{self:?}").as_bytes())),
            ..Default::default()
        };
        let log = |account: usize| (accounts, bank.accounts[account]);
        let decided = across((log(from), log(to), log(from ^ 1)))
            .decide(&options, |from, _, other| {
                if from.cents + other.cents < cents {
                    return Err(TooLittle);
                }
                let sent = [AccountEvent::Sent { transfer, cents }];
                let received = [AccountEvent::Received { transfer, cents }];
                let nothing: [AccountEvent; 0] = [];
                Ok((sent, received, nothing))
            })
            .await?;
        if decided.is_replay() {
            assert_eq!(
                decided.replay().len(),
                2,
                "{self:?}: {:?}",
                decided.replay()
            );
        } else {
            let (from, to, other) = decided.logs();
            let counts = (from.event_count(), to.event_count(), other.event_count());
            assert_eq!(counts, (1, 1, 0), "{self:?}");
            let left = from.aggregate().cents + other.aggregate().cents;
            assert!(left >= 0, "{self:?} left {left}");
        }
        Ok(())
    }
}
