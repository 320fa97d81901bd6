//! Other programs, and tasks of this one in a process of its own.

use crate::payments::{PaymentEvent, payments};
use crate::sqlite_file::connect;
use eventlogs::ids::LogId;
use eventlogs::{CreateOptions, LogManagerError, SqliteEventStore};
use sqlx::{Connection, Row};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Tells the child process its task.
const TASK: &str = "EVENTLOGS_TEST_SQLITE_TASK";
/// Tells the child process the path.
const PLACE: &str = "EVENTLOGS_TEST_SQLITE_PLACE";

/// Runs a task on a path in a process of its own, and returns its output.
pub(crate) fn elsewhere(task: &str, place: &Path) -> String {
    run(
        &mut Command::new(std::env::current_exe().unwrap()),
        task,
        place,
    )
}

/// Runs a task as a user without root privileges, to whom permissions apply. `None` if that is not possible here.
pub(crate) fn as_nobody(task: &str, place: &Path) -> Option<String> {
    let exe = std::env::current_exe().unwrap();
    let is_root = Command::new("id").arg("-u").output().ok()?.stdout == b"0\n";
    if !is_root {
        return Some(run(&mut Command::new(exe), task, place));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    let can = command
        .arg("true")
        .status()
        .is_ok_and(|status| status.success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    can.then(|| run(command.arg(exe), task, place))
}

fn run(command: &mut Command, task: &str, place: &Path) -> String {
    let output = command
        .args(["sqlite_file::program::child", "--exact", "--nocapture"])
        .env(TASK, task)
        .env(PLACE, place)
        .output()
        .expect("a process can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text
        .lines()
        .find_map(|line| line.split_once("SAYS "))
        .map(|(_, said)| said);
    match said {
        Some(said) => said.to_owned(),
        None => panic!("{text}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// The work of such a process. When run as a test, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(task), Some(place)) = (std::env::var(TASK), std::env::var_os(PLACE)) else {
        return;
    };
    let place = Path::new(&place);
    let said = match task.as_str() {
        "count" => count(place).await.to_string(),
        "count and remove the log" => count_and_remove_the_log(place).await.to_string(),
        "follow" => follow(place).await,
        "follow after a lost connection" => follow_after_a_lost_connection(place).await,
        "open" => match SqliteEventStore::open(place).await {
            Ok(_) => "opened".to_owned(),
            Err(error) => error.to_string(),
        },
        "read" => read(place).await,
        "write" => match write(place).await {
            Ok(()) => "written".to_owned(),
            Err(error) => error.to_string(),
        },
        task => panic!("no task: {task}"),
    };
    println!("\nSAYS {said}");
}

/// Counts the events, as a database shell would.
async fn count(path: &Path) -> i64 {
    let mut connection = connect(path).await;
    let row = sqlx::query("select count(*) from events")
        .fetch_one(&mut connection)
        .await;
    let count = row.unwrap().get(0);
    connection.close().await.unwrap();
    count
}

/// Acts as a program with a SQLite before 3.51 that finds no locks on the file and takes itself for the last one. Newer
/// versions also check the locks on the log.
async fn count_and_remove_the_log(path: &Path) -> i64 {
    let mut connection = connect(path).await;
    // The first read opens the log; the pragma does not.
    sqlx::raw_sql("select count(*) from events; pragma wal_checkpoint(passive)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let count = count(path).await;
    for suffix in ["-wal", "-shm"] {
        // If no other process has the file open, SQLite has removed them itself.
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    count
}

/// Opens a relative path, and changes into a folder with another file of that name.
async fn follow(place: &Path) -> String {
    std::env::set_current_dir(place.join("here")).unwrap();
    let payments = payments(SqliteEventStore::open("x.db").await.unwrap());
    let requested = PaymentEvent::Requested { amount: 5 };
    let (old, new) = (LogId::derived("account", "1"), LogId::new());
    payments
        .create(&old, &requested, &CreateOptions::default())
        .await
        .unwrap();
    std::env::set_current_dir(place.join("there")).unwrap();
    payments
        .create(&new, &requested, &CreateOptions::default())
        .await
        .unwrap();
    let reads = (0..8).map(|_| payments.reduce(&old));
    let reads = futures_util::future::join_all(reads).await;
    let reads = reads
        .into_iter()
        .map(|payment| payment.unwrap().aggregate().requested);
    format!("{}", reads.max().unwrap())
}

/// Like `follow`, with a store whose writing connection was lost.
async fn follow_after_a_lost_connection(place: &Path) -> String {
    std::env::set_current_dir(place.join("here")).unwrap();
    let store = SqliteEventStore::open("x.db").await.unwrap();
    let payments = payments(store.clone());
    for _ in 0..20 {
        // The future is dropped in the middle, at any point.
        let _ = tokio::time::timeout(Duration::from_micros(200), store.migrate()).await;
        std::env::set_current_dir(place.join("there")).unwrap();
        let requested = PaymentEvent::Requested { amount: 5 };
        payments
            .create(&LogId::new(), &requested, &CreateOptions::default())
            .await
            .unwrap();
    }
    "done".to_owned()
}

/// Opens a file read-only, and returns the content of its log and the result of a write.
async fn read(path: &Path) -> String {
    let store = match SqliteEventStore::open_read_only(path).await {
        Ok(store) => store,
        Err(error) => return format!("{error}"),
    };
    let payments = payments(store);
    let read = match payments.reduce(&LogId::derived("account", "1")).await {
        Ok(payment) => payment.aggregate().requested.to_string(),
        Err(error) => error.to_string(),
    };
    let (log_id, options) = (LogId::new(), CreateOptions::default());
    match payments
        .create(&log_id, &PaymentEvent::Voided, &options)
        .await
    {
        Err(LogManagerError::Store(error)) => format!("{read}; {error}"),
        other => format!("{read}; {other:?}"),
    }
}

async fn write(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let payments = payments(SqliteEventStore::open(path).await?);
    payments
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await?;
    Ok(())
}
