//! The cost of a write with the library, as a multiple of the same write by hand: with the same driver, the same tables and
//! rows, in the same process, in turns.
//!
//!   ./scripts/servers cargo bench -p tests --bench writes                     everything, about five minutes
//!   ./scripts/servers cargo bench -p tests --bench writes -- decide --quick   rows whose name contains `decide`, in short
//!
//! Without `EVENTLOGS_POSTGRES_URL` only SQLite is measured. Nothing here is a test: a missed goal is reported, and the machine
//! should be otherwise idle.

mod appends;
mod by_hand;
#[path = "../common/common.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod common;
mod decides;
mod hot_log;
mod keys;
mod sqlite;
mod stalled;
mod transfers;

use common::arguments::Arguments;
use common::payments::Capture;
use common::postgres::Postgres;
use common::process;
use common::report::Report;
use std::process::ExitCode;
use std::time::Duration;

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
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    if let Some(load @ 10..) = process::machine_load(Duration::from_secs(1)).await {
        println!("the machine is not idle: other work just used {load} % of its processor time");
    }
    let bytes = Capture::of(100).to_json().len();
    println!("{processors} processors for this process and the server; events of {bytes} bytes");
    let url = std::env::var("EVENTLOGS_POSTGRES_URL").unwrap_or_default();
    let postgres = if url.is_empty() {
        println!(
            "left out: PostgreSQL: EVENTLOGS_POSTGRES_URL is not set; ./scripts/servers starts one"
        );
        None
    } else {
        match Postgres::start(&url).await {
            Ok(postgres) => Some(postgres),
            Err(why) => {
                eprintln!("PostgreSQL is not measured: {why}");
                return ExitCode::FAILURE;
            }
        }
    };
    Report::head();
    if let Some(postgres) = &postgres {
        appends::measure(postgres, &mut report).await;
        keys::measure(postgres, &mut report).await;
        decides::measure(postgres, &mut report).await;
        hot_log::measure(postgres, &mut report).await;
        transfers::measure(postgres, &mut report).await;
    }
    sqlite::measure(&mut report).await;
    if let Some(postgres) = postgres {
        // Last, since it leaves the server much to write to disk.
        stalled::measure(&postgres, &mut report).await;
        postgres.end().await;
    }
    report.end();
    ExitCode::SUCCESS
}
