//! Servers that belong to one test, which may stop, kill and restart them.

mod copies;

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
    /// Starts one with further command-line arguments, in which `{port}` stands for its port; `None` without binaries.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let mut redis = Self {
            server: redis_server()?,
            port: 0,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            folder: tempfile::tempdir().expect("a folder for the server"),
            process: None,
        };
        // Another test may take the port before this server listens on it.
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

    /// Returns the address on which it listens.
    pub(crate) fn address(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }

    /// Stops its answers, while the system still accepts connections.
    pub(crate) fn suspend(&self) {
        signal("STOP", self.process.as_ref().expect("the server runs").id());
    }

    pub(crate) fn resume(&self) {
        signal("CONT", self.process.as_ref().expect("the server runs").id());
    }

    pub(crate) fn kill(&mut self) {
        end(&mut self.process);
    }

    /// Starts it again after a kill, empty and on the same port.
    pub(crate) async fn restart(&mut self) {
        assert!(self.try_start().await, "the server does not start again");
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
        // The log decides, because another program might answer on the port.
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

/// A PostgreSQL on a port of its own, which accepts every user of this machine.
pub(crate) struct PrivatePostgres {
    binaries: PathBuf,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

impl PrivatePostgres {
    /// Starts one with further settings, such as `max_connections=5`; `None` without binaries.
    pub(crate) async fn start(settings: &[&str]) -> Option<Self> {
        let mut postgres = Self::without_data(postgres_binaries()?, settings);
        let output = postgres
            .command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--no-locale", "--no-sync", "--no-instructions", "-D"])
            .arg(postgres.data())
            .output()
            .expect("initdb can be run");
        assert!(output.status.success(), "initdb failed: {output:?}");
        postgres.start_on_free_port().await;
        Some(postgres)
    }

    /// Makes the folder for a server.
    fn without_data(binaries: PathBuf, settings: &[impl AsRef<str>]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("eventlogs-postgres-")
            // Not in TMPDIR: another user must be able to enter the folder, and the path of a socket must be short.
            .tempdir_in("/tmp")
            .expect("a folder for the server");
        if let Some((user, group)) = other_user() {
            chown(folder.path(), Some(user), Some(group)).expect("root may change the owner");
        }
        let settings = settings.iter();
        let settings = settings.map(|setting| setting.as_ref().to_owned());
        Self {
            binaries,
            port: 0,
            settings: settings.collect(),
            folder,
            process: None,
        }
    }

    async fn start_on_free_port(&mut self) {
        for _ in 0..5 {
            self.port = free_port();
            if self.try_start().await {
                return;
            }
        }
        let log = std::fs::read_to_string(self.folder.path().join("log"));
        panic!("PostgreSQL does not start:\n{}", log.unwrap_or_default());
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops answers to new connections, while the system still accepts them. Sessions continue.
    pub(crate) fn suspend(&self) {
        signal("STOP", self.process.as_ref().expect("the server runs").id());
    }

    pub(crate) fn resume(&self) {
        signal("CONT", self.process.as_ref().expect("the server runs").id());
    }

    /// Stops the process of one session in the middle of any operation.
    pub(crate) fn suspend_session(process: u32) {
        signal("STOP", process);
    }

    pub(crate) fn resume_session(process: u32) {
        signal("CONT", process);
    }

    /// Shuts it down as an administrator would, and starts it again as a standby, which is read-only until it is promoted.
    pub(crate) async fn restart_as_standby(&mut self) {
        self.shut_down();
        let mark = self.data().join("standby.signal");
        File::create(&mark).expect("the test owns the folder");
        if let Some((user, group)) = other_user() {
            chown(&mark, Some(user), Some(group)).expect("root may change the owner");
        }
        self.restart().await;
    }

    /// Shuts it down as an administrator would.
    pub(crate) fn shut_down(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal("INT", process.id());
            process.wait().expect("the server is a child process");
        }
    }

    /// Ends it immediately, as a crash would: all connections break, and the next start recovers.
    pub(crate) fn crash(&mut self) {
        // Not a kill, after which the processes of the connections would have to notice by themselves.
        if let Some(process) = &self.process {
            signal("QUIT", process.id());
        }
        if let Some(mut process) = self.process.take() {
            process.wait().expect("the server is a child process");
        }
    }

    /// Starts it again after a crash, with the same data and on the same port.
    pub(crate) async fn restart(&mut self) {
        assert!(self.try_start().await, "the server does not start again");
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

    /// Returns a command for one of the binaries, which refuse to run as root.
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

/// Gives a file or a folder to the user who runs the servers, and to no other user.
pub(super) fn give_to_server(path: &Path) {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("the test owns the file");
    if let Some((user, group)) = other_user() {
        chown(path, Some(user), Some(group)).expect("root may change the owner");
    }
}

/// Returns the user and group to run as, if this process is root: those of the package, or `nobody`.
pub(super) fn other_user() -> Option<(u32, u32)> {
    // The owner of this process, without a dependency for it.
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

/// Returns a free loopback port below the range that the system uses for outgoing connections. A client that connects again and
/// again could otherwise get the server's own port, and connect to itself.
pub(super) fn free_port() -> u16 {
    loop {
        let port = 20_000 + u16::try_from(uuid::Uuid::now_v7().as_u128() % 12_000).unwrap_or(0);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn signal(name: &str, process: u32) {
    // The shell's builtin `kill`: not every system has it as a program.
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

/// Waits until a server is ready; returns `false` if it has ended instead.
pub(super) async fn until_ready(process: &mut Option<Child>, ready: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Some(child) = process {
        if ready() {
            return true;
        }
        if child
            .try_wait()
            .expect("the server is a child process")
            .is_some()
            || Instant::now() > deadline
        {
            end(process);
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
