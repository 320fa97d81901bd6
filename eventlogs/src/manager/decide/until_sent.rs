//! Runs the closure on one state after another, until it returns events for the store or there is nothing to send.

use crate::aggregate::Aggregate;
use crate::manager::decide::call::{Call, DecisionState, Obstacle, Step, Write};
use crate::manager::decide::decided::Decided;
use crate::manager::decide::outcome::{DecisionOutcome, IntoEvents};
use crate::manager::error::DecideError;
use futures_util::FutureExt;
use std::future::poll_fn;
use std::task::Poll;

/// The result of the turns of a call.
pub(super) enum Turned<'a, A: Aggregate> {
    /// Events were handed over to the store.
    Sent(Write<'a, A>, DecisionState<A>),
    /// There was nothing to send, or the key was used before.
    Over(Decided<A>),
}

impl<'a, A: Aggregate> Call<'a, A> {
    /// Takes turns until events are handed over to the store, or until it is certain that there are none to hand over.
    ///
    /// `known` is a state without the writes that are not stored yet.
    pub(super) async fn until_sent<D, O>(
        &self,
        known: &mut Option<DecisionState<A>>,
        decision: &mut D,
    ) -> Result<Turned<'a, A>, DecideError<O::Refusal>>
    where
        D: FnMut(&A, Option<u64>) -> O,
        O: DecisionOutcome<Events: IntoEvents<A::Event>>,
    {
        loop {
            let turn = self.turn().await?;
            // It is ready on the first poll: the turn is not held across an await.
            let step = poll_fn(|context| {
                let step = self.take_turn(context, known.as_ref(), decision);
                Poll::Ready(step)
            });
            let step = step.await;
            drop(turn);
            match step {
                Step::NeedsState => *known = Some(self.first_state().await?),
                Step::Waits(Obstacle::Folding(pending)) => {
                    self.in_time(pending.free().map(Ok)).await?;
                }
                Step::Waits(Obstacle::Unsettled(pending)) => {
                    self.in_time(pending.wait().map(Ok)).await?;
                }
                Step::Sent(write, state) => return Ok(Turned::Sent(write, state)),
                Step::Nothing(state) | Step::Refused(_, state) | Step::OtherIndex(state)
                    if !state.verified =>
                {
                    *known = Some(self.verify(state).await?);
                }
                Step::Nothing(state) => {
                    let nothing = self.nothing_to_do(state.aggregation).await;
                    return Ok(Turned::Over(nothing?));
                }
                Step::Refused(refusal, _) => {
                    return match self.replayed().await? {
                        Some(replayed) => Ok(Turned::Over(replayed)),
                        None => Err(DecideError::Refused(refusal)),
                    };
                }
                Step::OtherIndex(state) => {
                    return match self.replayed().await? {
                        Some(replayed) => Ok(Turned::Over(replayed)),
                        None => Err(self
                            .manager
                            .inner
                            .measures
                            .counted(self.other_index(&state))
                            .into()),
                    };
                }
            }
        }
    }
}
