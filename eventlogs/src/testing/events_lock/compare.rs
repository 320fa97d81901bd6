//! Compares the code with the file.

use crate::event::{EventSchema, EventType};
use crate::testing::events_lock::content;
use crate::testing::events_lock::error::EventsLockError;
use crate::testing::events_lock::fields;
use crate::testing::events_lock::format::{Lock, LockedEnum, LockedEvent};
use crate::testing::events_lock::kinds;
use crate::testing::events_lock::problem::{Kind, Problem};
use crate::testing::events_lock::samples::{Coding, Rewritten, Sample};
use crate::testing::events_lock::schema::EnumSchema;
use std::collections::BTreeSet;
use std::mem;

/// Returns the new content of the file, and every part of the old one that the code does not read.
pub(super) fn compare<'a>(
    remembered: &Lock,
    enums: &'a [EnumSchema],
) -> Result<(Lock, Vec<Problem<'a>>), EventsLockError> {
    let mut merged = remembered.clone();
    let mut problems = Vec::new();
    for code in enums {
        check_texts(code)?;
        let samples = code
            .samples
            .as_ref()
            .map_err(|source| EventsLockError::Samples {
                of: code.name.to_owned(),
                source: source.clone(),
            })?;
        let mut content = if let Some(content) = remembered.enums.get(code.name) {
            let (kept, found) = compare_enum(content, code);
            problems.extend(found);
            kept
        } else {
            problems.extend(renamed(remembered, code, enums));
            LockedEnum::default()
        };
        problems.extend(kinds::lost(&content, code));
        content.log_type = Some(kinds::locked(code.log_type));
        content.codec = code.codec;
        for entry in code.schema {
            let event = content.events.entry(key(entry.event_type)).or_default();
            *event = locked(entry, mem::take(&mut event.samples));
        }
        for (event_type, sample) in samples {
            // A schema that is written by hand may lack an event. It has no line that the sample could be below.
            if let Some(event) = content.events.get_mut(&key(*event_type)) {
                event.samples.insert(sample.clone());
            }
        }
        merged.enums.insert(code.name.to_owned(), content);
    }
    problems.extend(kinds::shared(remembered, &merged, enums));
    Ok((merged, problems))
}

/// Checks that every name and field fits on a line. Macro output always does; schemas can be written by hand.
fn check_texts(code: &EnumSchema) -> Result<(), EventsLockError> {
    let is_line = |text: &str| !text.trim().is_empty() && !text.contains(['\n', '\r']);
    let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    let unfit = |text: &str| EventsLockError::Unfit {
        text: text.to_owned(),
    };
    if !is_line(code.name) {
        return Err(unfit(code.name));
    }
    let kinds = std::iter::once(code.log_type.name());
    for kind in kinds.chain(code.log_type.aliases().iter().copied()) {
        if !is_word(kind) {
            return Err(unfit(kind));
        }
    }
    for entry in code.schema {
        let words = [entry.event_type.name, entry.variant];
        for word in words.iter().chain(entry.aliases) {
            if !is_word(word) {
                return Err(unfit(word));
            }
        }
        if let Some(field) = entry.fields.iter().find(|field| !is_line(field)) {
            return Err(unfit(field));
        }
    }
    Ok(())
}

/// Returns the place of an event in the file.
fn key(event_type: EventType) -> (String, u16) {
    (event_type.name.to_owned(), event_type.version)
}

/// Converts a variant to its record in the file, with these samples.
fn locked(entry: &EventSchema, samples: BTreeSet<Sample>) -> LockedEvent {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    LockedEvent {
        variant: entry.variant.to_owned(),
        aliases: owned(entry.aliases),
        fields: owned(entry.fields),
        samples,
    }
}

/// Returns the part of an enum's record that stays, and the problems with the rest.
fn compare_enum<'a>(
    remembered: &LockedEnum,
    code: &'a EnumSchema,
) -> (LockedEnum, Vec<Problem<'a>>) {
    let mut kept = remembered.clone();
    let mut problems = Vec::new();
    let mut problem = |name: &str, version, event: &LockedEvent, kind| {
        problems.push(Problem {
            of: code.name,
            name: name.to_owned(),
            version,
            event: event.clone(),
            kind,
        });
    };
    // The codecs of this crate are always read.
    let is_custom = remembered.codec >= 100;
    let codec = (is_custom && remembered.codec != code.codec)
        .then(|| Problem::new_for_enum(code, Kind::Codec(remembered.codec)));
    for ((name, version), event) in &remembered.events {
        if let Some(kind) = judge(name, *version, event, code) {
            problem(name, *version, event, kind);
            kept.events.remove(&(name.clone(), *version));
            continue;
        }
        let Some(kept) = kept.events.get_mut(&(name.clone(), *version)) else {
            continue;
        };
        for sample in &event.samples {
            match reread(name, *version, sample, event, code) {
                None => {}
                Some(kind) => {
                    // What is accepted: a sample that is unreadable was never stored; one that is written differently today
                    // means the same in both forms.
                    match &kind {
                        Kind::Altered(_, today, _) => kept.samples.insert(today.clone()),
                        _ => kept.samples.remove(sample),
                    };
                    problem(name, *version, event, kind);
                }
            }
        }
    }
    // Each version records its own aliases.
    let mut lost = BTreeSet::new();
    for ((_, version), event) in &remembered.events {
        for alias in &event.aliases {
            let is_remembered = remembered.events.keys().any(|(name, _)| name == alias);
            if !is_remembered && find(code, alias).is_none() && lost.insert(alias) {
                problem(alias, *version, event, Kind::Lost);
            }
        }
    }
    for event in kept.events.values_mut() {
        event.aliases.retain(|alias| !lost.contains(alias));
    }
    (kept, codec.into_iter().chain(problems).collect())
}

/// Returns the problem with a recorded event, if there is one.
fn judge(name: &str, version: u16, event: &LockedEvent, code: &EnumSchema) -> Option<Kind> {
    let Some(entry) = find(code, name) else {
        return Some(Kind::Lost);
    };
    let current = entry.event_type.version;
    if version > current {
        let is_accepted = entry.accepts.contains(&version);
        return (!is_accepted).then_some(Kind::Older(*entry));
    }
    if version < current {
        let is_upgraded = entry.upcast_from.contains(&version);
        return (!is_upgraded).then_some(Kind::NotUpgraded(*entry));
    }
    let differences = fields::differences(&event.fields, entry.fields);
    (!differences.is_empty()).then_some(Kind::Changed(*entry, differences))
}

/// Returns the problem with a sample of this recorded event, if there is one.
fn reread(
    name: &str,
    version: u16,
    sample: &Sample,
    event: &LockedEvent,
    code: &EnumSchema,
) -> Option<Kind> {
    let Coding { rewrite, content } = code.coding;
    let stored = sample.stored(name, version);
    let rewritten = match rewrite(&stored) {
        Ok(rewritten) => rewritten,
        Err(reason) => return Some(Kind::Unreadable(sample.clone(), reason)),
    };
    let Rewritten {
        event_type,
        sample: today,
    } = rewritten;
    // The payload of another event, of another version or in another codec has another form.
    let is_comparable = event_type.version == version
        && today.codec == sample.codec
        && find(code, name).is_some_and(|entry| entry.event_type == event_type);
    if !is_comparable || event.samples.contains(&today) {
        return None;
    }
    let written = today.stored(event_type.name, event_type.version);
    let (Some(before), Some(after)) = (content(&stored), content(&written)) else {
        // A codec that cannot read a payload without its type.
        return None;
    };
    let differences = content::differences(&before, &after);
    (!differences.is_empty()).then(|| Kind::Altered(sample.clone(), today, differences))
}

/// Returns the variant that reads a name.
fn find(code: &EnumSchema, name: &str) -> Option<&'static EventSchema> {
    code.schema
        .iter()
        .find(|entry| entry.event_type.name == name || entry.aliases.contains(&name))
}

/// Finds the enum that was renamed to `code`. A new enum that reads all events of an unchecked enum, or has its kind of logs,
/// is probably that enum under a new name, and its past must not go unchecked.
fn renamed<'a>(
    remembered: &Lock,
    code: &'a EnumSchema,
    enums: &[EnumSchema],
) -> Option<Problem<'a>> {
    let (old, _) = remembered.enums.iter().find(|(name, content)| {
        let reads_all = !content.events.is_empty()
            && content
                .events
                .keys()
                .all(|(name, _)| find(code, name).is_some());
        let is_asked_for = enums.iter().any(|asked| asked.name == *name);
        !is_asked_for && (reads_all || kinds::common(code, name, content).is_some())
    })?;
    Some(Problem::new_for_enum(code, Kind::Renamed(old.clone())))
}

impl<'a> Problem<'a> {
    /// Creates a problem that concerns an enum as a whole.
    pub(super) fn new_for_enum(code: &'a EnumSchema, kind: Kind) -> Self {
        Self {
            of: code.name,
            name: String::new(),
            version: 0,
            event: LockedEvent::default(),
            kind,
        }
    }
}
