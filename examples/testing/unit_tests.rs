//! Runs the tests of the domain with all other tests. Cargo can build the example itself either as a program or as tests,
//! and the program is needed.

mod loan;
