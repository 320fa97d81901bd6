//! A rolling deployment, forwards and back: two releases of a program run at the same time on one store.

#[expect(dead_code, reason = "most of it is for the tests of `git_history`")]
mod support;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use support::Place;

/// A running release.
struct Program {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The servers of a deployment. Without them, the store is a file, and each program has a cache of its own.
#[derive(Default)]
struct Servers {
    postgres: Option<String>,
    redis: Option<String>,
}

impl Program {
    fn start(place: &Place, example: &str, servers: &Servers) -> Self {
        let mut command = place.example(example);
        command
            .arg(place.path("payments.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(url) = &servers.postgres {
            command.env("EVENTLOGS_POSTGRES_URL", url);
        }
        if let Some(url) = &servers.redis {
            command.env("EVENTLOGS_REDIS_URL", url);
        }
        let mut child = command.spawn().expect("the release starts");
        Self {
            commands: child.stdin.take().expect("it is piped"),
            answers: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
        }
    }

    /// Sends a command without waiting for the answer.
    #[track_caller]
    fn send(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the release reads");
    }

    #[track_caller]
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it is text");
        line.trim_end().to_owned()
    }

    #[track_caller]
    fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.answer()
    }

    /// Ends the program, which must not have failed.
    #[track_caller]
    fn stop(self) {
        let Self {
            mut child,
            commands,
            ..
        } = self;
        drop(commands);
        let status = child.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

/// What both releases have written, in cents.
#[derive(Default)]
struct Written {
    first: Vec<u64>,
    second: Vec<u64>,
}

impl Written {
    /// Returns the sums as both releases must print them.
    fn sums(&self) -> String {
        let [first, second]: [u64; 2] =
            [&self.first, &self.second].map(|written| written.iter().sum());
        let (announced, both) = (self.first.len(), first + second);
        format!("announced {announced}, captured {both}, refunded {both}, disputed {second}")
    }
}

/// Rolls the second release out and back, and out again.
fn deploy(servers: &Servers) {
    let place = Place::new();
    // The database of a server has the logs of other runs, too.
    let payment = uuid::Uuid::now_v7();
    let write = |cents: u64| format!("write {payment} {cents}");
    let sums = format!("sums {payment}");
    let mut written = Written::default();

    let mut first = Program::start(&place, "release_1", servers);
    assert_eq!(first.ask(&write(1)), "written");
    written.first.push(1);
    assert_eq!(first.ask(&sums), written.sums());

    // Both run. Each reads what the other one writes, and writes on.
    let mut second = Program::start(&place, "release_2", servers);
    assert_eq!(second.ask(&sums), written.sums());
    for cents in [10, 200, 3_000] {
        assert_eq!(second.ask(&write(cents)), "written");
        written.second.push(cents);
        assert_eq!(first.ask(&sums), written.sums());
        assert_eq!(first.ask(&write(cents)), "written");
        written.first.push(cents);
        assert_eq!(second.ask(&sums), written.sums());
    }
    // At the same time.
    for cents in 1..=20 {
        first.send(&write(cents));
        second.send(&write(cents));
        written.first.push(cents);
        written.second.push(cents);
    }
    for _ in 1..=20 {
        assert_eq!(first.answer(), "written");
        assert_eq!(second.answer(), "written");
    }
    assert_eq!(first.ask(&sums), written.sums());
    assert_eq!(second.ask(&sums), written.sums());

    // Back: only the first release is left. A new process of it has nothing in its own cache.
    second.stop();
    assert_eq!(first.ask(&write(7)), "written");
    written.first.push(7);
    let mut restarted = Program::start(&place, "release_1", servers);
    assert_eq!(restarted.ask(&sums), written.sums());
    first.stop();
    assert_eq!(restarted.ask(&write(8)), "written");
    written.first.push(8);

    // And out again, for good.
    let mut second = Program::start(&place, "release_2", servers);
    assert_eq!(second.ask(&sums), written.sums());
    restarted.stop();
    assert_eq!(second.ask(&write(9)), "written");
    written.second.push(9);
    assert_eq!(second.ask(&sums), written.sums());
    second.stop();
}

#[test]
fn a_release_is_rolled_out_and_back_on_sqlite() {
    deploy(&Servers::default());
}

#[test]
fn a_release_is_rolled_out_and_back_on_postgres_with_a_shared_cache() {
    let [postgres, redis] =
        ["EVENTLOGS_POSTGRES_URL", "EVENTLOGS_REDIS_URL"].map(|name| env::var(name).ok());
    if postgres.is_none() {
        assert!(
            env::var_os("EVENTLOGS_SERVERS").is_none(),
            "EVENTLOGS_POSTGRES_URL is not set"
        );
        return;
    }
    deploy(&Servers { postgres, redis });
}
