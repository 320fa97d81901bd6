//! What the values of labels say.

/// What callers ask of a manager. The values of the label are the names of the spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Append,
    AppendAcross,
    Decide,
    DecideAcross,
    DecideEach,
    Reduce,
    ReduceMany,
    ReduceAt,
    Load,
    Stream,
    List,
    Exists,
    FindKey,
    ForgetCached,
    FlushCache,
    PruneIdempotencyKeys,
}

/// What a reduction found in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// An aggregate that is up to date, or may be as old as it is.
    Hit,
    /// Nothing.
    Miss,
    /// An aggregate; the log has later events.
    Stale,
    /// An aggregate with events that the log does not have.
    Ahead,
    /// An aggregate of another history of the log.
    Forked,
    /// Nothing within the time limit.
    TooSlow,
    /// An error.
    Failed,
}

/// The result of writing an aggregate to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheWrite {
    /// The cache has it.
    Done,
    /// The cache has not confirmed it within the time limit.
    TooSlow,
    /// The cache returned an error.
    Failed,
}
