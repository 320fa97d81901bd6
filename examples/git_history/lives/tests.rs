use super::{Lives, MisfitError};
use crate::file_life::{FileEvent, FileLife, life_id};
use crate::git::{Action, Change, Commit, Content, FileKind, GitPath, ObjectId};
use eventlogs::ids::LogId;

const FILE: FileKind = FileKind::Regular;

fn id(number: u32) -> ObjectId {
    ObjectId::parse(format!("{number:040}").as_bytes()).expect("forty digits")
}

fn content(kind: FileKind, number: u32) -> Content {
    Content {
        kind,
        object: id(number),
    }
}

fn added(path: &str, kind: FileKind) -> Change {
    Change {
        path: GitPath::new(path),
        action: Action::Added(content(kind, 1)),
        lines: None,
    }
}

fn changed(path: &str, kind: FileKind) -> Change {
    Change {
        path: GitPath::new(path),
        action: Action::Changed(content(kind, 2)),
        lines: None,
    }
}

fn renamed(from: &str, to: &str) -> Change {
    let action = Action::Renamed {
        from: GitPath::new(from),
        content: content(FILE, 3),
    };
    Change {
        path: GitPath::new(to),
        action,
        lines: None,
    }
}

fn deleted(path: &str) -> Change {
    Change {
        path: GitPath::new(path),
        action: Action::Deleted,
        lines: None,
    }
}

/// Applies commits with the numbers 1, 2, 3…, and returns the log and the kind of each event.
fn apply(
    lives: &mut Lives,
    commits: &[&[Change]],
) -> Result<Vec<(LogId, &'static str)>, MisfitError> {
    let mut told = Vec::new();
    for (number, changes) in (1..).zip(commits) {
        let commit = Commit {
            id: id(number),
            author: "A <a@x>".to_owned(),
            authored_at: None,
            changes: changes.to_vec(),
        };
        for (log_id, event) in lives.apply(&commit, number.into())? {
            assert_eq!(event.edit().number, u64::from(number));
            let kind = match event {
                FileEvent::Added { .. } => "added",
                FileEvent::Modified { .. } => "modified",
                FileEvent::KindChanged { .. } => "kind changed",
                FileEvent::Renamed { .. } => "renamed",
                FileEvent::Deleted { .. } => "deleted",
            };
            told.push((log_id, kind));
        }
    }
    Ok(told)
}

/// Returns the life that begins at a path with the commit of this number.
fn life(path: &str, number: u32) -> LogId {
    life_id(&GitPath::new(path), &id(number))
}

#[test]
fn a_life_keeps_its_log_over_renames_and_ends_with_its_deletion() {
    let told = apply(
        &mut Lives::default(),
        &[
            &[added("a", FILE)],
            &[renamed("a", "b")],
            &[changed("b", FILE)],
            &[changed("b", FileKind::Executable)],
            &[deleted("b")],
            &[added("b", FILE)],
        ],
    );
    let first = life("a", 1);
    assert_eq!(
        told.expect("fits"),
        [
            (first, "added"),
            (first, "renamed"),
            (first, "modified"),
            (first, "kind changed"),
            (first, "deleted"),
            (life("b", 6), "added"),
        ]
    );
}

#[test]
fn a_swap_and_a_ring_move_every_life_in_any_order() {
    let told = apply(
        &mut Lives::default(),
        &[
            &[added("a", FILE), added("b", FILE), added("c", FILE)],
            &[renamed("a", "b"), renamed("b", "a")],
            &[renamed("c", "a"), renamed("a", "b"), renamed("b", "c")],
            // The file that was added as b moved to a, and back to b.
            &[deleted("b")],
        ],
    );
    let told = told.expect("fits");
    assert_eq!(
        told.get(3..5),
        Some(&[(life("a", 1), "renamed"), (life("b", 1), "renamed")][..])
    );
    assert_eq!(told.last(), Some(&(life("b", 1), "deleted")));
}

#[test]
fn a_path_is_free_for_others_in_the_commit_that_leaves_it() {
    let told = apply(
        &mut Lives::default(),
        &[
            &[added("a", FILE), added("folder", FileKind::Submodule)],
            // The addition comes before the rename that makes room for it, as git sorts by path.
            &[
                added("a", FILE),
                renamed("a", "z"),
                deleted("folder"),
                added("folder/file", FILE),
            ],
            &[renamed("z", "a"), deleted("a")],
        ],
    );
    assert_eq!(
        told.expect("fits").get(2..),
        Some(
            &[
                (life("a", 2), "added"),
                (life("a", 1), "renamed"),
                (life("folder", 1), "deleted"),
                (life("folder/file", 2), "added"),
                (life("a", 1), "renamed"),
                (life("a", 2), "deleted"),
            ][..]
        )
    );
}

#[test]
fn a_commit_that_does_not_fit_is_an_error_that_names_it() {
    let cases: [(&[Change], &str); 5] = [
        (&[changed("b", FILE)], "changes b, but no file"),
        (&[deleted("b")], "changes b, but no file"),
        (&[renamed("b", "c")], "changes b, but no file"),
        (&[added("a", FILE)], "adds a, but a file"),
        (&[added("b", FILE), renamed("a", "b")], "adds b, but a file"),
    ];
    for (changes, message) in cases {
        let error = apply(&mut Lives::default(), &[&[added("a", FILE)], changes])
            .expect_err("does not fit")
            .to_string();
        assert!(error.contains(message), "{error}");
        assert!(error.contains("commit 000000000000"), "{error}");
    }
}

#[test]
fn lives_that_are_over_are_not_taken_up_again() {
    let mut lives = Lives::default();
    let over = FileLife {
        path: GitPath::new("a"),
        ..FileLife::default()
    };
    let alive = FileLife {
        path: GitPath::new("b"),
        content: Some(content(FILE, 1)),
        ..FileLife::default()
    };
    lives.insert(LogId::new(), &over);
    lives.insert(LogId::new(), &alive);
    assert!(apply(&mut lives, &[&[added("a", FILE), changed("b", FILE)]]).is_ok());
}
