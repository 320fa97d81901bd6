//! Runs the unit tests in the files of the example. Cargo would do that for the example itself only instead of building
//! the program, which the tests in the folder `tests` run.

#![expect(dead_code, reason = "the unit tests reach only a part of the program")]

mod arguments;
mod file_life;
mod git;
mod lives;
