//! Paths as git stores them: bytes, which usually but not always are UTF-8.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Write as _};

/// A path inside a repository.
///
/// Git accepts any bytes but NUL, and a path must come back from the database unchanged. A path that is UTF-8 is stored as
/// a plain string, so that people can read the events. Any other path is stored as an object with the bytes escaped, so
/// that it cannot be confused with a plain string.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GitPath(Vec<u8>);

/// The two forms that a path has in an event.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    /// UTF-8, unchanged.
    Text(String),
    /// Other bytes: backslashes doubled, bytes that are not UTF-8 as `\xNN`.
    Escaped {
        /// The escaped bytes.
        escaped: String,
    },
}

impl GitPath {
    /// Makes a path of these bytes.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes as git printed them.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes as a string. `character` writes each character; bytes that are not UTF-8 become `\xNN`.
    fn write_escaped(&self, mut character: impl FnMut(&mut String, char)) -> String {
        let mut text = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            chunk.valid().chars().for_each(|c| character(&mut text, c));
            for byte in chunk.invalid() {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
        text
    }
}

/// Undoes the escaping of [`Stored::Escaped`]; `None` if the string is not escaped correctly.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                tail
            }
            (b'\\', _) => return None,
            (plain, tail) => {
                bytes.push(plain);
                tail
            }
        };
    }
    Some(bytes)
}

impl Serialize for GitPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Stored::Escaped {
                escaped: self.write_escaped(|text, character| match character {
                    '\\' => text.push_str("\\\\"),
                    other => text.push(other),
                }),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for GitPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Stored::deserialize(deserializer)? {
            Stored::Text(text) => Ok(Self(text.into_bytes())),
            Stored::Escaped { escaped } => unescape(&escaped)
                .map(Self)
                .ok_or_else(|| D::Error::custom(format!("`{escaped}` is no escaped path"))),
        }
    }
}

/// Shows a path for people: plain if it cannot be misread, otherwise quoted, with unusual characters escaped. A name can
/// contain line breaks and terminal commands, which could falsify the report if they were printed.
impl fmt::Display for GitPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.write_escaped(|text, character| match character {
            '\'' => text.push('\''),
            other => text.extend(other.escape_debug()),
        });
        let is_plain =
            escaped.as_bytes() == self.0 && !escaped.is_empty() && escaped.trim() == escaped;
        if is_plain {
            formatter.pad(&escaped)
        } else {
            formatter.pad(&format!("\"{escaped}\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GitPath;
    use serde_json::json;

    #[test]
    fn every_path_survives_json() {
        let all_bytes: Vec<u8> = (1..=255).collect();
        let paths: [&[u8]; 8] = [
            b"",
            b"src/main.rs",
            b"a\nb\tc \"d\" \\x41",
            "größe/日本語".as_bytes(),
            b"caf\xe9",
            b"\\xe9\xe9\\\\",
            b"\xff\xfe\xf0\x9f",
            &all_bytes,
        ];
        for bytes in paths {
            let path = GitPath::new(bytes);
            let text = serde_json::to_string(&path).expect("a path has a JSON form");
            let back: GitPath = serde_json::from_str(&text).expect("what was written is read");
            assert_eq!(back, path, "{text}");
        }
    }

    #[test]
    fn text_is_stored_as_text_and_other_bytes_escaped() {
        assert_eq!(json!(GitPath::new("a \\ b")), json!("a \\ b"));
        assert_eq!(
            json!(GitPath::new(b"a\\\xe9")),
            json!({ "escaped": "a\\\\\\xe9" })
        );
    }

    #[test]
    fn a_broken_escape_is_an_error() {
        for escaped in ["\\", "\\q", "\\x1", "\\xzz"] {
            let stored = json!({ "escaped": escaped });
            let message = serde_json::from_value::<GitPath>(stored)
                .expect_err("refused")
                .to_string();
            assert!(message.contains("is no escaped path"), "{message}");
        }
    }

    #[test]
    fn odd_paths_are_quoted_for_people() {
        assert_eq!(GitPath::new("src/main.rs").to_string(), "src/main.rs");
        assert_eq!(GitPath::new("it's").to_string(), "it's");
        assert_eq!(GitPath::new("größe 1").to_string(), "größe 1");
        assert_eq!(GitPath::new(" padded").to_string(), "\" padded\"");
        assert_eq!(GitPath::new("a\nb").to_string(), "\"a\\nb\"");
        assert_eq!(
            GitPath::new("\u{1b}[2J\u{202e}").to_string(),
            "\"\\u{1b}[2J\\u{202e}\""
        );
        assert_eq!(GitPath::new(b"caf\xe9").to_string(), "\"caf\\xe9\"");
    }
}
