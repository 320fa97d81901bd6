//! Two processes, which are killed in the middle of transfers and begin again.

use super::accounts::{Account, Bank};
use super::audit::check;
use super::clients::{Answer, CLIENTS, Told, transfer_all};
use crate::model::effort;
use crate::processes::{Place, follow, postgres, spawn_test, task_of_child};
use std::collections::HashSet;
use std::io::Write;
use std::process::Child;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

/// The work of a child process, which the tests below start. When run as a test, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some((place, child, transfers)) = task_of_child() else {
        return;
    };
    let accounts = place.open::<Account>().await;
    let bank = Bank::named(&place.to_text());
    let clients = child * CLIENTS..(child + 1) * CLIENTS;
    let more = move |nth| nth < transfers;
    transfer_all(&[accounts], &bank, clients, more, tell).await;
}

/// One write per line, so that the lines of several tasks do not mix.
fn tell(told: Told) {
    let line = format!("\nTOLD\t{}\t{:?}\n", told.transfer, told.answer);
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// The last line of a killed process may be cut short; then its client was not told.
fn parse(line: &str) -> Option<Told> {
    let fields: Vec<_> = line.split('\t').collect();
    let ["TOLD", transfer, answer] = fields[..] else {
        return None;
    };
    let answers = [Answer::Accepted, Answer::Refused, Answer::Doubtful];
    let mut answers = answers.into_iter();
    let answer = answers.find(|one| format!("{one:?}") == answer)?;
    Some(Told {
        transfer: transfer.parse().ok()?,
        // An attempt of an earlier process, which was killed, may still be on its way.
        answer: match answer {
            Answer::Accepted => answer,
            Answer::Refused | Answer::Doubtful => Answer::Doubtful,
        },
    })
}

/// A child process, with what it has told.
struct Running {
    child: Child,
    told: JoinHandle<Vec<Told>>,
    heard: Receiver<()>,
}

impl Running {
    /// Starts a process. It begins with its first transfer, also if it was killed before.
    fn start(place: &Place, number: u64, transfers: u64) -> Self {
        let mut child = spawn_test("money::processes::child", place, number, transfers);
        let (told, heard) = follow(&mut child, parse);
        Self { child, told, heard }
    }

    fn kill(mut self) -> Vec<Told> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.told.join().unwrap()
    }

    fn end(mut self) -> Vec<Told> {
        let told = self.told.join().unwrap();
        assert!(self.child.wait().unwrap().success(), "the process fails");
        told
    }
}

async fn transfers_survive_kills(place: Place) {
    let accounts = place.open::<Account>().await;
    let bank = Bank::opened(&accounts, &place.to_text()).await;
    let transfers = u64::from(effort::scaled(40));
    let mut all = Vec::new();
    let mut running: Vec<_> = (0..2)
        .map(|number| Running::start(&place, number, transfers))
        .collect();
    for kill in 0..u64::from(effort::scaled(6)) {
        let heard = running[0].heard.recv_timeout(Duration::from_mins(1));
        heard.expect("a child process reports a line");
        // At some point in the middle of its work, a different one each time.
        tokio::time::sleep(Duration::from_millis(5 + kill * 19 % 80)).await;
        all.extend(running.remove(0).kill());
        running.push(Running::start(&place, kill % 2, transfers));
    }
    for one in running {
        all.extend(one.end());
    }
    let answered: HashSet<_> = all.iter().map(|told| told.transfer).collect();
    assert_eq!(answered.len() as u64, 2 * CLIENTS * transfers);
    check(&accounts, &bank, &all).await;
}

#[tokio::test]
async fn transfers_survive_kills_on_one_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.db").display().to_string();
    transfers_survive_kills(Place::Sqlite(file)).await;
}

#[tokio::test]
async fn transfers_survive_kills_on_postgres() {
    if let Some(place) = postgres().await {
        transfers_survive_kills(place).await;
    }
}
