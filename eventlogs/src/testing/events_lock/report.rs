//! Saying what has changed, and what to type.

use crate::event::EventSchema;
use crate::testing::events_lock::fields;
use crate::testing::events_lock::problem::{Kind, Problem};
use std::fmt::Write;

/// Everything that is wrong.
pub(super) fn report(problems: &[Problem<'_>]) -> String {
    let mut texts: Vec<String> = problems.iter().map(describe).collect();
    texts.push(
        "If no such events are stored anywhere, let the file follow the code: EVENTS_LOCK=accept cargo test\n"
            .to_owned(),
    );
    texts.join("\n")
}

/// One problem.
fn describe(problem: &Problem<'_>) -> String {
    let Problem {
        of,
        name,
        version,
        event,
        kind,
    } = problem;
    let variant = &event.variant;
    match kind {
        Kind::Lost => format!(
            "`{of}` no longer reads `{name}`, which `{variant}` was stored as\n  \
             bring the variant back, or add `alias = \"{name}\"` to the one that took its place\n"
        ),
        Kind::Older(entry) => format!(
            "`{of}::{variant}` was stored as version {version} of `{name}`, and is version {} now\n  \
             go back to `version = {version}`, or on to `version = {}`\n",
            entry.event_type.version,
            version.saturating_add(1)
        ),
        Kind::NotUpgraded(entry) => format!(
            "`{of}::{variant}` has no upcaster for version {version} of `{name}`\n{}",
            upcaster(problem, entry, entry.event_type.version)
        ),
        Kind::Changed(entry, differences) => {
            let mut text = format!(
                "`{of}::{variant}` has changed, and is still version {version} of `{name}`\n"
            );
            for difference in differences {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "  - {difference}");
            }
            text + &upcaster(problem, entry, version.saturating_add(1))
        }
        Kind::Codec(codec) => format!(
            "`{of}` was stored with codec number {codec}, which it does not name any more\n  \
             go back to that codec: only it, and those of this crate, are read\n"
        ),
        Kind::OfAnother(old, current) => format!(
            "`{of}` no longer reads logs of the kind `{old}`; new ones are of the kind `{current}`\n  \
             keep the kind: #[event(log_type = \"{old}\")]\n  \
             or read both: #[event(log_type_alias = \"{old}\")]\n"
        ),
        Kind::Shared(other, name) => format!(
            "the logs of `{of}` and `{other}` are both of the kind `{name}`, so one is taken for the other\n  \
             give one of the enums another: #[event(log_type = \"…\")]\n"
        ),
        Kind::Renamed(old) => format!(
            "`{of}` is new and takes the place of `{old}`, whose events or logs it reads, and which this call does not check\n  \
             if it was renamed, rename `enum {old}` in events.lock, too; if it was not, check both in one call\n"
        ),
    }
}

/// The code that makes a variant read an old version.
fn upcaster(problem: &Problem<'_>, entry: &EventSchema, next: u16) -> String {
    let EventSchema {
        event_type,
        upcast_from,
        variant,
        ..
    } = entry;
    let version = problem.version;
    let function = format!("{}_from_v{version}", snake_case(variant));
    let mut upcasters: Vec<String> = upcast_from
        .iter()
        .map(|from| format!("{from} = …"))
        .collect();
    upcasters.push(format!("{version} = {function}"));
    let attribute = format!(
        "#[event(name = \"{}\", version = {next}, upcast({}))]",
        event_type.name,
        upcasters.join(", ")
    );
    let (declaration, old) =
        fields::declaration(&format!("{variant}V{version}"), &problem.event.fields);
    let of = problem.of.rsplit("::").next().unwrap_or(problem.of);
    let function = format!("fn {function}(old: {old}) -> {of} {{ … }}");
    let parts: Vec<String> = [Some(attribute), declaration, Some(function)]
        .into_iter()
        .flatten()
        .map(|part| {
            part.lines()
                .fold(String::new(), |text, line| text + "    " + line + "\n")
        })
        .collect();
    format!(
        "  give it a version of its own, and an upcaster:\n\n{}",
        parts.join("\n")
    )
}

/// `ApprovalGiven` as a function would be called.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
