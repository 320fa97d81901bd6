//! Runs examples and git as a user would, in a folder that is removed afterwards.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A folder for one test, without the user's configuration.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder.
    folder: TempDir,
}

/// The outcome of a run of `git_history`.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) printed: String,
    /// Its error output.
    pub(crate) complained: String,
}

impl Place {
    /// Makes an empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// Returns a path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes the command for a program in a clean environment. Its temporary files go into the folder, too.
    fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            // Tests use a file, unless they name a server. `scripts/test` runs the examples on servers.
            .env_remove("EVENTLOGS_POSTGRES_URL")
            .env_remove("EVENTLOGS_REDIS_URL")
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env(
                "GIT_CEILING_DIRECTORIES",
                self.folder
                    .path()
                    .parent()
                    .expect("a folder is in a folder"),
            )
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .stdin(Stdio::null());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Tester")
                .env(format!("GIT_{role}_EMAIL"), "tester@example.org");
        }
        command
    }

    /// Runs git in a repository, which must succeed, and returns its output.
    pub(crate) fn git(&self, repository: &str, arguments: &[&str]) -> String {
        let output = self
            .program("git")
            .args(["-C", repository])
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Makes a repository with a work tree and one file, `file`.
    pub(crate) fn small_repository(&self, name: &str) {
        self.git(".", &["init", "--quiet", "--initial-branch=main", name]);
        self.commit_file(name, "file", "one\n");
    }

    /// Writes and commits a file.
    pub(crate) fn commit_file(&self, repository: &str, file: &str, content: &str) {
        let path = self.path(repository).join(file);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder"))
            .expect("a folder is made");
        std::fs::write(path, content).expect("a file is written");
        self.git(repository, &["add", "--", file]);
        self.git(repository, &["commit", "--quiet", "--message", file]);
    }

    /// Makes a folder with a git that reports an old version.
    pub(crate) fn old_git(&self) -> PathBuf {
        let folder = self.path("old");
        let script = "#!/bin/sh\necho git version 2.20.1\n";
        std::fs::create_dir(&folder).expect("a folder is made");
        std::fs::write(folder.join("git"), script).expect("a script is written");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.join("git"), executable).expect("a script is made to run");
        folder
    }

    /// Makes the repository of the example `odd_repository`.
    pub(crate) fn odd_repository(&self, name: &str, arguments: &[&str]) {
        let output = self
            .program(example("odd_repository"))
            .arg(name)
            .args(arguments)
            .output();
        let output = output.expect("odd_repository runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Makes the command for an example.
    pub(crate) fn example(&self, name: &str) -> Command {
        self.program(example(name))
    }

    /// Makes the command for the example `git_history`.
    pub(crate) fn git_history(&self) -> Command {
        self.example("git_history")
    }

    /// Imports a repository into a database, and waits for the end.
    pub(crate) fn import(&self, repository: &str, database: &str) -> Outcome {
        self.git_history()
            .args([repository, "--database", database])
            .output()
            .expect("git_history runs")
            .into()
    }

    /// Starts to import a repository into a database.
    pub(crate) fn start_import(&self, repository: &str, database: &str) -> Child {
        let mut command = self.git_history();
        command
            .args([repository, "--database", database])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("git_history starts")
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            printed: String::from_utf8_lossy(&output.stdout).into_owned(),
            complained: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// Checks that the run succeeded, and returns the outcome.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.printed, self.complained);
        for words in ["files alive are those of HEAD", "files that the logs have"] {
            assert!(self.printed.contains(words), "{}", self.printed);
        }
        assert_eq!(self.complained, "");
        self
    }

    /// Checks that the run failed with a message that has these words.
    #[track_caller]
    pub(crate) fn failed_with(&self, words: &str) {
        assert_eq!(self.code, Some(1), "{}\n{}", self.printed, self.complained);
        assert!(
            self.complained.starts_with("error: "),
            "{}",
            self.complained
        );
        assert!(
            self.complained.contains(words),
            "no `{words}` in: {}",
            self.complained
        );
        assert!(!self.complained.contains("panicked"), "{}", self.complained);
    }

    /// Returns the number before these words.
    #[track_caller]
    pub(crate) fn number(&self, words: &str) -> u64 {
        let before = self
            .printed
            .split(words)
            .next()
            .filter(|before| before.len() < self.printed.len());
        let number = before.and_then(|before| before.rsplit(|c: char| !c.is_ascii_digit()).next());
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("no `{words}` in: {}", self.printed))
    }

    /// Returns the totals of the history: the printed tables of files, and the numbers of commits, logs and events. They do
    /// not depend on the number of runs.
    #[track_caller]
    pub(crate) fn totals(&self) -> (u64, u64, u64, String) {
        let tables = self
            .printed
            .split("\nBusiest files")
            .nth(1)
            .and_then(|rest| rest.split("\nHow fast").next());
        let tables = tables.unwrap_or_else(|| panic!("no tables in: {}", self.printed));
        let numbers = [" commits in ", " logs", " events reduced"].map(|words| self.number(words));
        (numbers[0], numbers[1], numbers[2], tables.to_owned())
    }
}

/// Returns the path of an example's program. Cargo puts it next to the tests of the same profile.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its path");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("a test is two folders deep in the target folder");
    let example = profile
        .join("examples")
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        example.exists(),
        "{} is missing; run `cargo test -p examples`, which builds it",
        example.display()
    );
    example
}
