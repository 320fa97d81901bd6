//! What a server answers that is not, or not any more, the one that has the entries.

use crate::caches::CacheError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What the answers of a server begin with that does not serve, for now or for good: somebody else may do so at the same
/// address.
const ELSEWHERE: [&str; 5] = [
    "READONLY",
    "MASTERDOWN",
    "LOADING",
    "CLUSTERDOWN",
    // Of a command that waited while the master became a replica.
    "UNBLOCKED",
];

/// Whether the address should be asked anew who is there.
pub(super) fn is_elsewhere(error: &RedisError) -> bool {
    if error.code().is_some_and(|code| ELSEWHERE.contains(&code)) {
        return true;
    }
    // Before version 7 the answer to a script that writes has a code of its own, and that of the write in its text.
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
        && error
            .detail()
            .is_some_and(|text| text.contains("-READONLY"))
}

/// Whether the server is a node of a cluster, and does not have all that it is asked for.
pub(super) fn is_cluster(error: &RedisError) -> bool {
    matches!(error.code(), Some("MOVED" | "ASK" | "CLUSTERDOWN"))
}

/// Of a cache that could not be told so when it connected, since it did not.
#[derive(Debug, thiserror::Error)]
#[error(
    "Redis is a node of a cluster, and has a part of the keys only; give `RedisAggregationCache::new` a connection to the cluster"
)]
struct OneNode {
    source: RedisError,
}

/// An error, with what to do about it if its text does not say so.
pub(super) fn explained(error: RedisError) -> CacheError {
    match error.code() {
        Some("MOVED" | "ASK") => OneNode { source: error }.into(),
        _ => error.into(),
    }
}
