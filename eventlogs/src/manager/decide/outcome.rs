//! What the closure of a decision returns.

/// The result of a decision: `Ok` with the events to append, or `Err` with a refusal.
///
/// Only [`Result`] has it. It is a trait of its own so that the compiler can say what to write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the result of a decision",
    label = "expected `Ok(events)` or `Err(refusal)`",
    note = "a decision returns a `Result`; one that never refuses returns `Ok::<_, std::convert::Infallible>(events)`",
    note = "a decision cannot be `async`, because it may run several times and others wait for it: get what it needs before the call, and move that into the closure"
)]
pub trait DecisionOutcome {
    /// The events to append: what [`IntoEvents`] accepts; for several logs a list or a tuple of those.
    type Events;
    /// The reason to append nothing, as the caller of the decision gets it.
    type Refusal;

    /// Returns the result.
    ///
    /// # Errors
    /// The refusal.
    fn into_result(self) -> Result<Self::Events, Self::Refusal>;
}

impl<T, R> DecisionOutcome for Result<T, R> {
    type Events = T;
    type Refusal = R;

    fn into_result(self) -> Self {
        self
    }
}

/// The events that a decision appends to a log: one event, an `Option`, an array or a `Vec`.
///
/// No event at all, as in an empty `Vec` or `None`, is a decision to change nothing. Other lists are collected into a `Vec` first.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not events to append: the log has events of type `{E}`",
    label = "expected one event, an `Option`, an array or a `Vec` of `{E}`",
    note = "write `Ok(event)`, `Ok(Some(event))`, `Ok([first, second])` or `Ok(events)` with a `Vec`; `.collect::<Vec<_>>()` makes one of an iterator"
)]
pub trait IntoEvents<E> {
    /// Returns the events in their order.
    fn into_events(self) -> Vec<E>;
}

impl<E> IntoEvents<E> for E {
    fn into_events(self) -> Vec<E> {
        vec![self]
    }
}

impl<E> IntoEvents<E> for Option<E> {
    fn into_events(self) -> Vec<E> {
        self.into_iter().collect()
    }
}

impl<E, const N: usize> IntoEvents<E> for [E; N] {
    fn into_events(self) -> Vec<E> {
        self.into()
    }
}

impl<E> IntoEvents<E> for Vec<E> {
    fn into_events(self) -> Vec<E> {
        self
    }
}
