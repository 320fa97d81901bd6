//! Runs the example `git_history` as a user would, on repositories with every odd thing.

mod support;
mod tampering;

use std::time::Instant;
use support::Place;

#[test]
fn a_history_with_every_odd_thing_is_imported_once() {
    let place = Place::new();
    place.odd_repository("odd.git", &[]);
    let first = place.import("odd.git", "odd.db").succeeded();
    let commits = place.git(
        "odd.git",
        &["rev-list", "--first-parent", "--count", "HEAD"],
    );
    assert_eq!(first.number(" new commits").to_string(), commits);
    assert!(first.number(" new commits") >= 1_200);
    assert!(first.number(" new events") >= 5_000);
    let files = place
        .git("odd.git", &["ls-tree", "-r", "HEAD"])
        .lines()
        .count();
    assert_eq!(first.number(" files alive are those of HEAD"), files as u64);

    let second = place.import("odd.git", "odd.db").succeeded();
    assert_eq!(
        (second.number(" new commits"), second.number(" new events")),
        (0, 0)
    );
    assert_eq!(second.totals(), first.totals());
}

#[test]
fn each_life_of_a_file_is_one_log() {
    let place = Place::new();
    let lines = "one\ntwo\nthree\nfour\nfive\n";
    place.small_repository("work");
    let commit = |message: &str| {
        place.git(
            "work",
            &["commit", "--quiet", "--all", "--message", message],
        )
    };
    place.commit_file("work", "a file", lines);
    place.git("work", &["mv", "a file", "b"]);
    place.commit_file("work", "b", &format!("{lines}six\n"));
    place.git("work", &["update-index", "--chmod=+x", "b"]);
    place.git("work", &["commit", "--quiet", "--message=mode"]);
    // A merge is one change, as large as its whole branch.
    place.git("work", &["checkout", "--quiet", "-f", "-b", "side"]);
    place.commit_file("work", "b", &format!("zero\n{lines}six\n"));
    place.commit_file("work", "b", &format!("zero\n{lines}six\nseven\n"));
    place.git("work", &["checkout", "--quiet", "main"]);
    place.git(
        "work",
        &["merge", "--quiet", "--no-ff", "--message=merge", "side"],
    );
    place.git("work", &["rm", "--quiet", "b"]);
    commit("deleted");
    place.commit_file("work", "b", "another file at the same path\n");

    let outcome = place.import("work", "work.db").succeeded();
    assert_eq!(outcome.number(" new commits"), 7);
    // The first file, the one with five events, and the one that was later added at its path.
    assert_eq!(
        (outcome.number(" logs"), outcome.number(" new events")),
        (3, 7)
    );
    let busiest = outcome
        .printed
        .lines()
        .find(|line| line.ends_with("b  (deleted)"));
    let columns: Vec<_> = busiest
        .expect("a deleted file")
        .split_whitespace()
        .collect();
    // Events, authors, lines added (5 + 1 + 2), and removed with the file.
    assert_eq!(columns[..4], ["5", "1", "8", "8"], "{}", outcome.printed);
}

#[test]
fn random_histories_are_imported_once() {
    for seed in ["1", "2"] {
        let place = Place::new();
        place.odd_repository("random.git", &["--random", seed]);
        let first = place.import("random.git", "random.db").succeeded();
        assert!(first.number(" new commits") >= 1_000);
        let second = place.import("random.git", "random.db").succeeded();
        assert_eq!(second.number(" new events"), 0);
        assert_eq!(second.totals(), first.totals());
    }
}

#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    let place = Place::new();
    place.odd_repository("odd.git", &[]);
    let started = Instant::now();
    let whole = place.import("odd.git", "whole.db").succeeded();
    let whole_time = started.elapsed();

    // Each run is killed later than the one before, from the creation of the database to almost the end.
    let mut kills = 0;
    for part in 1..=8 {
        let mut run = place.start_import("odd.git", "parts.db");
        std::thread::sleep(whole_time * part / 16);
        kills += u32::from(run.try_wait().expect("the run is asked").is_none());
        run.kill().expect("the run is ended");
        run.wait().expect("the run has ended");
    }
    assert!(kills > 0, "every run was done before it could be killed");
    let last = place.import("odd.git", "parts.db").succeeded();
    assert_eq!(last.totals(), whole.totals());
    assert_eq!(
        place
            .import("odd.git", "parts.db")
            .succeeded()
            .number(" new events"),
        0
    );
}

#[test]
fn a_growing_history_adds_what_is_new() {
    let place = Place::new();
    place.odd_repository("odd.git", &[]);
    let whole = place.import("odd.git", "whole.db").succeeded();
    let end = place.git("odd.git", &["rev-parse", "HEAD"]);
    let mut new_events = 0;
    for behind in [1700, 1250, 1249, 640, 3, 0] {
        let commit = format!("{end}~{behind}");
        place.git("odd.git", &["update-ref", "refs/heads/main", &commit]);
        new_events += place
            .import("odd.git", "growing.db")
            .succeeded()
            .number(" new events");
    }
    assert_eq!(new_events, whole.number(" new events"));
    assert_eq!(
        place.import("odd.git", "growing.db").succeeded().totals(),
        whole.totals()
    );
}

#[test]
fn a_rewritten_history_is_refused_and_its_database_left_alone() {
    let place = Place::new();
    place.small_repository("work");
    for content in ["two\n", "three\n"] {
        place.commit_file("work", "file", content);
    }
    let before = place.import("work", "work.db").succeeded();
    let old = place.git("work", &["rev-parse", "HEAD"]);

    place.git("work", &["reset", "--quiet", "--hard", "HEAD~1"]);
    place
        .import("work", "work.db")
        .failed_with("the database holds another history");
    place.commit_file("work", "file", "another three\n");
    place
        .import("work", "work.db")
        .failed_with("--database FILE");
    // The old commits still exist, but not among the first parents.
    place.git(
        "work",
        &[
            "merge",
            "--quiet",
            "--strategy=ours",
            "--message=merged",
            &old,
        ],
    );
    place.import("work", "work.db").failed_with(&old[..12]);
    assert_eq!(
        place
            .import("work", "other.db")
            .succeeded()
            .number(" new commits"),
        4
    );
    place.git("work", &["checkout", "--quiet", "--orphan", "empty"]);
    place
        .import("work", "work.db")
        .failed_with("another history");

    place.git(
        "work",
        &["checkout", "--quiet", "--force", "--detach", &old],
    );
    assert_eq!(
        place.import("work", "work.db").succeeded().totals(),
        before.totals()
    );
    place.small_repository("stranger");
    place
        .import("stranger", "work.db")
        .failed_with("another repository");
}

#[test]
fn a_repository_without_commits_is_an_empty_history() {
    let place = Place::new();
    place.git(".", &["init", "--quiet", "--initial-branch=main", "empty"]);
    let empty = place.import("empty", "empty.db").succeeded();
    assert!(
        empty
            .printed
            .contains("refs/heads/main, which has no commits yet"),
        "{}",
        empty.printed
    );
    assert_eq!(
        (empty.number(" commits in "), empty.number(" logs")),
        (0, 0)
    );

    place.commit_file("empty", "file", "");
    assert_eq!(
        place
            .import("empty", "empty.db")
            .succeeded()
            .number(" new events"),
        1
    );
    place.git("empty", &["rm", "--quiet", "file"]);
    place.git("empty", &["commit", "--quiet", "--message=nothing left"]);
    assert_eq!(
        place
            .import("empty", "empty.db")
            .succeeded()
            .number(" files alive"),
        0
    );
}

#[test]
fn what_is_no_repository_is_named() {
    let place = Place::new();
    std::fs::write(place.path("file"), "no folder").expect("a file is written");
    std::fs::create_dir(place.path("folder")).expect("a folder is made");
    for path in ["file", "folder", "nowhere"] {
        let outcome = place.import(path, "none.db");
        outcome.failed_with(&format!("`{path}` is in no git repository"));
        assert!(!place.path("none.db").exists());
    }
    place.small_repository("work");
    place
        .import("work", "file")
        .failed_with("not a SQLite database");
    place
        .import("work", "nowhere/work.db")
        .failed_with("nowhere/work.db");

    let without_git = place
        .git_history()
        .arg("work")
        .env("PATH", "")
        .output()
        .expect("git_history runs");
    support::Outcome::from(without_git).failed_with("cannot run git; install it");
    let old_git = place
        .git_history()
        .arg("work")
        .env("PATH", place.old_git())
        .output();
    support::Outcome::from(old_git.expect("git_history runs"))
        .failed_with("git version 2.20.1 is too old");
    let mistake = place
        .git_history()
        .args(["work", "--nonsense"])
        .output()
        .expect("git_history runs");
    assert_eq!(mistake.status.code(), Some(2));
    let help = place
        .git_history()
        .arg("--help")
        .output()
        .expect("git_history runs");
    assert!(help.status.success() && help.stdout.starts_with(b"Usage:"));
}

#[test]
fn a_damaged_repository_is_an_error_and_heals() {
    let place = Place::new();
    place.small_repository("work");
    place.commit_file("work", "file", "two\n");
    let tree = place.git("work", &["rev-parse", "HEAD~1^{tree}"]);
    let object = place
        .path("work/.git/objects")
        .join(&tree[..2])
        .join(&tree[2..]);
    let aside = place.path("aside");
    std::fs::rename(&object, &aside).expect("an object is moved");
    place
        .import("work", "work.db")
        .failed_with("`git log` failed");
    std::fs::rename(&aside, &object).expect("an object is moved back");
    assert_eq!(place.import("work", "work.db").succeeded().totals().2, 2);
}

#[test]
fn the_repository_one_stands_in_has_a_database_of_its_own() {
    let place = Place::new();
    place.small_repository("one/copy");
    place.small_repository("two/copy");
    place.commit_file("one/copy", "folder/file", "deeper\n");
    let run = |folder: &str| {
        let output = place
            .git_history()
            .current_dir(place.path(folder))
            .output()
            .expect("git_history runs");
        support::Outcome::from(output).succeeded()
    };
    assert_eq!(run("one/copy").number(" new commits"), 2);
    assert_eq!(run("two/copy").number(" new commits"), 1);
    // A folder inside gives the same repository, all of it.
    let again = run("one/copy/folder");
    assert_eq!(
        (again.number(" new commits"), again.number(" files alive")),
        (0, 2)
    );
    assert!(
        again.printed.contains("git-history-copy-"),
        "{}",
        again.printed
    );
    assert_eq!(place.git("one/copy", &["status", "--porcelain"]), "");
}

#[test]
fn a_shallow_clone_begins_at_its_boundary() {
    let place = Place::new();
    place.odd_repository("odd.git", &[]);
    let origin = format!("file://{}", place.path("odd.git").display());
    place.git(
        ".",
        &[
            "clone",
            "--quiet",
            "--no-checkout",
            "--depth=200",
            &origin,
            "shallow",
        ],
    );
    let shallow = place.import("shallow", "shallow.db").succeeded();
    // Git counts the depth along the shortest way, so the way along the first parents may be longer.
    let commits = place.git(
        "shallow",
        &["rev-list", "--first-parent", "--count", "HEAD"],
    );
    assert_eq!(shallow.number(" new commits").to_string(), commits);
    assert!(shallow.number(" new commits") < 400);
    // Later the rest arrives. It lies before what was imported, so it changes nothing.
    place.git("shallow", &["fetch", "--quiet", "--unshallow"]);
    let deepened = place.import("shallow", "shallow.db").succeeded();
    assert_eq!(deepened.number(" new events"), 0);
    assert_eq!(deepened.totals(), shallow.totals());
}

#[test]
fn hashes_may_be_of_sha256() {
    let place = Place::new();
    place.git(".", &["init", "--quiet", "--object-format=sha256", "work"]);
    place.commit_file("work", "file", "one\n");
    place.commit_file("work", "file", "two\n");
    assert_eq!(
        place
            .import("work", "work.db")
            .succeeded()
            .number(" new events"),
        2
    );
    assert_eq!(
        place
            .import("work", "work.db")
            .succeeded()
            .number(" new events"),
        0
    );
}

#[test]
fn configuration_and_environment_change_nothing() {
    let place = Place::new();
    place.odd_repository("odd.git", &[]);
    let plain = place.import("odd.git", "plain.db").succeeded();
    for (key, value) in [
        ("color.ui", "always"),
        ("core.abbrev", "7"),
        ("core.quotePath", "true"),
        ("diff.algorithm", "patience"),
        ("diff.external", "false"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.noPrefix", "true"),
        ("diff.relative", "true"),
        ("diff.renameLimit", "1"),
        ("diff.renames", "copies"),
        ("diff.submodule", "log"),
        ("format.pretty", "oneline"),
        ("i18n.logOutputEncoding", "ISO-8859-1"),
        ("log.date", "relative"),
        ("log.decorate", "full"),
        ("log.diffMerges", "combined"),
        ("log.follow", "true"),
        ("log.showRoot", "false"),
        ("log.showSignature", "true"),
    ] {
        place.git("odd.git", &["config", key, value]);
    }
    place.small_repository("elsewhere");
    let output = place
        .git_history()
        .args(["odd.git", "--database", "configured.db"])
        .env("GIT_DIR", place.path("elsewhere/.git"))
        .env("GIT_WORK_TREE", place.path("elsewhere"))
        .env("GIT_EXTERNAL_DIFF", "false")
        .env("GIT_PAGER", "false")
        .output();
    let configured = support::Outcome::from(output.expect("git_history runs")).succeeded();
    assert_eq!(configured.totals(), plain.totals());
}

#[test]
fn two_runs_at_the_same_time_do_no_harm() {
    let place = Place::new();
    place.odd_repository("random.git", &["--random", "3"]);
    let runs = [
        place.start_import("random.git", "shared.db"),
        place.start_import("random.git", "shared.db"),
    ];
    for run in runs {
        let outcome = support::Outcome::from(run.wait_with_output().expect("git_history runs"));
        // Each run either succeeds or reports the other one.
        if outcome.code != Some(0) {
            outcome.failed_with("another run imports into this database");
        }
    }
    let after = place.import("random.git", "shared.db").succeeded();
    let alone = place.import("random.git", "alone.db").succeeded();
    assert_eq!(after.totals(), alone.totals());
}

#[test]
fn files_that_are_not_those_of_head_are_listed() {
    let place = Place::new();
    place.small_repository("work");
    place.commit_file("work", "other\nfile", "other\n");
    place.import("work", "work.db").succeeded();

    let birth = place.git("work", &["rev-parse", "HEAD~1"]);
    tampering::delete_in_the_log(&place.path("work.db"), "file", &birth);
    let outcome = place.import("work", "work.db");
    outcome.failed_with("differences, listed above: 1");
    assert!(
        outcome.printed.contains("not those of HEAD; 1 differ"),
        "{}",
        outcome.printed
    );
    assert!(
        outcome
            .printed
            .contains("  file: git has file 5626abf0f72e, no log does"),
        "{}",
        outcome.printed
    );

    let birth = place.git("work", &["rev-parse", "HEAD"]);
    tampering::move_in_the_log(&place.path("work.db"), "other\nfile", &birth, "moved");
    let outcome = place.import("work", "work.db");
    outcome.failed_with("differences, listed above: 3");
    assert!(
        outcome.printed.contains("  moved: a log has file"),
        "{}",
        outcome.printed
    );
    assert!(
        outcome.printed.contains("  \"other\\nfile\": git has file"),
        "{}",
        outcome.printed
    );
}

#[test]
fn a_table_that_is_not_what_the_logs_say_is_an_error() {
    let place = Place::new();
    place.small_repository("work");
    place.import("work", "work.db").succeeded();
    tampering::miscount_in_the_table(&place.path("work.db"));
    let outcome = place.import("work", "work.db");
    outcome.failed_with("it has file (alive) with 2 events");
    outcome.failed_with("and the logs have file (alive) with 1 events");
}
