//! The cost of reading the feed and of projections, as a multiple of the same work by hand: with the same driver, the same
//! tables and the same handlers, in the same process, in turns.
//!
//!   ./scripts/servers cargo bench -p tests --bench feed                  everything, some minutes
//!   ./scripts/servers cargo bench -p tests --bench feed -- idle --quick  rows whose name contains `idle`, in short
//!
//! Nothing here is a test: a missed goal is reported, and the machine should be otherwise idle.

mod by_hand;
#[path = "../common/common.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod common;
mod events;
mod idle;
mod latency;
mod load;
mod projections;
mod reading;

use common::arguments::Arguments;
use common::postgres::Postgres;
use common::report::Report;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        // `cargo test --all-targets` runs this, too.
        println!("left out: measurements without optimisation are useless; use cargo bench");
        return ExitCode::SUCCESS;
    }
    match Arguments::read() {
        Ok(arguments) => measure(Report::new(arguments)).await,
        Err(mistake) => {
            eprintln!("{mistake}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(mut report: Report) -> ExitCode {
    let url = std::env::var("EVENTLOGS_POSTGRES_URL").unwrap_or_default();
    if url.is_empty() {
        println!("left out: EVENTLOGS_POSTGRES_URL is not set; ./scripts/servers starts a server");
        return ExitCode::SUCCESS;
    }
    let postgres = match Postgres::start(&url).await {
        Ok(postgres) => postgres,
        Err(why) => {
            eprintln!("PostgreSQL is not measured: {why}");
            return ExitCode::FAILURE;
        }
    };
    Report::head();
    latency::measure(&postgres, &mut report).await;
    idle::measure(&postgres, &mut report).await;
    load::measure(&postgres, &mut report).await;
    // These fill the table of events.
    projections::measure(&postgres, &mut report).await;
    reading::measure(&postgres, &mut report).await;
    postgres.end().await;
    report.end();
    ExitCode::SUCCESS
}
