//! Makes a git repository that has every odd thing a history can have, to try `git_history` on it.
//!
//! ```text
//! cargo run --example odd_repository -- /tmp/odd.git
//! cargo run --example git_history -- /tmp/odd.git
//! ```
//!
//! `--random SEED` makes a random history instead, which is the same for the same seed. The repository is bare, because many
//! of its paths cannot be checked out on most systems.

mod odd;
mod random;
mod stream;
mod tree;

use std::error::Error;
use std::io::BufWriter;
use std::process::{Command, ExitCode, Stdio};
use stream::Stream;

/// How to use the example.
const USAGE: &str = "Usage: cargo run --example odd_repository -- NEW_PATH [--random SEED]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seed = match *arguments.as_slice() {
        [path] if !path.starts_with('-') => Ok((path, None)),
        [path, "--random", seed] => seed.parse().map(|seed| (path, Some(seed))).map_err(|_| ()),
        _ => Err(()),
    };
    let Ok((path, seed)) = seed else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match make(path, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the repository: the scripted history, or the random one of a seed.
fn make(path: &str, seed: Option<u64>) -> Result<(), Box<dyn Error>> {
    if std::fs::exists(path)? {
        return Err(format!("`{path}` exists already; give a path that does not exist").into());
    }
    let status = git()
        .args([
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            "--",
            path,
        ])
        .status()?;
    if !status.success() {
        return Err("`git init` failed; see its message above".into());
    }
    // Git reads a whole history from one stream, quickly and without a work tree.
    let mut import = git()
        .args([
            "-C",
            path,
            "fast-import",
            "--quiet",
            "--date-format=raw-permissive",
        ])
        .stdin(Stdio::piped())
        .spawn()?;
    let input = import
        .stdin
        .take()
        .ok_or("`git fast-import` has no input")?;
    let mut stream = Stream::new(BufWriter::new(input));
    let told = match seed {
        None => odd::tell(&mut stream),
        Some(seed) => random::tell(&mut stream, seed),
    };
    // Git's own message, if there is one, says more than the error that git stopped reading.
    drop(stream);
    if !import.wait()?.success() {
        return Err("`git fast-import` failed; see its message above".into());
    }
    Ok(told?)
}

/// Makes a git command without any user's configuration, so that the repository is the same everywhere.
fn git() -> Command {
    let mut command = Command::new("git");
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for variable in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
    ] {
        command.env_remove(variable);
    }
    command
}
