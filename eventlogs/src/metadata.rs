//! What is known about an event beside what happened.

pub(crate) mod source;
#[cfg(feature = "tracing-subscriber")]
mod span;
mod stored;
#[cfg(test)]
mod tests;
mod value;

pub use source::MetadataSource;
#[cfg(feature = "tracing-subscriber")]
pub use span::SpanMetadata;
pub use value::MetadataValue;

use std::collections::BTreeMap;

/// What is known about an event beside what happened: which request it belongs to, what it follows from, and whatever
/// else a service wants to find again.
///
/// It is for people and for tools. A decision that depends on it belongs into the event itself.
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
/// Through serde it is an object of the members `correlation_id`, `causation_id` and `entries`, each left out where there
/// is nothing in it. Members that are not known are passed over on reading, since a later version may write some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// What all events have in common that one request from outside gave rise to.
    pub correlation_id: Option<String>,
    /// The event, message or command that this event follows from directly.
    pub causation_id: Option<String>,
    /// Everything else, by name.
    pub entries: BTreeMap<String, MetadataValue>,
}

impl Metadata {
    /// No metadata.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            correlation_id: None,
            causation_id: None,
            entries: BTreeMap::new(),
        }
    }

    /// The same with this correlation id.
    #[must_use]
    pub fn with_correlation_id(mut self, correlation_id: impl Into<String>) -> Self {
        self.correlation_id = Some(correlation_id.into());
        self
    }

    /// The same with this causation id.
    #[must_use]
    pub fn with_causation_id(mut self, causation_id: impl Into<String>) -> Self {
        self.causation_id = Some(causation_id.into());
        self
    }

    /// The same with this entry, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<MetadataValue>) -> Self {
        self.entries.insert(name.into(), value.into());
        self
    }

    /// The entry of this name. The two ids are fields, and not found here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MetadataValue> {
        self.entries.get(name)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.correlation_id.is_none() && self.causation_id.is_none() && self.entries.is_empty()
    }

    /// The same, completed from another: what both have is taken from this one, each entry by itself.
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
