//! A PgBouncer for one test.

use super::private::{end, free_port, other_user, until_ready};
use super::{pgbouncer, postgres_url};
use sqlx::postgres::PgConnectOptions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A PgBouncer between a test and the shared PostgreSQL, which accepts every client.
pub(crate) struct PgBouncer {
    binary: PathBuf,
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl PgBouncer {
    /// Starts one with these lines of configuration, such as `pool_mode = session`; `None` without a binary.
    pub(crate) async fn start(lines: &[&str]) -> Option<Self> {
        let (server, binary) = (postgres_url()?, pgbouncer()?);
        let folder = tempfile::Builder::new()
            .prefix("eventlogs-pgbouncer-")
            // Not in TMPDIR: another user must be able to enter the folder.
            .tempdir_in("/tmp")
            .expect("a folder for PgBouncer");
        let mut bouncer = Self {
            binary,
            port: 0,
            folder,
            process: None,
        };
        // Another test may take the port before this server listens on it.
        for _ in 0..5 {
            bouncer.port = free_port();
            bouncer.configure(&server, lines);
            if bouncer.try_start().await {
                return Some(bouncer);
            }
        }
        panic!("pgbouncer does not start:\n{}", bouncer.log());
    }

    /// Returns the options to connect to it. It logs in to the server by itself.
    pub(crate) fn connect(&self) -> PgConnectOptions {
        let url = format!("postgres://anybody@127.0.0.1:{}/postgres", self.port);
        url.parse().expect("a valid URL")
    }

    fn configure(&self, server: &str, lines: &[&str]) {
        let connect: PgConnectOptions = server.parse().expect("a valid URL");
        // The driver does not expose the password.
        let password = server
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .and_then(|(user, _)| user.split_once(':'))
            .map_or("", |(_, password)| password);
        let configuration = format!(
            "[databases]\n* = host={} port={} user={} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = any\nmax_client_conn = 500\nlogfile = {}\n{}\n",
            connect.get_host(),
            connect.get_port(),
            connect.get_username(),
            self.port,
            self.log_file().display(),
            lines.join("\n"),
        );
        let file = self.folder.path().join("pgbouncer.ini");
        std::fs::write(&file, configuration).expect("the test owns the folder");
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, owner_only).expect("the test owns the file");
        // PgBouncer refuses to run as root.
        if let Some((user, group)) = other_user() {
            for path in [self.folder.path(), &file] {
                chown(path, Some(user), Some(group)).expect("root may change the owner");
            }
        }
    }

    async fn try_start(&mut self) -> bool {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.path()).arg("pgbouncer.ini");
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer can be run");
        self.process = Some(process);
        let log = self.log_file();
        // The log decides, because another program might answer on the port.
        until_ready(&mut self.process, || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.contains("process up")
        })
        .await
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}
