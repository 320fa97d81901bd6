//! Answers of a server that does not have the entries, or no longer has them.

use crate::caches::CacheError;
use crate::shared_error::cause;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The codes with which a server answers that does not serve, temporarily or permanently. Another server may serve at the same
/// address.
const ELSEWHERE: [&str; 5] = [
    "READONLY",
    "MASTERDOWN",
    "LOADING",
    "CLUSTERDOWN",
    // For a command that waited while the master became a replica.
    "UNBLOCKED",
];

/// Returns `true` if the address should be connected to again, because another server may be there.
pub(super) fn is_elsewhere(error: &RedisError) -> bool {
    if error.code().is_some_and(|code| ELSEWHERE.contains(&code)) {
        return true;
    }
    // Before version 7, the answer to a script that writes has its own code, and the code of the write is in its text.
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
        && error
            .detail()
            .is_some_and(|text| text.contains("-READONLY"))
}

/// Returns `true` if the server is a node of a cluster, and does not have all the keys that it is asked for.
pub(super) fn is_cluster(error: &RedisError) -> bool {
    matches!(error.code(), Some("MOVED" | "ASK" | "CLUSTERDOWN"))
}

/// The error of a cache that was made without connecting, so that it could not be reported then.
#[derive(Debug, thiserror::Error)]
#[error(
    "Redis is a node of a cluster, and has only a part of the keys: {}; give `RedisAggregationCache::new` a connection to the cluster",
    cause(source)
)]
struct OneNode {
    source: RedisError,
}

/// Adds advice to an error whose text does not have it.
pub(super) fn explained(error: RedisError) -> CacheError {
    match error.code() {
        Some("MOVED" | "ASK") => OneNode { source: error }.into(),
        _ => error.into(),
    }
}
