//! Makes and checks the schema of an enum whose variants flatten other events, at compile time.
//!
//! Every function that leads to a message tracks its caller, so that the compiler shows the user's code and not this file.

use crate::__private::message::{Message, is_same};
use crate::event::{EventSchema, EventType, LogType};

/// Returns the number of entries of all parts.
#[must_use]
pub const fn count(parts: &[&[EventSchema]]) -> usize {
    let mut count = 0;
    let mut part = 0;
    while part < parts.len() {
        count += parts[part].len();
        part += 1;
    }
    count
}

/// Returns the entries of all parts, in order.
#[must_use]
pub const fn concat<const COUNT: usize>(parts: &[&[EventSchema]]) -> [EventSchema; COUNT] {
    let mut all = [NOTHING; COUNT];
    let mut filled = 0;
    let mut part = 0;
    while part < parts.len() {
        let mut entry = 0;
        while entry < parts[part].len() {
            all[filled] = parts[part][entry];
            filled += 1;
            entry += 1;
        }
        part += 1;
    }
    all
}

/// Returns the entries of an enum that is flattened into another one.
#[must_use]
pub const fn flattened<const COUNT: usize>(part: &[EventSchema]) -> [EventSchema; COUNT] {
    let mut all = [NOTHING; COUNT];
    let mut entry = 0;
    while entry < part.len() {
        all[entry] = part[entry].flattened();
        entry += 1;
    }
    all
}

/// The content of an array until it is filled.
const NOTHING: EventSchema = EventSchema::new(EventType::new("", 0), "");

/// Fails to compile if the part `checked` reads a name that another part reads, too.
///
/// # Panics
/// If a name is read twice; the message has the name and both variants.
#[track_caller]
pub const fn assert_distinct(parts: &[&[EventSchema]], checked: usize) {
    let mut other = 0;
    while other < parts.len() {
        if other < checked {
            assert_distinct_parts(parts[other], parts[checked]);
        }
        if other > checked {
            assert_distinct_parts(parts[checked], parts[other]);
        }
        other += 1;
    }
}

/// Checks two parts against each other.
#[track_caller]
pub(super) const fn assert_distinct_parts(left: &[EventSchema], right: &[EventSchema]) {
    let mut first = 0;
    while first < left.len() {
        let mut second = 0;
        while second < right.len() {
            assert_distinct_entries(&left[first], &right[second]);
            second += 1;
        }
        first += 1;
    }
}

/// Checks that two enums have no kind of logs in common.
#[track_caller]
pub(super) const fn assert_distinct_kinds(left: &LogType, right: &LogType) {
    let mut index = 0;
    while index <= right.aliases().len() {
        let kind = kind(right, index);
        let mut other = 0;
        while other <= left.aliases().len() {
            if is_same(self::kind(left, other), kind) {
                clash_of_kinds(kind);
            }
            other += 1;
        }
        index += 1;
    }
}

/// Returns one of the names of a kind, by number.
const fn kind(log_type: &LogType, index: usize) -> &'static str {
    if index == 0 {
        log_type.name()
    } else {
        log_type.aliases()[index - 1]
    }
}

/// Reports a kind that two enums have.
#[track_caller]
const fn clash_of_kinds(kind: &str) {
    let mut message = Message::EMPTY;
    message.push("two enums belong to logs of the kind `");
    message.push(kind);
    message.push("`; give one of them another `log_type`");
    message.report();
}

/// Checks two variants against each other.
#[track_caller]
const fn assert_distinct_entries(left: &EventSchema, right: &EventSchema) {
    let mut index = 0;
    while let Some(name) = name(right, index) {
        if reads(left, name) {
            clash(name, left.variant, right.variant);
        }
        index += 1;
    }
}

/// Returns `true` if a variant reads this name.
const fn reads(entry: &EventSchema, wanted: &str) -> bool {
    let mut index = 0;
    while let Some(name) = name(entry, index) {
        if is_same(name, wanted) {
            return true;
        }
        index += 1;
    }
    false
}

/// Returns one of the names that a variant reads, by number.
const fn name(entry: &EventSchema, index: usize) -> Option<&'static str> {
    if index == 0 {
        Some(entry.event_type.name)
    } else if index <= entry.aliases.len() {
        Some(entry.aliases[index - 1])
    } else {
        None
    }
}

/// Reports a name that two variants read.
#[track_caller]
const fn clash(name: &str, left: &str, right: &str) {
    let mut message = Message::EMPTY;
    message.push("the stored name `");
    message.push(name);
    message.push("` belongs to both `");
    message.push(left);
    message.push("` and `");
    message.push(right);
    message.push("`; give one of them another `name`");
    message.report();
}
