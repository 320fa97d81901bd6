//! Checks of a block of handlers against the schema of its events, at compile time.
//!
//! They run in the length of an array in the generated function, so that the compiler reports them instead of what it would say
//! about the `match`, which the user has not written. Without a schema nothing is checked here, and the compiler reports the
//! `match`.

use crate::__private::message::{Message, is_same};
use crate::event::{Event, EventSchema};
use std::marker::PhantomData;

/// The greatest number of variants that is checked: the time for a check grows with its square.
const MANY: usize = 300;

/// The events of a block.
#[derive(Debug)]
pub struct EventsOf<E>(PhantomData<E>);

impl<E: Event> EventsOf<E> {
    /// Their schema. It hides the constant of [`NoSchema`].
    pub const SCHEMA: &'static [EventSchema] = E::SCHEMA;
}

/// The schema of events that have none: an aggregate's events need not implement [`Event`].
pub trait NoSchema {
    /// No variants.
    const SCHEMA: &'static [EventSchema] = &[];
}

impl<E> NoSchema for EventsOf<E> {}

/// Fails to compile if a variant is not among the `named` ones, which have a handler or are ignored.
///
/// # Panics
/// If variants are missing; the message has the first of them.
#[track_caller]
pub const fn assert_all_named(schema: &[EventSchema], named: &[&str]) {
    assert_named(schema, named, false);
}

/// Fails to compile if a variant that is not retired is not among the `named` ones.
///
/// # Panics
/// If variants are missing; the message has the first of them.
#[track_caller]
pub const fn assert_all_named_or_retired(schema: &[EventSchema], named: &[&str]) {
    assert_named(schema, named, true);
}

#[track_caller]
const fn assert_named(schema: &[EventSchema], named: &[&str], or_retired: bool) {
    if schema.len() > MANY {
        return;
    }
    let mut missing = 0;
    let mut first = 0;
    // The handlers are usually in the order of the variants, so the search for one begins where the last was found.
    let mut place = 0;
    let mut index = 0;
    while index < schema.len() {
        let entry = &schema[index];
        if !entry.is_flattened {
            if let Some(found) = position(named, entry.variant, place) {
                place = found + 1;
            } else if !(or_retired && entry.is_retired) {
                if missing == 0 {
                    first = index;
                }
                missing += 1;
            }
        }
        index += 1;
    }
    if missing > 0 && !names_unknown(schema, named) {
        report_missing(schema[first].variant, missing);
    }
}

/// Reports a variant without a handler, and that there are others.
#[track_caller]
const fn report_missing(variant: &str, missing: usize) {
    let mut message = Message::EMPTY;
    message.push("`");
    message.push(variant);
    message.push(if missing == 1 {
        "` has no handler"
    } else {
        "` and other variants have no handlers"
    });
    message.push("; mark a method `#[on(");
    message.push(variant);
    message.push(")]`, or write `ignore(");
    message.push(variant);
    message.push(")` after the event type");
    message.report();
}

/// Returns `true` if a variant does not exist, which the compiler reports. The variants that hold flattened events are not in a
/// schema.
const fn names_unknown(schema: &[EventSchema], named: &[&str]) -> bool {
    let mut index = 0;
    while index < schema.len() {
        if schema[index].is_flattened {
            return false;
        }
        index += 1;
    }
    let mut index = 0;
    while index < named.len() {
        if find(schema, named[index], index).is_none() {
            return true;
        }
        index += 1;
    }
    false
}

/// Fails to compile if a variant has fields without names, and parameters are to take them by name. The search for the variant
/// begins at `place`.
///
/// # Panics
/// If the variant is a tuple variant; the message has the pattern to write.
#[track_caller]
pub const fn assert_named_fields(
    schema: &[EventSchema],
    place: usize,
    variant: &str,
    parameters: &[&str],
) {
    if schema.len() > MANY {
        return;
    }
    let Some(entry) = find(schema, variant, place) else {
        return;
    };
    let fields = unnamed_fields(entry);
    if fields > 0 {
        report_unnamed(variant, parameters, fields);
    }
}

/// Reports a tuple variant whose fields are taken by name.
#[track_caller]
const fn report_unnamed(variant: &str, parameters: &[&str], fields: usize) {
    let mut message = Message::EMPTY;
    message.push("the fields of `");
    message.push(variant);
    message.push("` have no names; write `#[on(");
    message.push(variant);
    message.push("(");
    let mut index = 0;
    while index < parameters.len() {
        if index > 0 {
            message.push(", ");
        }
        message.push(parameters[index]);
        index += 1;
    }
    message.push(if parameters.len() < fields {
        ", ..))]`"
    } else {
        "))]`"
    });
    message.report();
}

/// Returns the number of fields of a tuple variant in the schema, which calls them `0: Type`.
const fn unnamed_fields(entry: &EventSchema) -> usize {
    let mut count = 0;
    let mut index = 0;
    while index < entry.fields.len() {
        if let [first, ..] = entry.fields[index].as_bytes()
            && first.is_ascii_digit()
        {
            count += 1;
        }
        index += 1;
    }
    count
}

/// Returns the entry of a variant of the enum itself. The search begins at `place`.
const fn find<'a>(
    schema: &'a [EventSchema],
    variant: &str,
    place: usize,
) -> Option<&'a EventSchema> {
    let mut steps = 0;
    while steps < schema.len() {
        let entry = &schema[(place + steps) % schema.len()];
        if !entry.is_flattened && is_same(entry.variant, variant) {
            return Some(entry);
        }
        steps += 1;
    }
    None
}

/// Returns the index of a name in the list. The search begins at `place`.
const fn position(names: &[&str], name: &str, place: usize) -> Option<usize> {
    let mut steps = 0;
    while steps < names.len() {
        let index = (place + steps) % names.len();
        if is_same(names[index], name) {
            return Some(index);
        }
        steps += 1;
    }
    None
}
