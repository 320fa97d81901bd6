use super::Metadata;

/// The source of the metadata that all writes of a [`LogManager`](crate::LogManager) have in common.
///
/// A closure can be a source:
///
/// ```
/// use eventlogs::{Metadata, MetadataSource};
/// use std::sync::Arc;
///
/// let source: Arc<dyn MetadataSource> = Arc::new(|| Metadata::new().with("service", "payments"));
/// assert_eq!(source.metadata(), Metadata::new().with("service", "payments"));
/// ```
///
/// So can a type of your own:
///
/// ```
/// use eventlogs::{Metadata, MetadataSource};
///
/// struct Deployment { version: String, region: String }
///
/// impl MetadataSource for Deployment {
///     fn metadata(&self) -> Metadata {
///         Metadata::new().with("version", self.version.as_str()).with("region", self.region.as_str())
///     }
/// }
///
/// let source = Deployment { version: "1.4.2".to_owned(), region: "eu".to_owned() };
/// assert_eq!(source.metadata().get("region"), Some(&"eu".into()));
/// ```
pub trait MetadataSource: Send + Sync {
    /// Returns the metadata of one write.
    ///
    /// The manager calls it once per write, whatever the number of its events, in the caller's task: thread-locals, task-locals
    /// and the current span are the caller's. It delays the write, so it should neither block nor take long.
    fn metadata(&self) -> Metadata;
}

impl<F: Fn() -> Metadata + Send + Sync> MetadataSource for F {
    fn metadata(&self) -> Metadata {
        self()
    }
}
