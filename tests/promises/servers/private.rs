//! Servers that belong to one test, which may stop, kill and restart them.

use super::{postgres_binaries, redis_server};
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A Redis on a port of its own, without persistence.
pub(crate) struct PrivateRedis {
    server: PathBuf,
    port: u16,
    arguments: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

impl PrivateRedis {
    /// Starts one with further arguments, as on the command line, in which `{port}` stands for its port; nothing if there are no
    /// binaries.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let mut redis = Self {
            server: redis_server()?,
            port: 0,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            folder: tempfile::tempdir().expect("a folder for the server"),
            process: None,
        };
        // Between finding a port and listening on it, another test may take it.
        for _ in 0..5 {
            redis.port = free_port();
            if redis.try_start().await {
                return Some(redis);
            }
        }
        panic!("redis-server does not start:\n{}", redis.log());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }

    /// Nothing is answered any more, while the system goes on accepting connections.
    pub(crate) fn suspend(&self) {
        signal("STOP", self.process.as_ref().expect("it runs").id());
    }

    pub(crate) fn resume(&self) {
        signal("CONT", self.process.as_ref().expect("it runs").id());
    }

    pub(crate) fn kill(&mut self) {
        end(&mut self.process);
    }

    /// Starts it again after a kill, empty and on the same port.
    pub(crate) async fn restart(&mut self) {
        assert!(self.try_start().await, "it does not start again");
    }

    async fn try_start(&mut self) -> bool {
        let log = self.folder.path().join("log");
        let _ = std::fs::remove_file(&log);
        let port = self.port.to_string();
        let process = Command::new(&self.server)
            .args(["--port", &port, "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .arg("--logfile")
            .arg(&log)
            .args(
                self.arguments
                    .iter()
                    .map(|argument| argument.replace("{port}", &port)),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server can be run");
        self.process = Some(process);
        // Its own word, because on the port somebody else might answer.
        until_ready(&mut self.process, || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.contains("Ready to accept connections")
        })
        .await
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A PostgreSQL on a port of its own, into which everybody on this machine is let.
pub(crate) struct PrivatePostgres {
    binaries: PathBuf,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

impl PrivatePostgres {
    /// Starts one with further settings, such as `max_connections=5`; nothing if there are no binaries.
    pub(crate) async fn start(settings: &[&str]) -> Option<Self> {
        let binaries = postgres_binaries()?;
        let folder = tempfile::Builder::new()
            .prefix("eventlogs-postgres-")
            // Not where TMPDIR says: another user must be able to go there, and a socket's path must be short.
            .tempdir_in("/tmp")
            .expect("a folder for the server");
        let mut postgres = Self {
            binaries,
            port: 0,
            settings: settings.iter().map(ToString::to_string).collect(),
            folder,
            process: None,
        };
        if let Some((user, group)) = other_user() {
            chown(postgres.folder.path(), Some(user), Some(group)).expect("root may do that");
        }
        let output = postgres
            .command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--no-locale", "--no-sync", "--no-instructions", "-D"])
            .arg(postgres.data())
            .output()
            .expect("initdb can be run");
        assert!(output.status.success(), "initdb failed: {output:?}");
        for _ in 0..5 {
            postgres.port = free_port();
            if postgres.try_start().await {
                return Some(postgres);
            }
        }
        let log = std::fs::read_to_string(postgres.folder.path().join("log"));
        panic!("PostgreSQL does not start:\n{}", log.unwrap_or_default());
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The system goes on accepting connections, and nobody answers on them. Sessions go on.
    pub(crate) fn suspend(&self) {
        signal("STOP", self.process.as_ref().expect("it runs").id());
    }

    pub(crate) fn resume(&self) {
        signal("CONT", self.process.as_ref().expect("it runs").id());
    }

    /// Stops the process of one session in the middle of whatever it does.
    pub(crate) fn suspend_session(process: u32) {
        signal("STOP", process);
    }

    pub(crate) fn resume_session(process: u32) {
        signal("CONT", process);
    }

    /// Ends it as an administrator would, and starts it again as a standby, which only reads until it is promoted.
    pub(crate) async fn restart_as_standby(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal("INT", process.id());
            process.wait().expect("it is our child");
        }
        let mark = self.data().join("standby.signal");
        File::create(&mark).expect("the folder is ours");
        if let Some((user, group)) = other_user() {
            chown(&mark, Some(user), Some(group)).expect("root may do that");
        }
        self.restart().await;
    }

    /// Ends it at once, as a crash would: all connections break, and the next start recovers.
    pub(crate) fn crash(&mut self) {
        // Not a kill, which would leave the processes of the connections to notice by themselves.
        if let Some(process) = &self.process {
            signal("QUIT", process.id());
        }
        if let Some(mut process) = self.process.take() {
            process.wait().expect("it is our child");
        }
    }

    /// Starts it again after a crash, with the same data and on the same port.
    pub(crate) async fn restart(&mut self) {
        assert!(self.try_start().await, "it does not start again");
    }

    async fn try_start(&mut self) -> bool {
        let log = File::create(self.folder.path().join("log")).expect("a log file");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        command.arg("-k").arg(self.folder.path());
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let process = command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres can be run");
        self.process = Some(process);
        let ready_file = self.data().join("postmaster.pid");
        let pid = self
            .process
            .as_ref()
            .map(|process| process.id().to_string());
        until_ready(&mut self.process, || {
            let lines = std::fs::read_to_string(&ready_file).unwrap_or_default();
            lines.lines().next().map(ToOwned::to_owned) == pid
                && lines
                    .lines()
                    .any(|line| matches!(line.trim(), "ready" | "standby"))
        })
        .await
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of the binaries, not as root, which they refuse.
    fn command(&self, binary: impl AsRef<Path>) -> Command {
        let mut command = Command::new(self.binaries.join(binary));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.crash();
    }
}

/// Makes a file or a folder the one of those who run the servers, and of nobody else.
pub(super) fn give_to_server(path: &Path) {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    if let Some((user, group)) = other_user() {
        chown(path, Some(user), Some(group)).expect("root may do that");
    }
}

/// The user and group to run as, if we are root: whoever the packages made for it, else nobody.
pub(super) fn other_user() -> Option<(u32, u32)> {
    // The owner of our own processes, without a dependency to ask for it.
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    ["postgres:", "nobody:"].iter().find_map(|name| {
        let user = users.lines().find(|line| line.starts_with(name))?;
        let mut fields = user.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

/// A loopback port on which nobody listens, below those that the system hands out for outgoing connections: a client
/// that asks again and again would otherwise be given the server's own port, and talk to itself.
pub(super) fn free_port() -> u16 {
    loop {
        let port = 20_000 + u16::try_from(uuid::Uuid::now_v7().as_u128() % 12_000).unwrap_or(0);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn signal(name: &str, process: u32) {
    // The shell's own `kill`: not every system has it as a program.
    let command = format!("kill -{name} {process}");
    let status = Command::new("sh")
        .args([OsStr::new("-c"), command.as_ref()])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{command}");
}

pub(super) fn end(process: &mut Option<Child>) {
    if let Some(mut process) = process.take() {
        // Stopped processes are ended by it, too.
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Waits until a server says so; false if it has ended instead.
pub(super) async fn until_ready(process: &mut Option<Child>, ready: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Some(child) = process {
        if ready() {
            return true;
        }
        if child.try_wait().expect("it is our child").is_some() || Instant::now() > deadline {
            end(process);
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
