//! The code that the macros accept, and the compiler messages for code that they refuse.
//!
//! `TRYBUILD=overwrite cargo test -p ui-tests --test messages` writes the expected messages again.
//! `cargo test -p ui-tests --test messages -- compiler trybuild=missing-handler` selects cases by their file names.

#[test]
fn the_compiler_says_what_to_type() {
    let cases = trybuild::TestCases::new();
    for name in [
        "aggregate",
        "bounds",
        "event",
        "event_handler",
        "manager",
        "on",
        "projection",
    ] {
        cases.compile_fail(format!("{name}/fail/*.rs"));
    }
    for name in ["aggregate", "event", "event_handler", "projection"] {
        cases.pass(format!("{name}/pass/*.rs"));
    }
}
