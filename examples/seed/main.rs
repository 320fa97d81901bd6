//! The smallest programs: `cargo run --example seed`.
//!
//! `counter.rs` is the example on the guide's page `getting_started`, word for word: events and an aggregate written by
//! hand, on the fakes that unit tests use. `idempotency.rs` is the one on its page `deciding`, with a log to try it on.

use std::error::Error;

/// Creates, reduces, appends to and again reduces a log of increments and decrements.
#[allow(unreachable_pub, reason = "the guide's code, word for word")]
mod counter {
    include!("counter.rs");

    /// Runs the `main` of the guide's example.
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
