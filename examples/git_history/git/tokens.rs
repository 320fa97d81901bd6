//! The output of a running git command, one NUL-terminated token at a time.

use super::error::{GitError, said};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// The number of bytes of git's error output that are kept. The first ones matter.
const KEPT_COMPLAINTS: u64 = 4096;

/// A running git command. Memory holds one token, not the whole output. Dropping it early ends the command.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The process.
    child: Child,
    /// Its standard output.
    output: BufReader<ChildStdout>,
    /// Collects its error output. This is a separate task, because git would stop and wait if no one read that output.
    complaints: Option<JoinHandle<Vec<u8>>>,
    /// The command's name, for messages.
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
            // If the error output cannot be read, that is not worth another error.
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

    /// Returns the next token, without its NUL; `None` at the end of a successful command's output.
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
        // The output has ended. Only the exit status says whether it was complete.
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
