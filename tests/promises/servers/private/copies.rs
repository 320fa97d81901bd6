//! Copies of a server: one that follows it, its earlier state, and a dump of its tables.

use super::PrivatePostgres;
use std::path::PathBuf;
use std::process::Command;

impl PrivatePostgres {
    /// Starts a server that follows this one.
    pub(crate) async fn standby(&self) -> Self {
        let mut standby = Self::without_data(self.binaries.clone(), &self.settings);
        let mut copy = standby.command("pg_basebackup");
        copy.args(["-h", "127.0.0.1", "-U", "postgres", "-p"])
            .arg(self.port.to_string())
            .args(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-D"])
            .arg(standby.data());
        run(&mut copy);
        standby.start_on_free_port().await;
        standby
    }

    /// Copies its files, while it is stopped.
    pub(crate) async fn keep_state(&mut self) {
        self.shut_down();
        run(Command::new("cp")
            .args(["-a"])
            .arg(self.data())
            .arg(self.kept_data()));
        self.restart().await;
    }

    /// Replaces its files by those that were copied, as one who restores a disk does.
    pub(crate) async fn return_to_kept_state(&mut self) {
        self.crash();
        std::fs::remove_dir_all(self.data()).expect("the test owns the folder");
        run(Command::new("cp")
            .args(["-a"])
            .arg(self.kept_data())
            .arg(self.data()));
        self.restart().await;
    }

    /// Restores a dump of the database `postgres` of this server into that of another one.
    pub(crate) fn dump_into(&self, other: &Self) {
        let dump = self.folder.path().join("dump.sql");
        run(self.command("pg_dump").arg(self.url()).arg("-f").arg(&dump));
        run(other
            .command("psql")
            .args(["-q", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(other.url())
            .arg("-f")
            .arg(&dump));
    }

    fn kept_data(&self) -> PathBuf {
        self.folder.path().join("kept")
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program can be run");
    assert!(output.status.success(), "{command:?}: {output:?}");
}
