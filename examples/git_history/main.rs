//! The history of a git repository as logs of events, one log for the life of each file.
//!
//! ```text
//! cargo run --example git_history -- [PATH] [--database FILE]
//! ```
//!
//! A file is added when its path first appears, then modified, renamed, perhaps changed into another kind, and deleted. Each
//! of these is an event, with the author and the time of the commit. The history is that of the first parents, so a merge
//! counts as one change to the branch it was merged into. Every append has an idempotency key, so a second run adds nothing,
//! and an interrupted run continues. At the end every log is reduced, and the files alive must be those that git has in
//! HEAD. A projection keeps a table of all files, from which the busiest ones are printed; it must have what the reduced logs
//! have.
//!
//! Read `file_life.rs` first: events and aggregate, as a service has them. Then read this file from the top.

mod arguments;
mod bookmark;
mod database;
mod file_life;
mod git;
mod import;
mod import_log;
mod lives;
mod portion;
mod progress;
mod report;
mod statistics;
mod verify;

use arguments::{Request, USAGE};
use database::Database;
use git::{Head, Repository};
use statistics::Statistics;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Request::parse(std::env::args_os().skip(1)) {
        Ok(Request::Run { path, database }) => run(&path, database).await,
        Ok(Request::Help) => io::stdout().write_all(USAGE.as_bytes()).map_err(Into::into),
        Err(mistake) => {
            eprintln!("error: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let text = reason.to_string();
        // The text of an error of the library has its causes already.
        if !told.contains(&text) {
            eprintln!("  because: {text}");
            told = text;
        }
        source = reason.source();
    }
    ExitCode::FAILURE
}

/// Imports, reduces, compares, reports.
async fn run(path: &Path, database: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let mut out = io::stdout();
    let repository = Repository::open(path).await?;
    // The next run imports commits that arrive from now on.
    let head = repository.head().await?;
    let database = Database::choose(database, &repository);
    report::print_start(&mut out, &repository, &head, &database)?;

    let store = database.open().await?;
    let logs = store.logs().await?;
    let imported = import::import(&repository, &head, &logs).await?;
    report::print_import(&mut out, &imported)?;

    let reduced = verify::reduce_all(&logs.files, &imported.lives).await?;
    let differences = match &head {
        Head::Commit(commit) => verify::differences(&reduced, &repository, commit).await?,
        Head::Unborn(_) => Vec::new(),
    };
    report::print_differences(&mut out, &reduced, &differences)?;
    let statistics = Statistics::update(&store, &database).await?;
    let compared = statistics.compare(&reduced).await?;
    report::print_compared(&mut out, compared)?;
    report::print_files(&mut out, &statistics).await?;
    report::print_speed(&mut out, &imported, &reduced, started.elapsed())?;
    statistics.close().await;

    // Waits for aggregates on their way to a cache that outlives this program.
    logs.files.flush_cache().await;
    store.close().await;
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the files alive after reducing are not those of HEAD (differences, listed above: {}); import into a new \
         database with --database FILE, and if they differ again, report it as a bug",
        differences.len()
    )
    .into())
}
