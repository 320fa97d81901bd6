//! Encoded samples of events: what the file keeps of them, and how today's code reads and writes them.

use crate::codec::stored::{DecodeProblem, StoredPayload};
use crate::codec::{Codec, CodecError, CodecId};
use crate::event::{Event, EventType, Payload};
use crate::testing::events_lock::content::Content;
use crate::testing::events_lock::error::SampleError;
use std::fmt::{self, Write};

/// The word for JSON, whose text is written as it is.
const JSON: &str = "json";
/// The word for MessagePack, whose bytes are written in hexadecimal digits.
const MSGPACK: &str = "msgpack";

/// The encoded payload of an event.
///
/// Samples are ordered by their codec and bytes, so that the order of the lines in the file does not depend on the order in which
/// they were given: two branches that add samples rarely add them in the same place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sample {
    /// The number of the codec.
    pub(super) codec: i16,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
}

impl fmt::Display for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.codec == CodecId::JSON.get()
            && let Some(text) = line(&self.bytes)
        {
            return write!(formatter, "{JSON} {text}");
        }
        if self.codec == CodecId::MSGPACK.get() {
            formatter.write_str(MSGPACK)?;
        } else {
            write!(formatter, "{}", self.codec)?;
        }
        formatter.write_char(' ')?;
        for byte in &self.bytes {
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Returns the text if it is one line that survives an editor.
fn line(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_line = !text.is_empty() && text.trim() == text && !text.contains(char::is_control);
    is_line.then_some(text)
}

impl Sample {
    /// Reads the form that `Display` writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (codec, data) = text.split_once(' ')?;
        if codec == JSON {
            return Some(Self {
                codec: CodecId::JSON.get(),
                bytes: data.as_bytes().to_vec(),
            });
        }
        let codec = if codec == MSGPACK {
            CodecId::MSGPACK.get()
        } else {
            codec.parse().ok()?
        };
        let bytes = hexadecimal(data)?;
        Some(Self { codec, bytes })
    }

    /// Encodes an event with its own codec.
    fn of<E: Event>(event: &E) -> Result<Self, CodecError> {
        let mut bytes = Vec::new();
        E::Codec::encode(&Payload(event), &mut bytes)?;
        Ok(Self {
            codec: E::Codec::ID.get(),
            bytes,
        })
    }

    /// Returns the payload as a database holds it under this name and version.
    pub(super) const fn stored<'a>(&'a self, name: &'a str, version: u16) -> StoredPayload<'a> {
        StoredPayload {
            name,
            version: version as i32,
            codec: CodecId::from_stored(self.codec),
            bytes: self.bytes.as_slice(),
        }
    }
}

/// Reads pairs of hexadecimal digits.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end().as_bytes();
    // A sign is no digit, although `from_str_radix` takes one.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let (pairs, rest) = digits.as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty()
        .then(|| pairs.iter().map(pair).collect())
        .flatten()
}

/// Encodes the samples that `samples` returns, twice, to find out if they are the same in each call. If they were not, every run of
/// the test would add new ones to the file.
pub(super) fn encoded<E: Event, I: IntoIterator<Item = E>>(
    samples: impl Fn() -> I,
) -> Result<Vec<(EventType, Sample)>, SampleError> {
    let encode = || -> Result<Vec<_>, SampleError> {
        let samples = samples().into_iter();
        samples
            .map(|event| match Sample::of(&event) {
                Ok(sample) => Ok((event.event_type(), sample)),
                Err(error) => Err(SampleError::Encode {
                    event_type: event.event_type().name,
                    source: error.into(),
                }),
            })
            .collect()
    };
    let (first, second) = (encode()?, encode()?);
    let mut pairs = first.iter().zip(&second);
    if let Some(((event_type, _), _)) = pairs.find(|(first, second)| first != second) {
        return Err(SampleError::Changing {
            event_type: event_type.name,
        });
    }
    match first.get(second.len()).or_else(|| second.get(first.len())) {
        None => Ok(first),
        Some((event_type, _)) => Err(SampleError::Changing {
            event_type: event_type.name,
        }),
    }
}

/// What today's code makes of a stored payload.
pub(super) struct Rewritten {
    /// The name and version of the event that was read.
    pub(super) event_type: EventType,
    /// The event, written again.
    pub(super) sample: Sample,
}

/// How an enum reads and writes payloads, as functions, because several enums are checked together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coding {
    /// Reads a payload and writes the event again; the error is the reason in words.
    pub(super) rewrite: fn(&StoredPayload<'_>) -> Result<Rewritten, String>,
    /// Reads a payload without its type, if its codec can do that.
    pub(super) content: fn(&StoredPayload<'_>) -> Option<Content>,
}

impl Coding {
    pub(super) fn of<E: Event>() -> Self {
        Self {
            rewrite: |stored| {
                let event =
                    E::decode(stored).map_err(|problem: DecodeProblem| problem.to_string())?;
                let sample = Sample::of(&event).map_err(|error| error.to_string())?;
                let event_type = event.event_type();
                Ok(Rewritten { event_type, sample })
            },
            content: |stored| stored.read::<E::Codec, Content>().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn a_sample_is_one_line_and_is_read_the_same() {
        for (codec, bytes, expected) in [
            (1, &br#"{"a":"\n"}"#[..], r#"json {"a":"\n"}"#),
            (1, b"{\n}", "1 7b0a7d"),
            (1, b"1 ", "1 3120"),
            (1, b"", "1 "),
            (1, b"\xff", "1 ff"),
            (2, b"\x81\xa1a\x05", "msgpack 81a16105"),
            (2, b"{}", "msgpack 7b7d"),
            (100, b"{}", "100 7b7d"),
        ] {
            let sample = Sample {
                codec,
                bytes: bytes.to_vec(),
            };
            let text = sample.to_string();
            assert_eq!(text, expected);
            assert_eq!(Sample::parse(&text), Some(sample));
        }
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        for text in [
            "",
            "json",
            "msgpack 8",
            "msgpack 8x",
            "yaml 00",
            "2",
            "100 +1",
        ] {
            assert_eq!(Sample::parse(text), None, "{text}");
        }
    }
}
