//! The signal that a store's writer gives after a commit.

use tokio::sync::watch;

/// Gives the signal. Giving it costs some nanoseconds while nobody waits.
#[derive(Debug)]
pub struct CommitSignal(watch::Sender<()>);

/// Waits for the signal that something was committed in this process.
///
/// The signal is a hint: it can be missed, and other processes do not give it. Whoever waits for it also looks from time to
/// time.
#[derive(Debug, Clone)]
pub struct Commits(watch::Receiver<()>);

impl CommitSignal {
    /// Makes a signal that nobody waits for yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Wakes everybody who waits.
    pub fn give(&self) {
        self.0.send_replace(());
    }

    /// Returns a receiver of the signals from now on.
    #[must_use]
    pub fn receiver(&self) -> Commits {
        Commits(self.0.subscribe())
    }
}

impl Default for CommitSignal {
    fn default() -> Self {
        Self::new()
    }
}

impl Commits {
    /// Waits for the next signal; for ever, if there is nobody to give it any more.
    ///
    /// A signal that is given while nobody waits is kept until the next call.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
