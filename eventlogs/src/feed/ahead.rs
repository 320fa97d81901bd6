//! The next page of a feed, which is read while the last one is used.

use crate::cursor::Cursor;
use crate::feed::error::FeedError;
use crate::feed::head::FeedHead;
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What a page was asked for, besides the filter, which is the same for all pages of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) after: Cursor,
    pub(super) head: FeedHead,
    pub(super) limit: usize,
    pub(super) sparse: bool,
}

impl Asked {
    /// Returns what a request asks for.
    pub(super) const fn for_request(request: &FeedRequest<'_>) -> Self {
        Self {
            after: request.after,
            head: request.head,
            limit: request.limit,
            sparse: request.sparse,
        }
    }

    /// Returns the request, with the filter of the feed.
    pub(super) const fn request(self, wanted: &Wanted) -> FeedRequest<'_> {
        FeedRequest {
            after: self.after,
            head: self.head,
            limit: self.limit,
            wanted,
            sparse: self.sparse,
        }
    }
}

/// A page that is being read in a task of its own. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Ahead {
    asked: Asked,
    task: JoinHandle<Result<FeedPage, FeedError>>,
}

impl Ahead {
    /// Starts to read. Returns `None` outside a runtime, where nothing can be read ahead.
    pub(super) fn start(
        asked: Asked,
        read: impl Future<Output = Result<FeedPage, FeedError>> + Send + 'static,
    ) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let task = runtime.spawn(read);
        Some(Self { asked, task })
    }

    /// Returns `true` if this page was asked for.
    pub(super) fn is(&self, asked: Asked) -> bool {
        self.asked == asked
    }

    /// Waits for the page. Returns `None` if the task has ended without one. If the future is dropped, the page is not lost.
    pub(super) async fn page(&mut self) -> Option<Result<FeedPage, FeedError>> {
        (&mut self.task).await.ok()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
