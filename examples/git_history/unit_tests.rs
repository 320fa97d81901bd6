//! Runs the unit tests in the files of the example. Cargo can build the example itself either as a program or as tests, and
//! the tests in the folder `tests` need the program.

#![expect(dead_code, reason = "the unit tests reach only a part of the program")]

mod arguments;
mod file_life;
mod git;
mod lives;
