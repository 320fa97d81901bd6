//! Runs examples and git as a user would, in a folder that is gone afterwards.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A folder for one test, with nothing of the user's configuration.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder.
    folder: TempDir,
}

/// How a run of `git_history` ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) printed: String,
    /// What it complained about.
    pub(crate) complained: String,
}

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program, in an environment of its own. Its temporary files, too, go into the folder.
    fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            // These tests are about the file; servers are tried where they are asked for.
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

    /// Runs git in a repository; it must succeed. Returns what it printed.
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

    /// A folder with a git that says it is an old one.
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

    /// The example `git_history`, ready to run.
    pub(crate) fn git_history(&self) -> Command {
        self.program(example("git_history"))
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
    /// The same outcome, if all went well.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.printed, self.complained);
        assert!(
            self.printed.contains("files alive are those of HEAD"),
            "{}",
            self.printed
        );
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

    /// The number in front of these words.
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

    /// What the history adds up to: all that is printed of files, and how many commits, logs and events there are.
    /// It does not depend on how many runs it took.
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

/// An example's program. Cargo puts it beside the tests of the same profile.
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
