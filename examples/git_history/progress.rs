//! Progress bars on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Makes a bar that counts `what` up to `total`. It is shown only on a terminal, and only if `total` is not 0.
pub(crate) fn bar(total: u64, what: &'static str) -> ProgressBar {
    if total == 0 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total).with_message(what);
    // The spinner moves also while one large commit is written.
    bar.enable_steady_tick(Duration::from_millis(100));
    match ProgressStyle::with_template(
        "{spinner} {bar:40} {human_pos} of {human_len} {msg}, {eta} left",
    ) {
        Ok(style) => bar.with_style(style),
        // Without the style, the default bar is good enough.
        Err(_) => bar,
    }
}
