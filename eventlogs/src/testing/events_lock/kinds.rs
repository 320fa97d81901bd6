//! Kinds of logs: the file records each for as long as logs may have it. Each kind belongs to one enum.

use crate::event::LogType;
use crate::testing::events_lock::format::{Lock, LockedEnum, LockedLogType};
use crate::testing::events_lock::problem::{Kind, Problem};
use crate::testing::events_lock::schema::EnumSchema;

/// Converts a kind to its record in the file.
pub(super) fn locked(log_type: LogType) -> LockedLogType {
    LockedLogType {
        name: log_type.name().to_owned(),
        aliases: log_type
            .aliases()
            .iter()
            .map(|alias| (*alias).to_owned())
            .collect(),
    }
}

/// Returns the recorded kinds of an enum's logs that the code no longer knows.
pub(super) fn lost<'a>(
    remembered: &LockedEnum,
    code: &'a EnumSchema,
) -> impl Iterator<Item = Problem<'a>> + use<'a> {
    let current = code.log_type.name();
    let known = locked(code.log_type);
    let names = remembered.log_type.iter().flat_map(LockedLogType::names);
    let lost: Vec<String> = names
        .filter(|name| !known.names().any(|known| known == *name))
        .cloned()
        .collect();
    lost.into_iter()
        .map(move |name| Problem::new_for_enum(code, Kind::OfAnother(name, current)))
}

/// Returns the enums of the code whose logs cannot be distinguished from those of another enum, unless that was accepted
/// before.
pub(super) fn shared<'a>(
    remembered: &Lock,
    merged: &Lock,
    enums: &'a [EnumSchema],
) -> Vec<Problem<'a>> {
    let is_new = |name: &str| {
        let before = remembered.enums.get(name).map(|content| &content.log_type);
        before != merged.enums.get(name).map(|content| &content.log_type)
    };
    let mut problems = Vec::new();
    for (index, code) in enums.iter().enumerate() {
        for (other, content) in &merged.enums {
            let position = enums.iter().position(|asked| asked.name == other);
            // A pair of enums of this call is reported once. A pair with an enum of another call may be in the report of
            // `renamed`.
            let was_told = match position {
                Some(position) => position <= index,
                None => !remembered.enums.contains_key(code.name),
            };
            if was_told || !(is_new(code.name) || is_new(other)) {
                continue;
            }
            if let Some(name) = common(code, other, content) {
                problems.push(Problem::new_for_enum(
                    code,
                    Kind::Shared(other.clone(), name),
                ));
            }
        }
    }
    problems
}

/// Returns the kind by which logs of one enum may be read as those of the other: the current kind of either, if both know it.
///
/// Both may have a former kind in common: such logs may have been divided between two enums. `Cart<Book>` and `Cart<Toy>` count
/// as one enum.
pub(super) fn common(code: &EnumSchema, other: &str, content: &LockedEnum) -> Option<String> {
    let generic = |name: &str| name.split('<').next().unwrap_or_default().trim().to_owned();
    if generic(code.name) == generic(other) {
        return None;
    }
    let own = locked(code.log_type);
    let others = content.log_type.as_ref()?;
    if others.names().any(|name| *name == own.name) {
        return Some(own.name);
    }
    own.names().find(|name| **name == others.name).cloned()
}
