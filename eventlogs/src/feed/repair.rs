//! Puts events into a page that were left out.

use crate::feed::contract::{EventFeed, Feed};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::guard::{Checked, Guard, Verdict};
use crate::feed::page::FeedPage;
use crate::feed::telemetry;
use std::ops::Range;

impl<S: EventFeed> Feed<S> {
    /// Returns `true` if each event of the page comes next in its log.
    pub(super) fn is_dense(&self, checked: &mut Checked, page: &FeedPage) -> bool {
        let mut watched = page.events.iter().filter(|event| self.watches(event));
        watched.all(|event| self.guard.check(checked, event) == Verdict::Next)
    }

    /// Only the logs that are wanted are watched: of the others, a store may leave out events.
    pub(super) fn watches(&self, event: &FeedEvent) -> bool {
        self.wanted.includes_log(event.log_id, event.kind)
    }

    /// Puts missing events before those that follow them in their logs.
    pub(super) async fn repaired(
        &self,
        checked: &mut Checked,
        page: FeedPage,
    ) -> Result<FeedPage, FeedError> {
        let mut events: Vec<FeedEvent> = Vec::with_capacity(page.events.len());
        // A reader that continues from an event that was filled in must come to the event that follows it.
        let mut before = self.cursor;
        for event in page.events {
            let (log_id, index) = (event.log_id, event.index);
            let next = event.cursor;
            if self.watches(&event) {
                match self.guard.check(checked, &event) {
                    Verdict::Next => events.push(event),
                    Verdict::Early => {}
                    Verdict::Late => return Err(FeedError::Skipped { log_id, index }),
                    Verdict::Gap(missing) => {
                        let found = self.missing(&event, missing.clone()).await?;
                        events.extend(found.into_iter().map(|found| FeedEvent {
                            cursor: before,
                            ..found
                        }));
                        Guard::fill(checked, log_id, missing);
                        self.guard.check(checked, &event);
                        events.push(event);
                    }
                }
            } else {
                events.push(event);
            }
            before = next;
        }
        Ok(FeedPage { events, ..page })
    }

    /// Reads the events that are missing before an event from their log.
    async fn missing(
        &self,
        event: &FeedEvent,
        missing: Range<u64>,
    ) -> Result<Vec<FeedEvent>, FeedError> {
        let (log_id, index) = (event.log_id, event.index);
        tracing::warn!(
            %log_id,
            index,
            missing = ?missing,
            "the feed came to an event before others of its log, which are read from the log now; \
             check which program writes to the table of events by itself"
        );
        let found = self
            .store
            .read_gap(log_id, missing.clone(), &self.wanted)
            .await?;
        if !found.iter().map(|event| event.index).eq(missing) {
            return Err(FeedError::Skipped { log_id, index });
        }
        telemetry::repaired(self.store.feed_name(), found.len());
        Ok(found)
    }
}
