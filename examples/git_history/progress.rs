//! Progress on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar that counts to `total` of `what`. It shows itself on a terminal only, and not for nothing.
pub(crate) fn bar(total: u64, what: &'static str) -> ProgressBar {
    if total == 0 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total).with_message(what);
    // It moves while one large commit is written, too.
    bar.enable_steady_tick(Duration::from_millis(100));
    match ProgressStyle::with_template(
        "{spinner} {bar:40} {human_pos} of {human_len} {msg}, {eta} left",
    ) {
        Ok(style) => bar.with_style(style),
        // A bar of another look is still a bar.
        Err(_) => bar,
    }
}
