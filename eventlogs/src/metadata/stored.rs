//! Metadata as bytes: compact JSON in every store, so that people can read it in a database's shell.

use super::Metadata;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

// The names of the members. They are stored, so they never change.
const CORRELATION_ID: &str = "correlation_id";
const CAUSATION_ID: &str = "causation_id";
const ENTRIES: &str = "entries";

impl Metadata {
    /// Returns the bytes to store, or `None` if the metadata is empty.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        // It cannot fail: the keys of all maps are strings, all values serialise, and a vector takes every byte.
        serde_json::to_vec(self).ok()
    }

    /// Reads metadata from stored bytes.
    ///
    /// # Errors
    /// - If the bytes are not such an object, for instance because they were changed by hand.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = usize::from(self.correlation_id.is_some())
            + usize::from(self.causation_id.is_some())
            + usize::from(!self.entries.is_empty());
        let mut map = serializer.serialize_map(Some(members))?;
        if let Some(correlation_id) = &self.correlation_id {
            map.serialize_entry(CORRELATION_ID, correlation_id)?;
        }
        if let Some(causation_id) = &self.causation_id {
            map.serialize_entry(CAUSATION_ID, causation_id)?;
        }
        if !self.entries.is_empty() {
            map.serialize_entry(ENTRIES, &self.entries)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

/// Reads the members in any order.
struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut metadata = Metadata::new();
        while let Some(member) = map.next_key::<String>()? {
            match member.as_str() {
                CORRELATION_ID => metadata.correlation_id = map.next_value()?,
                CAUSATION_ID => metadata.causation_id = map.next_value()?,
                ENTRIES => metadata.entries = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(metadata)
    }
}
