//! The domain: what can happen to an account, and what it adds up to. It knows nothing of HTTP.

use eventlogs::{Aggregate, Event, event_handler};
use serde::{Deserialize, Serialize};

/// What can happen to an account.
#[derive(Debug, Clone, Serialize, Event)]
#[event(explicit_names)]
pub(crate) enum AccountEvent {
    /// It was opened.
    #[event(name = "account.opened")]
    Opened {
        /// Whose account it is.
        owner: String,
    },
    /// Money came in.
    #[event(name = "account.deposited")]
    Deposited {
        /// How much.
        cents: u64,
    },
    /// Money went out.
    #[event(name = "account.withdrawn")]
    Withdrawn {
        /// How much.
        cents: u64,
    },
}

/// An account now.
#[derive(Debug, Default, Clone, Serialize, Aggregate)]
#[aggregate(event = AccountEvent, cache(every = 20))]
pub(crate) struct Account {
    owner: String,
    cents: u64,
}

#[event_handler(AccountEvent)]
impl Account {
    #[on(Opened)]
    fn open(&mut self, owner: String) {
        self.owner = owner;
    }

    #[on(Deposited)]
    fn deposit(&mut self, cents: u64) {
        self.cents += cents;
    }

    #[on(Withdrawn)]
    fn withdraw(&mut self, cents: u64) {
        self.cents -= cents;
    }
}

/// An amount of money, as a request has it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Amount {
    /// In cents.
    pub(crate) cents: u64,
}

/// The reasons to refuse a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nothing would move.
    #[error("the amount must be above zero")]
    Nothing,
    /// There is not enough money.
    #[error("only {available} cents of {wanted} are available")]
    TooLittle {
        /// What there is.
        available: u64,
        /// What was asked for.
        wanted: u64,
    },
}

/// Money comes in.
pub(crate) fn deposit(
    Amount { cents }: Amount,
) -> impl Fn(&Account) -> Result<AccountEvent, Refusal> {
    move |_| match cents {
        0 => Err(Refusal::Nothing),
        cents => Ok(AccountEvent::Deposited { cents }),
    }
}

/// Money goes out, if it is there.
pub(crate) fn withdraw(
    Amount { cents }: Amount,
) -> impl Fn(&Account) -> Result<AccountEvent, Refusal> {
    move |account| match account.cents {
        _ if cents == 0 => Err(Refusal::Nothing),
        available if available < cents => Err(Refusal::TooLittle {
            available,
            wanted: cents,
        }),
        _ => Ok(AccountEvent::Withdrawn { cents }),
    }
}

/// Money moves from one account to another.
pub(crate) fn transfer(
    amount: Amount,
) -> impl Fn(&Account, &Account) -> Result<(AccountEvent, AccountEvent), Refusal> {
    move |from, to| Ok((withdraw(amount)(from)?, deposit(amount)(to)?))
}
