//! Keeps a timer of the runtime due soon, as long as operations begin.
//!
//! Each operation waits for its answer with a time limit of some seconds. If no other timer is due earlier, the runtime wakes a
//! sleeping thread for each new limit, to have it sleep for less. That takes a small read some per cent of its time (see
//! "Figures" in ARCHITECTURE). A timer that is due every few milliseconds prevents it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// The time until the timer is due: shorter than all time limits.
const TICK: Duration = Duration::from_millis(5);

/// Runs a task with a timer while operations begin. It ends after one tick without a new operation.
#[derive(Default)]
pub(super) struct Keeper(Arc<State>);

#[derive(Default)]
struct State {
    /// `true` if an operation has begun since the last tick.
    is_used: AtomicBool,
    /// `true` while the task runs.
    is_running: AtomicBool,
}

impl Keeper {
    /// Notes that an operation begins.
    pub(super) fn touch(&self) {
        let state = &self.0;
        if !state.is_used.load(Ordering::Relaxed) {
            state.is_used.store(true, Ordering::Relaxed);
        }
        if !state.is_running.load(Ordering::Relaxed)
            && !state.is_running.swap(true, Ordering::Relaxed)
        {
            let running = Running(Arc::clone(state));
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(running.keep());
            }
        }
    }
}

/// Lets another task start when this one ends, also if its runtime shuts down.
struct Running(Arc<State>);

impl Running {
    async fn keep(self) {
        // An operation that begins while the task ends finds no task. That costs a little time, and nothing else.
        while self.0.is_used.swap(false, Ordering::Relaxed) {
            tokio::time::sleep(TICK).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.is_running.store(false, Ordering::Relaxed);
    }
}
