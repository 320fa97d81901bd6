//! Metadata of events: data about an event that is not part of it.

pub(crate) mod source;
#[cfg(feature = "tracing-subscriber")]
mod span;
mod stored;
mod task;
#[cfg(test)]
mod tests;
mod value;

pub use source::MetadataSource;
#[cfg(feature = "tracing-subscriber")]
pub use span::SpanMetadata;
pub use task::TaskMetadata;
pub use value::MetadataValue;

use std::collections::BTreeMap;

/// Data that is stored with an event and is not part of it: the request it belongs to, its cause, and all else that a service
/// needs to find later.
///
/// Metadata is for people and for tools. Data that a decision depends on belongs in the event itself.
///
/// ```
/// use eventlogs::Metadata;
///
/// let metadata = Metadata::new()
///     .with_correlation_id("request 17")
///     .with("user", "ada")
///     .with("attempt", 2);
///
/// assert_eq!(metadata.correlation_id.as_deref(), Some("request 17"));
/// assert_eq!(metadata.get("attempt").and_then(|value| value.as_integer()), Some(2));
///
/// // The same in a literal.
/// let literal = Metadata {
///     correlation_id: Some("request 17".to_owned()),
///     entries: [("user".to_owned(), "ada".into()), ("attempt".to_owned(), 2.into())].into(),
///     ..Default::default()
/// };
/// assert_eq!(literal, metadata);
/// ```
///
/// With serde it is an object with the members `correlation_id`, `causation_id` and `entries`. Empty members are left out.
/// Unknown members are ignored on reading, because a later version may write some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The id that all events of one request from outside have in common.
    pub correlation_id: Option<String>,
    /// The id of the event, message or command that directly caused this event.
    pub causation_id: Option<String>,
    /// All other metadata, by name.
    pub entries: BTreeMap<String, MetadataValue>,
}

impl Metadata {
    /// Makes empty metadata.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            correlation_id: None,
            causation_id: None,
            entries: BTreeMap::new(),
        }
    }

    /// Sets the correlation id.
    #[must_use]
    pub fn with_correlation_id(mut self, correlation_id: impl Into<String>) -> Self {
        self.correlation_id = Some(correlation_id.into());
        self
    }

    /// Sets the causation id.
    #[must_use]
    pub fn with_causation_id(mut self, causation_id: impl Into<String>) -> Self {
        self.causation_id = Some(causation_id.into());
        self
    }

    /// Adds an entry, in place of one with the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<MetadataValue>) -> Self {
        self.entries.insert(name.into(), value.into());
        self
    }

    /// Returns the entry with this name. The two ids are fields and not entries.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MetadataValue> {
        self.entries.get(name)
    }

    /// Returns `true` if there are neither ids nor entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.correlation_id.is_none() && self.causation_id.is_none() && self.entries.is_empty()
    }

    /// Completes this metadata from another. An id or an entry that both have is taken from this one.
    ///
    /// ```
    /// use eventlogs::Metadata;
    ///
    /// let given = Metadata::new().with_correlation_id("request 17").with("user", "ada");
    /// let general = Metadata::new().with("user", "nobody").with("service", "payments");
    ///
    /// let metadata = given.or(general);
    /// assert_eq!(
    ///     metadata,
    ///     Metadata::new().with_correlation_id("request 17").with("user", "ada").with("service", "payments")
    /// );
    /// ```
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut entries = other.entries;
        entries.extend(self.entries);
        Self {
            correlation_id: self.correlation_id.or(other.correlation_id),
            causation_id: self.causation_id.or(other.causation_id),
            entries,
        }
    }
}
