//! Runs the tests of the domain with all others. Cargo would do that for the example itself only instead of building the
//! program.

mod loan;
