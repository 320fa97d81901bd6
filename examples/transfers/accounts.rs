//! Money that moves between accounts.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CreateOptions, DecideError, DecideOptions, Event, LogManager, across, event_handler,
};
use futures_util::future::join_all;
use std::error::Error;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

const ACCOUNTS: usize = 50;
const TASKS: usize = 200;
const TRANSFERS_PER_TASK: usize = 5;
/// What each account begins with, in cents.
const OPENED_WITH: u64 = 10_000;

/// What happens to an account.
#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum AccountEvent {
    /// The account was opened.
    #[event(name = "account.opened")]
    Opened {
        /// In cents.
        cents: u64,
    },
    /// Money came from another account.
    #[event(name = "account.deposited")]
    Deposited {
        /// In cents.
        cents: u64,
    },
    /// Money went to another account.
    #[event(name = "account.withdrawn")]
    Withdrawn {
        /// In cents.
        cents: u64,
    },
}

/// The state of an account.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = AccountEvent)]
pub(crate) struct Account {
    balance: u64,
    withdrawals: usize,
}

#[event_handler(AccountEvent)]
impl Account {
    #[on(Opened)]
    fn open(&mut self, cents: u64) {
        self.balance += cents;
    }

    #[on(Deposited)]
    fn deposit(&mut self, cents: u64) {
        self.balance += cents;
    }

    #[on(Withdrawn)]
    fn withdraw(&mut self, cents: u64) {
        self.balance -= cents;
        self.withdrawals += 1;
    }
}

/// The reason for the refusal of a transfer.
#[derive(Debug, thiserror::Error)]
#[error("there are only {balance} cents")]
pub(crate) struct TooLittle {
    /// What there is, in cents.
    balance: u64,
}

/// The business rule: a function from two states to the events of each account.
fn transfer(
    cents: u64,
) -> impl FnMut(&Account, &Account) -> Result<([AccountEvent; 1], [AccountEvent; 1]), TooLittle> {
    move |from, _to| {
        let balance = from.balance;
        if balance < cents {
            return Err(TooLittle { balance });
        }
        Ok((
            [AccountEvent::Withdrawn { cents }],
            [AccountEvent::Deposited { cents }],
        ))
    }
}

/// Moves money until the server has answered, as a client does: with the same key after each crash. Returns `true` if the
/// money has moved, and the number of crashes.
async fn insist(
    accounts: &LogManager<Account>,
    from: LogId,
    to: LogId,
    cents: u64,
) -> Result<(bool, usize), Box<dyn Error + Send + Sync>> {
    let options = DecideOptions::with_key(Uuid::now_v7());
    let mut crashes = 0;
    loop {
        let moving = across(((accounts, from), (accounts, to))).decide(&options, transfer(cents));
        // A crash at a random moment, perhaps after the events are stored and before anybody knows.
        let patience = match fastrand::u8(..) {
            ..64 if crashes < 3 => Duration::from_micros(fastrand::u64(..5_000)),
            _ => Duration::from_mins(1),
        };
        match timeout(patience, moving).await {
            Err(_) => crashes += 1,
            Ok(Ok(_)) => return Ok((true, crashes)),
            Ok(Err(DecideError::Refused(TooLittle { .. }))) => return Ok((false, crashes)),
            Ok(Err(error)) => return Err(error.into()),
        }
    }
}

/// Moves money among fifty accounts, with two hundred tasks, and checks the result.
pub(crate) async fn move_money(accounts: LogManager<Account>) -> Result<(), Box<dyn Error>> {
    println!("\nMoney: {TASKS} tasks, {ACCOUNTS} accounts");
    let mut ids = Vec::with_capacity(ACCOUNTS);
    for _ in 0..ACCOUNTS {
        let id = LogId::new();
        let opened = AccountEvent::Opened { cents: OPENED_WITH };
        accounts.create(id, &opened, CreateOptions::NONE).await?;
        ids.push(id);
    }

    let tasks = (0..TASKS).map(|_| {
        let (accounts, ids) = (accounts.clone(), ids.clone());
        tokio::spawn(async move {
            let (mut moved, mut crashes) = (0, 0);
            for _ in 0..TRANSFERS_PER_TASK {
                let from = fastrand::usize(..ACCOUNTS);
                let to = (from + fastrand::usize(1..ACCOUNTS)) % ACCOUNTS;
                let cents = fastrand::u64(1..8_000);
                let insisted = insist(&accounts, ids[from], ids[to], cents).await?;
                moved += usize::from(insisted.0);
                crashes += insisted.1;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>((moved, crashes))
        })
    });
    let (mut moved, mut crashes) = (0, 0);
    for task in join_all(tasks).await {
        let counted = task?.map_err(|error| error.to_string())?;
        moved += counted.0;
        crashes += counted.1;
    }

    let (mut sum, mut withdrawals) = (0, 0);
    for id in ids {
        let account = accounts.reduce(id).await?;
        sum += account.aggregate().balance;
        withdrawals += account.aggregate().withdrawals;
    }
    let refused = TASKS * TRANSFERS_PER_TASK - moved;
    println!("   {moved} transfers, {refused} refused for lack of money, {crashes} crashes midway");
    assert_eq!(
        sum,
        OPENED_WITH * ACCOUNTS as u64,
        "no money is lost or made"
    );
    println!("   the sum of all accounts is {sum} cents, as it was at the beginning");
    assert_eq!(withdrawals, moved, "no transfer happened twice");
    println!("   each transfer happened once, although {crashes} were asked for again");
    Ok(())
}
