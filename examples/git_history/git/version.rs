//! The version of git.

use super::error::GitError;
use tokio::process::Command;

/// The first version that has `--diff-merges=first-parent`.
pub(super) const OLDEST_GIT: (u32, u32) = (2, 31);

/// Checks that git has the options that this example uses.
pub(super) async fn check(mut git: Command) -> Result<(), GitError> {
    let answer = git
        .arg("version")
        .output()
        .await
        .map_err(GitError::CannotRun)?;
    let found = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if version(&found).is_some_and(|version| version >= OLDEST_GIT) {
        Ok(())
    } else {
        Err(GitError::TooOld { found })
    }
}

/// Reads `git version 2.39.5 (Apple Git-154)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST_GIT, version};

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert!(version("git version 3.0.0-rc1") >= Some(OLDEST_GIT));
        assert!(version("git version 2.9.5") < Some(OLDEST_GIT));
        assert_eq!(version("hub version 2"), None);
    }
}
