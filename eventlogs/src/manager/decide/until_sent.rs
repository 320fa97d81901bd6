//! Asking the closure, on one state after the other, until it gives events for the store or there is nothing to send.

use crate::aggregate::Aggregate;
use crate::manager::decide::call::{Basis, Call, Ground, Step, Write};
use crate::manager::decide::decided::Decided;
use crate::manager::error::DecideError;
use futures_util::FutureExt;
use std::future::poll_fn;
use std::task::Poll;

/// What the turns of a call came to.
pub(super) enum Turned<'a, A: Aggregate> {
    /// Events are on their way to the store.
    Sent(Write<'a, A>, Ground<A>),
    /// There was nothing to send, or the key was used before.
    Over(Decided<A>),
}

impl<'a, A: Aggregate> Call<'a, A> {
    /// Takes turns until events are handed over to the store, or until it is known that there is nothing to hand over.
    ///
    /// `basis` is what is known of the log without the writes that are on their way.
    pub(super) async fn until_sent<D, I, R>(
        &self,
        basis: &mut Option<Basis<A>>,
        decision: &mut D,
    ) -> Result<Turned<'a, A>, DecideError<R>>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        loop {
            let turn = self.turn().await?;
            // Ready at once: the turn is held across no wait.
            let step = poll_fn(|context| {
                let step = self.take_turn(context, basis.as_ref(), decision);
                Poll::Ready(step)
            });
            let step = step.await;
            drop(turn);
            match step {
                Step::Look => *basis = Some(self.look().await?),
                Step::Busy(link) => self.in_time(link.free().map(Ok)).await?,
                Step::Blocked(link) => {
                    self.in_time(link.wait().map(Ok)).await?;
                }
                Step::Sent(write, ground) => return Ok(Turned::Sent(write, ground)),
                Step::NothingSent(_, ground) if !ground.verified => {
                    *basis = Some(self.verify(ground).await?);
                }
                Step::NothingSent(None, ground) => {
                    let nothing = self.nothing_to_do(ground.aggregation).await;
                    return Ok(Turned::Over(nothing?));
                }
                Step::NothingSent(Some(refusal), _) => {
                    return match self.replayed().await? {
                        Some(replayed) => Ok(Turned::Over(replayed)),
                        None => Err(DecideError::Refused(refusal)),
                    };
                }
            }
        }
    }
}
