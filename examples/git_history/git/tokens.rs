//! The output of a running git command, one NUL-terminated token at a time.

use super::error::{GitError, said};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How much of git's complaints is kept. The first ones matter.
const KEPT_COMPLAINTS: u64 = 4096;

/// A running git command. Memory holds one token, not the output. Dropped early, it ends the command.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The process.
    child: Child,
    /// What it prints.
    output: BufReader<ChildStdout>,
    /// Collects what it complains about. A task of its own, because git would stop and wait if nobody read that.
    complaints: Option<JoinHandle<Vec<u8>>>,
    /// What it was asked to do, for messages.
    name: &'static str,
}

impl Tokens {
    /// Starts a command.
    pub(crate) fn start(mut command: Command, name: &'static str) -> Result<Self, GitError> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(GitError::CannotRun)?;
        let missing = || GitError::CannotRun(std::io::ErrorKind::BrokenPipe.into());
        let output = BufReader::with_capacity(64 * 1024, child.stdout.take().ok_or_else(missing)?);
        let mut stderr = child.stderr.take().ok_or_else(missing)?;
        let complaints = tokio::spawn(async move {
            let mut kept = Vec::new();
            // What cannot be read of the complaints is not worth another complaint.
            let _ = (&mut stderr)
                .take(KEPT_COMPLAINTS)
                .read_to_end(&mut kept)
                .await;
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            kept
        });
        Ok(Self {
            child,
            output,
            complaints: Some(complaints),
            name,
        })
    }

    /// The next token, without its NUL; `None` at the end of a successful command's output.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, GitError> {
        let unreadable = |source| GitError::Unreadable {
            command: self.name,
            source,
        };
        let mut token = Vec::new();
        self.output
            .read_until(b'\0', &mut token)
            .await
            .map_err(unreadable)?;
        if token.pop_if(|last| *last == b'\0').is_some() {
            return Ok(Some(token));
        }
        // The output has ended. Only now can git tell whether it was complete.
        let status = self.child.wait().await.map_err(unreadable)?;
        let complaints = match self.complaints.take() {
            Some(complaints) => complaints.await.unwrap_or_default(),
            None => Vec::new(),
        };
        if status.success() && token.is_empty() {
            Ok(None)
        } else {
            Err(GitError::Failed {
                command: self.name,
                said: said(&complaints),
            })
        }
    }
}
