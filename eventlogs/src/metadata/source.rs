use super::Metadata;

/// Where a [`LogManager`](crate::LogManager) gets the metadata that all of its writes have in common.
///
/// A closure is one:
///
/// ```
/// use eventlogs::{Metadata, MetadataSource};
/// use std::sync::Arc;
///
/// let source: Arc<dyn MetadataSource> = Arc::new(|| Metadata::new().with("service", "payments"));
/// assert_eq!(source.metadata(), Metadata::new().with("service", "payments"));
/// ```
///
/// And so is whatever knows more:
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
    /// The metadata of one write.
    ///
    /// It is called once for each write, whatever the number of its events, in the task of the caller: thread-locals,
    /// task-locals and the current span are the caller's. It delays the write, so it should neither block nor take long.
    fn metadata(&self) -> Metadata;
}

impl<F: Fn() -> Metadata + Send + Sync> MetadataSource for F {
    fn metadata(&self) -> Metadata {
        self()
    }
}
