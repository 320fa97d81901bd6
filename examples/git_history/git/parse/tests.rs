use super::{HistoryParser, ParseError};
use crate::git::commit::{Action, Change, Commit, Lines};
use crate::git::{Content, FileKind, GitPath, ObjectId};
use chrono::DateTime;

/// Parses git's output, written with `␀` for NUL, `⇥` for tab and single letters for whole hashes.
fn parse(text: &str) -> Result<Vec<Commit>, ParseError> {
    let text = text.replace('⇥', "\t");
    let mut parser = HistoryParser::default();
    let mut commits = Vec::new();
    let body = text.strip_suffix('␀').unwrap_or(&text);
    for token in body.split('␀').filter(|_| !text.is_empty()) {
        commits.extend(parser.token(expand_hashes(token).into_bytes())?);
    }
    commits.extend(parser.finish()?);
    Ok(commits)
}

/// Writes the hashes of records in full length.
fn expand_hashes(token: &str) -> String {
    let words = token.split(' ').map(|word| match word {
        "a" | "b" | "c" | "d" => word.repeat(40),
        "0" => "0".repeat(40),
        other => other.to_owned(),
    });
    let is_record = token.starts_with("commit ") || token.trim_start().starts_with(':');
    if is_record {
        words.collect::<Vec<_>>().join(" ")
    } else {
        token.to_owned()
    }
}

fn id(letter: &str) -> ObjectId {
    ObjectId::parse(letter.repeat(40).as_bytes()).expect("forty digits")
}

fn content(kind: FileKind, letter: &str) -> Content {
    Content {
        kind,
        object: id(letter),
    }
}

fn change(path: &str, action: Action, lines: Option<(u64, u64)>) -> Change {
    let lines = lines.map(|(added, removed)| Lines { added, removed });
    Change {
        path: GitPath::new(path),
        action,
        lines,
    }
}

#[test]
fn no_output_is_no_history() {
    assert_eq!(parse("").expect("parses"), []);
}

#[test]
fn a_commit_has_changes_of_every_kind() {
    let commits = parse(concat!(
        "commit a␀Ann Other␀ann@example.org␀86400␀",
        "\n:000000 100644 0 b A␀new␀",
        ":100644 100755 b c M␀changed␀",
        ":100644 120000 b c T␀link␀",
        ":160000 160000 b c M␀module␀",
        ":100644 100644 b c R087␀from␀to␀",
        ":100644 000000 b 0 D␀gone␀",
        "1⇥0⇥new␀2⇥3⇥changed␀1⇥1⇥link␀1⇥1⇥module␀4⇥5⇥␀from␀to␀-⇥-⇥gone␀",
    ))
    .expect("parses");
    let renamed = Action::Renamed {
        from: GitPath::new("from"),
        content: content(FileKind::Regular, "c"),
    };
    let expected = Commit {
        id: id("a"),
        author: "Ann Other <ann@example.org>".to_owned(),
        authored_at: DateTime::from_timestamp(86_400, 0),
        changes: vec![
            change(
                "new",
                Action::Added(content(FileKind::Regular, "b")),
                Some((1, 0)),
            ),
            change(
                "changed",
                Action::Changed(content(FileKind::Executable, "c")),
                Some((2, 3)),
            ),
            change(
                "link",
                Action::Changed(content(FileKind::Symlink, "c")),
                Some((1, 1)),
            ),
            change(
                "module",
                Action::Changed(content(FileKind::Submodule, "c")),
                Some((1, 1)),
            ),
            change("to", renamed, Some((4, 5))),
            change("gone", Action::Deleted, None),
        ],
    };
    assert_eq!(commits, [expected]);
}

#[test]
fn empty_commits_follow_each_other() {
    let commits = parse(concat!(
        "commit a␀A␀a@x␀1␀",
        "commit b␀B␀␀2␀",
        "\n:000000 100644 0 c A␀file␀1⇥0⇥file␀",
        "commit c␀␀␀3␀",
    ))
    .expect("parses");
    let authors: Vec<_> = commits
        .iter()
        .map(|commit| (commit.author.as_str(), commit.changes.len()))
        .collect();
    assert_eq!(authors, [("A <a@x>", 0), ("B <>", 1), (" <>", 0)]);
}

#[test]
fn paths_and_names_may_look_like_records() {
    let path = "commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let other = ":100644 100644 x y M";
    let commits = parse(&format!(
        "commit a␀commit x␀\n:␀1␀\n:000000 100644 0 b A␀{path}␀:100644 100644 b c R100␀\n1⇥2⇥3␀{other}␀\
         1⇥0⇥{path}␀0⇥0⇥␀\n1⇥2⇥3␀{other}␀"
    ))
    .expect("parses");
    let [commit] = commits.as_slice() else {
        panic!("one commit: {commits:?}")
    };
    assert_eq!(commit.author, "commit x <\n:>");
    let renamed = Action::Renamed {
        from: GitPath::new("\n1\t2\t3"),
        content: content(FileKind::Regular, "c"),
    };
    assert_eq!(
        commit.changes,
        [
            change(
                path,
                Action::Added(content(FileKind::Regular, "b")),
                Some((1, 0))
            ),
            change(other, renamed, Some((0, 0))),
        ]
    );
}

#[test]
fn a_time_that_is_none_is_left_out() {
    for time in [
        "",
        "yesterday",
        "99999999999999999999",
        "9223372036854775807",
        "8000000000000",
        "-300000000000",
    ] {
        let commits = parse(&format!("commit a␀A␀a@x␀{time}␀")).expect("parses");
        assert_eq!(
            commits.first().expect("one commit").authored_at,
            None,
            "{time}"
        );
    }
    let commits = parse("commit a␀A␀a@x␀-1␀").expect("parses");
    assert_eq!(
        commits.first().expect("one commit").authored_at,
        DateTime::from_timestamp(-1, 0)
    );
}

#[test]
fn what_is_no_history_is_refused() {
    let header = "commit a␀A␀a@x␀1␀";
    for (text, message) in [
        (
            "garbage␀".to_owned(),
            "expected a commit, a change or a count, found `garbage`",
        ),
        ("commit abc␀".to_owned(), "expected the hash of a commit"),
        (
            "commit a␀A␀".to_owned(),
            "ends where an author's email address should follow",
        ),
        (
            ":000000 100644 0 b A␀file␀".to_owned(),
            "expected a commit, found `file`",
        ),
        (
            format!("{header}\n:000000 100644 0 b A␀"),
            "ends where the path of a change should follow",
        ),
        (
            format!("{header}\n:100644 100644 b c R100␀from␀"),
            "ends where the path of a change should follow",
        ),
        (
            format!("{header}\n:000000 040000 0 b A␀tree␀"),
            "expected a change",
        ),
        (
            format!("{header}\n:100644 100644 b c U␀unmerged␀"),
            "expected a change",
        ),
        (
            format!("{header}\n1⇥1⇥nowhere␀"),
            "expected a count for one of the changed paths, found `nowhere`",
        ),
        (
            format!("{header}\nx⇥1⇥file␀"),
            "expected a commit, a change or a count",
        ),
    ] {
        let error = parse(&text).expect_err(&text).to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}
