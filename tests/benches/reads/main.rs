//! The cost of reducing a log, as a multiple of the same work by hand: with the same driver, the same tables and rows, in the
//! same process, in turns.
//!
//!   ./scripts/servers cargo bench -p tests --bench reads                   everything, about seven minutes
//!   ./scripts/servers cargo bench -p tests --bench reads -- cold --quick   rows whose name contains `cold`, in short
//!
//! Each call is one reduction, so rates are reductions per second and CPU is that of a reduction, unless a row says otherwise.
//!
//! Nothing here is a test: a missed goal is reported, and the machine should be otherwise idle.

mod appends;
mod by_hand;
mod cold;
#[path = "../common/common.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod common;
mod costs;
mod logs;
mod long_log;
mod packed;
mod shared;
mod warm;
#[path = "../writes/by_hand.rs"]
#[allow(dead_code, reason = "only the bench of writes uses all of it")]
mod writing_by_hand;

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
    let url = std::env::var("EVENTLOGS_POSTGRES_URL").unwrap_or_default();
    if url.is_empty() {
        println!("left out: EVENTLOGS_POSTGRES_URL is not set; ./scripts/servers starts a server");
        return ExitCode::SUCCESS;
    }
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    if let Some(load @ 10..) = process::machine_load(Duration::from_secs(1)).await {
        println!("the machine is not idle: other work just used {load} % of its processor time");
    }
    let bytes = Capture::of(100).to_json().len();
    println!("{processors} processors for this process and the server; events of {bytes} bytes");
    let postgres = match Postgres::start(&url).await {
        Ok(postgres) => postgres,
        Err(why) => {
            eprintln!("PostgreSQL is not measured: {why}");
            return ExitCode::FAILURE;
        }
    };
    Report::head();
    // First, since memory that this process has used before would hide a part of what the reduction takes.
    long_log::measure(&postgres, &mut report).await;
    cold::measure(&postgres, &mut report).await;
    warm::measure(&postgres, &mut report).await;
    shared::measure(&postgres, &mut report).await;
    costs::measure(&postgres, &mut report).await;
    appends::measure(&postgres, &mut report).await;
    postgres.end().await;
    report.end();
    ExitCode::SUCCESS
}
