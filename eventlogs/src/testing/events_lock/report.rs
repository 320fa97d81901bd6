//! Reports the changes, and the code to write.

use crate::event::EventSchema;
use crate::testing::events_lock::fields;
use crate::testing::events_lock::problem::{Kind, Problem};
use crate::testing::events_lock::samples::Sample;

/// Reports all problems.
pub(super) fn report(problems: &[Problem<'_>]) -> String {
    let mut texts: Vec<String> = problems.iter().map(describe).collect();
    if problems
        .iter()
        .any(|problem| matches!(problem.kind, Kind::Changed(..)))
    {
        texts.push(
            "If the release before this one runs at the same time, it must read the new version, too: give it `accept(…)` first\n"
                .to_owned(),
        );
    }
    texts.push(
        "If no such events are stored anywhere, update the file to match the code: EVENTS_LOCK=accept cargo test\n"
            .to_owned(),
    );
    texts.join("\n")
}

/// Describes one problem.
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
            "`{of}` no longer reads `{name}`, the name under which `{variant}` was stored\n  \
             bring the variant back, with `retired` if it is no longer written; or add `alias = \"{name}\"` to the variant that replaces it\n"
        ),
        Kind::Older(entry) => format!(
            "`{of}::{variant}` was stored as version {version} of `{name}`, but is version {} now\n  \
             go back to `version = {version}`, or forward to `version = {}`; \
             or read it without writing it: `accept({version} = …)`\n",
            entry.event_type.version,
            version.saturating_add(1)
        ),
        Kind::NotUpgraded(entry) => format!(
            "`{of}::{variant}` has no upcaster for version {version} of `{name}`\n{}",
            upcaster(problem, entry, entry.event_type.version)
        ),
        Kind::Changed(entry, differences) => format!(
            "`{of}::{variant}` has changed, but is still version {version} of `{name}`\n{}{}",
            listed(differences),
            upcaster(problem, entry, version.saturating_add(1))
        ),
        Kind::Unreadable(sample, reason) => unreadable(problem, sample, reason),
        Kind::Altered(sample, today, differences) => altered(problem, sample, today, differences),
        Kind::Codec(codec) => format!(
            "`{of}` was stored with codec number {codec}, but no longer names this codec\n  \
             go back to that codec: besides the codecs of this crate, an enum reads only the codec that it names\n"
        ),
        Kind::OfAnother(old, current) => format!(
            "`{of}` no longer reads logs of the kind `{old}`; its new logs have the kind `{current}`\n  \
             keep the kind: #[event(log_type = \"{old}\")]\n  \
             or read both kinds: #[event(log_type_alias = \"{old}\")]\n"
        ),
        Kind::Shared(other, name) => format!(
            "the logs of `{of}` and `{other}` both have the kind `{name}`, so one is read as the other\n  \
             give one of the enums another kind: #[event(log_type = \"…\")]\n"
        ),
        Kind::Renamed(old) => format!(
            "`{of}` is new and reads the events or logs of `{old}`, which this call does not check\n  \
             if you renamed the enum, rename `enum {old}` in events.lock, too; if not, check both enums in one call\n"
        ),
    }
}

/// Describes a sample that cannot be read.
fn unreadable(problem: &Problem<'_>, sample: &Sample, reason: &str) -> String {
    let Problem {
        of, name, version, ..
    } = problem;
    let variant = &problem.event.variant;
    format!(
        "`{of}::{variant}` cannot read a sample of version {version} of `{name}` any more\n  \
         {sample}\n  \
         {reason}\n  \
         undo the change to the types of the event, to their serde attributes or to the codec; \
         or give the event a new version, and an upcaster that reads the old form\n"
    )
}

/// Describes a sample that is read as another value.
fn altered(
    problem: &Problem<'_>,
    sample: &Sample,
    today: &Sample,
    differences: &[String],
) -> String {
    let Problem {
        of, name, version, ..
    } = problem;
    let variant = &problem.event.variant;
    format!(
        "`{of}::{variant}` reads a sample of version {version} of `{name}` as another value\n  \
         stored:        {sample}\n  \
         written again: {today}\n{}  \
         read what was stored, for instance with `#[serde(alias = \"…\")]`; \
         or give the event a new version, and an upcaster that reads the old form\n  \
         if both forms mean the same, keep both: EVENTS_LOCK=accept cargo test\n",
        listed(differences)
    )
}

/// Returns one line per difference.
fn listed(differences: &[String]) -> String {
    differences.iter().fold(String::new(), |text, difference| {
        text + "  - " + difference + "\n"
    })
}

/// Returns the code with which a variant reads an old version.
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
        "  give the event a new version, and add an upcaster:\n\n{}",
        parts.join("\n")
    )
}

/// Converts `ApprovalGiven` to the style of a function name.
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
