//! The content of the file, and its text form.

use crate::testing::events_lock::samples::Sample;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The first lines of every file.
const HEAD: &str = "\
# Every event that was ever stored, in every version: name, version, variant, the fields of the payload, and encoded samples.
# Written by tests, which fail when the code could not read one of them any more. Commit this file; do not edit it.
";

/// The byte order mark, which some programs write at the start of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The indentation of an event's fields.
const INDENT: &str = "    ";

/// What a sample begins with, after the indentation. No field does.
const SAMPLE: &str = "= ";

/// The whole content of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lock {
    /// The enums by name.
    pub(super) enums: BTreeMap<String, LockedEnum>,
}

/// The record of an enum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LockedEnum {
    /// The kind of its logs; `None` in files from before kinds existed.
    pub(super) log_type: Option<LockedLogType>,
    /// The number of the codec that last wrote its events.
    pub(super) codec: i16,
    /// The events by stored name and version.
    pub(super) events: BTreeMap<(String, u16), LockedEvent>,
}

/// The kind of an enum's logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LockedLogType {
    /// The kind of new logs.
    pub(super) name: String,
    /// The former kinds.
    pub(super) aliases: Vec<String>,
}

impl LockedLogType {
    /// Returns the current name and the former ones.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.name).chain(&self.aliases)
    }
}

/// The record of an event in one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LockedEvent {
    /// The variant that wrote it.
    pub(super) variant: String,
    /// Other names that were read as this event.
    pub(super) aliases: Vec<String>,
    /// The fields, as in [`EventSchema::fields`](crate::EventSchema::fields).
    pub(super) fields: Vec<String>,
    /// Encoded payloads.
    pub(super) samples: BTreeSet<Sample>,
}

/// A problem with a file, and its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The line, from 1.
    pub(super) line: usize,
    /// The problem.
    pub(super) problem: String,
}

impl fmt::Display for Lock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HEAD)?;
        for (name, content) in &self.enums {
            write!(formatter, "\nenum {name}\n")?;
            if let Some(LockedLogType { name, aliases }) = &content.log_type {
                write!(formatter, "log_type {name}")?;
                write_aliases(formatter, aliases)?;
                formatter.write_str("\n")?;
            }
            writeln!(formatter, "codec {}", content.codec)?;
            for ((name, version), event) in &content.events {
                write!(formatter, "\n{name} {version} {}", event.variant)?;
                write_aliases(formatter, &event.aliases)?;
                formatter.write_str("\n")?;
                for field in &event.fields {
                    writeln!(formatter, "{INDENT}{field}")?;
                }
                for sample in &event.samples {
                    writeln!(formatter, "{INDENT}{SAMPLE}{sample}")?;
                }
            }
        }
        Ok(())
    }
}

/// Adds ` alias one two` to a line.
fn write_aliases(formatter: &mut fmt::Formatter<'_>, aliases: &[String]) -> fmt::Result {
    if aliases.is_empty() {
        return Ok(());
    }
    write!(formatter, " alias {}", aliases.join(" "))
}

impl Lock {
    /// Reads a file. It may have the line ends of Windows and start with a byte order mark: version control and editors add
    /// them.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| Malformed {
            line: 1 + bytes
                .iter()
                .take(error.valid_up_to())
                .filter(|byte| **byte == b'\n')
                .count(),
            problem: "the line is not UTF-8".to_owned(),
        })?;
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            reader.line(line).map_err(|problem| Malformed {
                line: index + 1,
                problem,
            })?;
        }
        Ok(reader.lock)
    }
}

/// The part of a file that was read so far.
#[derive(Default)]
struct Reader {
    lock: Lock,
    /// The enum that the line belongs to.
    current: Option<String>,
    /// `true` while a line may describe the enum itself: up to the first blank line.
    in_head: bool,
    /// The event that a field belongs to.
    event: Option<(String, u16)>,
}

impl Reader {
    /// Reads a line.
    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.trim().is_empty() {
            self.in_head = false;
            return Ok(());
        }
        if line.starts_with('#') {
            return Ok(());
        }
        if let Some(field) = line.strip_prefix(INDENT) {
            return self.field(field);
        }
        let read = event(line);
        // The name of an event may be `enum`.
        if let Some(name) = line.strip_prefix("enum ")
            && (self.current.is_none() || read.is_err())
        {
            return self.start(name.trim());
        }
        let in_head = self.in_head;
        let Some(content) = self
            .current
            .as_ref()
            .and_then(|current| self.lock.enums.get_mut(current))
        else {
            return Err(format!("`{line}` belongs to no enum"));
        };
        // The name of an event may also be `codec` or `log_type`.
        if in_head && let Some(codec) = line.strip_prefix("codec ") {
            content.codec = codec
                .trim()
                .parse()
                .map_err(|_| format!("`{codec}` is not the number of a codec"))?;
            return Ok(());
        }
        if in_head && let Some(log_type) = line.strip_prefix("log_type ") {
            let (name, aliases) = name_and_aliases(log_type.split_whitespace())
                .ok_or_else(|| format!("`{log_type}` is not a kind of log, such as `payment`"))?;
            content.log_type = Some(LockedLogType { name, aliases });
            return Ok(());
        }
        let (key, event) = read?;
        if content.events.contains_key(&key) {
            return Err(format!("version {} of `{}` is listed twice", key.1, key.0));
        }
        content.events.insert(key.clone(), event);
        self.event = Some(key);
        self.in_head = false;
        Ok(())
    }

    /// Begins an enum.
    fn start(&mut self, name: &str) -> Result<(), String> {
        if self.lock.enums.contains_key(name) {
            return Err(format!("`enum {name}` is listed twice"));
        }
        self.lock
            .enums
            .insert(name.to_owned(), LockedEnum::default());
        self.current = Some(name.to_owned());
        self.in_head = true;
        self.event = None;
        Ok(())
    }

    /// Adds a field or a sample to the last event.
    fn field(&mut self, field: &str) -> Result<(), String> {
        let event = self.current.as_ref().zip(self.event.as_ref());
        let event =
            event.and_then(|(current, key)| self.lock.enums.get_mut(current)?.events.get_mut(key));
        match event {
            Some(event) => {
                if let Some(sample) = field.strip_prefix(SAMPLE) {
                    let read = Sample::parse(sample).ok_or_else(|| {
                        format!("`{sample}` is not a sample, such as `json {{\"amount\":5}}`")
                    })?;
                    event.samples.insert(read);
                } else {
                    event.fields.push(field.trim_end().to_owned());
                }
                Ok(())
            }
            None => Err(format!("`{field}` belongs to no event")),
        }
    }
}

/// Reads `name version Variant alias one two`.
fn event(line: &str) -> Result<((String, u16), LockedEvent), String> {
    let not_an_event =
        || format!("`{line}` is not an event, such as `payment.captured 1 Captured`");
    let mut words = line.split_whitespace();
    let (Some(name), Some(version)) = (words.next(), words.next()) else {
        return Err(not_an_event());
    };
    let version = version.parse().map_err(|_| not_an_event())?;
    let (variant, aliases) = name_and_aliases(words).ok_or_else(not_an_event)?;
    let event = LockedEvent {
        variant,
        aliases,
        fields: Vec::new(),
        samples: BTreeSet::new(),
    };
    Ok(((name.to_owned(), version), event))
}

/// Reads `name alias one two`.
fn name_and_aliases<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<(String, Vec<String>)> {
    let name = words.next()?.to_owned();
    let aliases = match words.next() {
        None => Vec::new(),
        Some("alias") => words.map(str::to_owned).collect(),
        Some(_) => return None,
    };
    Some((name, aliases))
}
