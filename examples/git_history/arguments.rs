//! The program's arguments.

use std::ffi::OsString;
use std::path::PathBuf;

/// How to use the example.
pub(crate) const USAGE: &str = "\
Usage: cargo run --example git_history -- [PATH] [--database FILE]

Turns the history of a git repository into logs of events, one for the life of each file,
reduces every log, and compares the result with the files of HEAD.

  PATH             the repository, or a folder in it; default: the current folder
  --database FILE  the database file for the logs; default: one file per repository in the system's
                   folder for temporary files, so that nothing is left in the repository
  --help           this text

With EVENTLOGS_POSTGRES_URL set and no --database, the logs are kept on that server, in one schema
per repository. With EVENTLOGS_REDIS_URL set, aggregates are also cached there.
";

/// The task that the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Import and compare.
    Run {
        /// The repository, or a folder in it.
        path: PathBuf,
        /// The database, if one was named.
        database: Option<PathBuf>,
    },
    /// Print how to use the example.
    Help,
}

impl Request {
    /// Reads the arguments, or returns a message that says what is wrong with them.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let mut path = None;
        let mut database = None;
        let mut options_ended = false;
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--") if !options_ended => options_ended = true,
                Some("--help" | "-h") if !options_ended => return Ok(Self::Help),
                Some("--database") if !options_ended => {
                    let file = arguments.next().ok_or("--database needs a file")?;
                    if database.replace(PathBuf::from(file)).is_some() {
                        return Err("--database is given twice".to_owned());
                    }
                }
                Some(option) if option.starts_with('-') && !options_ended => {
                    return Err(format!(
                        "unknown option `{option}`; write `-- {option}` if it is a path"
                    ));
                }
                // A path, which need not be UTF-8.
                _ => {
                    if path.replace(PathBuf::from(argument)).is_some() {
                        return Err("more than one path; one run imports one repository".to_owned());
                    }
                }
            }
        }
        Ok(Self::Run {
            path: path.unwrap_or_else(|| PathBuf::from(".")),
            database,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Request;
    use std::ffi::OsString;

    /// Parses a command line that is split at spaces.
    fn parse(line: &str) -> Result<Request, String> {
        Request::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn path_and_database_have_defaults_and_any_order() {
        let run = |path: &str, database: Option<&str>| {
            Ok(Request::Run {
                path: path.into(),
                database: database.map(Into::into),
            })
        };
        assert_eq!(parse(""), run(".", None));
        assert_eq!(parse("a --database b"), run("a", Some("b")));
        assert_eq!(parse("--database b a"), run("a", Some("b")));
        assert_eq!(parse("--database b -- --help"), run("--help", Some("b")));
        assert_eq!(parse("a --help"), Ok(Request::Help));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("--datbase b").is_err_and(|message| message.contains("--datbase")));
        assert!(parse("--database").is_err_and(|message| message.contains("needs a file")));
        assert!(parse("--database a --database b").is_err_and(|message| message.contains("twice")));
        assert!(parse("a b").is_err_and(|message| message.contains("more than one path")));
    }
}
