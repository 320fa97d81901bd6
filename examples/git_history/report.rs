//! The printed report.

use crate::database::Database;
use crate::git::{GitPath, Head, Repository};
use crate::import::Imported;
use crate::statistics::{Order, Row, Statistics};
use crate::verify::{Difference, Reduced};
use std::error::Error;
use std::io::{Result, Write};
use std::time::Duration;

/// The number of busiest files shown.
const BUSIEST: usize = 10;
/// The number of files with the most authors shown.
const MOST_AUTHORS: usize = 5;
/// The greatest number of differences listed. More usually have one cause.
const DIFFERENCES: usize = 50;

/// Prints the repository, its HEAD, and the database.
pub(crate) fn print_start(
    out: &mut impl Write,
    repository: &Repository,
    head: &Head,
    database: &Database,
) -> Result<()> {
    writeln!(out, "Repository: {}", repository.git_dir())?;
    match head {
        Head::Commit(commit) => writeln!(out, "HEAD:       {commit}")?,
        Head::Unborn(branch) => writeln!(out, "HEAD:       {branch}, which has no commits yet")?,
    }
    writeln!(out, "Database:   {database}\n")
}

/// Prints the result of the import.
pub(crate) fn print_import(out: &mut impl Write, imported: &Imported) -> Result<()> {
    let (new, repeated) = (imported.written.new, imported.written.repeated);
    write!(
        out,
        "{} new commits, {new} new events",
        imported.new_commits
    )?;
    if repeated > 0 {
        write!(out, " after {repeated} that an interrupted run had stored")?;
    }
    let (commits, logs) = (imported.commits, imported.lives.len());
    writeln!(
        out,
        "; the history now has {commits} commits in {logs} logs"
    )
}

/// Prints the result of the comparison.
pub(crate) fn print_differences(
    out: &mut impl Write,
    reduced: &Reduced,
    differences: &[(GitPath, Difference)],
) -> Result<()> {
    if differences.is_empty() {
        let alive = reduced
            .lives
            .iter()
            .filter(|(life, _)| life.content.is_some())
            .count();
        return writeln!(
            out,
            "The {alive} files alive are those of HEAD: same paths, kinds and contents"
        );
    }
    writeln!(
        out,
        "The files alive are not those of HEAD; {} differ:",
        differences.len()
    )?;
    for (path, difference) in differences.iter().take(DIFFERENCES) {
        writeln!(out, "  {path}: {difference}")?;
    }
    match differences.len().saturating_sub(DIFFERENCES) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// Prints that the table of the projection agrees with the logs.
pub(crate) fn print_compared(out: &mut impl Write, lives: usize) -> Result<()> {
    writeln!(
        out,
        "The table of the projection has the {lives} files that the logs have"
    )
}

/// Prints the most notable files.
pub(crate) async fn print_files(
    out: &mut impl Write,
    statistics: &Statistics,
) -> std::result::Result<(), Box<dyn Error>> {
    writeln!(out, "\nBusiest files")?;
    print_table(out, &statistics.first(Order::Events, BUSIEST).await?)?;
    writeln!(out, "\nMost authors")?;
    print_table(out, &statistics.first(Order::Authors, MOST_AUTHORS).await?)?;
    Ok(())
}

/// Prints one line per life.
fn print_table(out: &mut impl Write, rows: &[Row]) -> Result<()> {
    writeln!(
        out,
        "  {:>7}  {:>7}  {:>9}  {:>9}  {:<10}  path",
        "events", "authors", "lines +", "lines -", "born"
    )?;
    for row in rows {
        let Row {
            events,
            authors,
            added,
            removed,
            is_alive,
            ..
        } = row;
        let born = row.born_at().map_or_else(
            || "?".to_owned(),
            |time| time.format("%Y-%m-%d").to_string(),
        );
        let gone = if *is_alive { "" } else { "  (deleted)" };
        writeln!(
            out,
            "  {events:>7}  {authors:>7}  {added:>9}  {removed:>9}  {born:<10}  {}{gone}",
            row.path()
        )?;
    }
    Ok(())
}

/// Prints how fast the example was.
pub(crate) fn print_speed(
    out: &mut impl Write,
    imported: &Imported,
    reduced: &Reduced,
    elapsed: Duration,
) -> Result<()> {
    writeln!(out, "\nHow fast")?;
    let written = imported.written.new + imported.written.repeated;
    let applied = reduced.lives.iter().map(|(_, events)| events).sum();
    print_rate(out, "read from git and written", written, imported.elapsed)?;
    print_rate(out, "reduced", applied, reduced.elapsed)?;
    writeln!(out, "  the whole run took {:.2} s", elapsed.as_secs_f64())
}

/// Prints one line about the speed, unless there were no events.
fn print_rate(out: &mut impl Write, what: &str, events: u64, elapsed: Duration) -> Result<()> {
    if events == 0 {
        return Ok(());
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    let rate = events as f64 / elapsed.as_secs_f64().max(1e-9);
    writeln!(
        out,
        "  {events} events {what} in {:.2} s: {rate:.0} per second",
        elapsed.as_secs_f64()
    )
}
