//! How to test a domain: `cargo test -p examples --example testing`; `cargo run --example testing` shows it at work.
//!
//! `loan.rs` is the domain: what can happen to a book of a library, what that adds up to, and what is allowed. Its tests,
//! in `loan/tests.rs`, need no store and no runtime. They call the same decisions as production, and as `main` here.

mod loan;

use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{DecideError, DecideOptions, LogManager, LogManagerOptions};
use loan::{Loan, Refusal};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let loans = LogManager::<Loan>::new(
        FakeEventStore::encoding(),
        FakeAggregationCache::new(),
        LogManagerOptions::default(),
    );
    let book = LogId::derived("book", "Moby-Dick, copy 2");
    let options = DecideOptions {
        create_if_missing: true,
        ..Default::default()
    };

    loans.decide(&book, &options, loan::lend("Ishmael")).await?;
    println!("The book is lent to Ishmael.");
    for attempt in [
        loans.decide(&book, &options, loan::lend("Ahab")).await,
        loans
            .decide(&book, &options, loan::remind(chrono::Utc::now()))
            .await,
    ] {
        match attempt {
            Err(DecideError::Refused(refusal @ (Refusal::LentTo(_) | Refusal::NotOverdue))) => {
                println!("Refused: {refusal}.");
            }
            other => return Err(format!("expected a refusal, got {other:?}").into()),
        }
    }
    loans.decide(&book, &options, loan::take_back).await?;
    println!("The book is back.");

    println!("\nThe tests call the same decisions, without a store:");
    println!("   cargo test -p examples --example testing");
    Ok(())
}
