//! Putting the schema of an enum together whose variants flatten other events: at compile time, and checked.
//!
//! Every function on the way to a message tracks its caller, so that the compiler shows the user's code and none of this.

use crate::event::{EventSchema, EventType};

/// How many entries the parts have together.
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

/// The entries of all parts, in order.
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

/// What an array holds until it is filled.
const NOTHING: EventSchema = EventSchema::new(EventType::new("", 0), "");

/// Refuses to compile if one of the parts reads a name that another one reads, too.
///
/// # Panics
/// With the name and both variants.
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

/// The same for two parts.
#[track_caller]
const fn assert_distinct_parts(left: &[EventSchema], right: &[EventSchema]) {
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

/// The same for two variants.
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

/// Whether a variant reads this name.
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

/// The names that a variant reads, by number.
const fn name(entry: &EventSchema, index: usize) -> Option<&'static str> {
    if index == 0 {
        Some(entry.event_type.name)
    } else if index <= entry.aliases.len() {
        Some(entry.aliases[index - 1])
    } else {
        None
    }
}

/// `==`, which is not for constants yet.
const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Says what is wrong. Constants cannot be formatted yet, so the message is put together by hand.
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

/// A text in the making.
struct Message {
    bytes: [u8; 512],
    length: usize,
}

impl Message {
    const EMPTY: Self = Self {
        bytes: [0; 512],
        length: 0,
    };

    /// Adds a text, as far as it fits.
    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.length < self.bytes.len() {
            self.bytes[self.length] = text[index];
            self.length += 1;
            index += 1;
        }
    }

    /// Ends the compilation with the text.
    #[allow(
        clippy::panic,
        reason = "it runs in the compiler, where a panic is an error message"
    )]
    #[track_caller]
    const fn report(&self) {
        let (text, _) = self.bytes.split_at(self.length);
        match std::str::from_utf8(text) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("two variants have the same stored name"),
        }
    }
}
