//! The smallest programs: `cargo run --example seed`.
//!
//! `counter.rs` is the README's first example, word for word: events and an aggregate written by hand, on the fakes that
//! unit tests use. `idempotency.rs` is the second one, with a log to try it on.

use std::error::Error;

/// A log of increments and decrements, created, reduced, appended to and reduced again.
#[allow(unreachable_pub, reason = "the README's code as it stands")]
mod counter {
    include!("counter.rs");

    /// Runs the README's `main`.
    pub(super) fn run() -> Result<(), Box<dyn Error>> {
        main()
    }
}

mod idempotency;

fn main() -> Result<(), Box<dyn Error>> {
    counter::run()?;
    println!("A log was created, reduced to 1, appended to, and reduced to 0.");
    idempotency::run()
}
