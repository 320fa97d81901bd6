use crate::caches::redis::moved;
use crate::caches::redis::tls::advice::advice;
use redis::{ErrorKind, RedisError};
use std::time::Duration;

/// Why a [`RedisAggregationCache`](crate::RedisAggregationCache) could not connect. None of the messages holds a
/// password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisConnectError {
    /// The URL cannot be read. It is not repeated here, since it may hold a password.
    #[error(
        "the Redis URL is malformed ({problem}); write redis://[user:password@]host[:port][/database], and what is special in a password in percents, as in %40 for @"
    )]
    MalformedUrl {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The URL asks for TLS, and this program was built without.
    #[error(
        "the Redis URL asks for TLS (rediss://), which this program was built without; enable the feature `tls-rustls` of eventlogs"
    )]
    TlsNotBuilt,
    /// The options of TLS cannot be used.
    #[error(
        "the options of TLS cannot be used: {problem}; correct `tls` in the options of the cache, or the URL"
    )]
    TlsOptions {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// The server and this process do not accept each other's certificates, or one of them does not speak TLS.
    #[error("no connection with TLS can be made to Redis at {address}: {advice}")]
    Tls {
        /// The host and port.
        address: String,
        /// What is wrong, and what to do about it.
        advice: &'static str,
        /// What the driver says.
        source: RedisError,
    },
    /// Nobody listens at the address.
    #[error("nothing listens at {address}; start Redis there, or correct the URL's host and port")]
    Refused {
        /// The host and port, or the path of the socket.
        address: String,
        /// What the system says.
        source: RedisError,
    },
    /// The address cannot be reached.
    #[error(
        "Redis at {address} cannot be reached; check the URL's host, the network and its firewalls"
    )]
    Unreachable {
        /// The host and port, or the path of the socket.
        address: String,
        /// What the system says.
        source: RedisError,
    },
    /// Nothing came back in time.
    #[error(
        "Redis at {address} has not answered within {timeout:?}; check the host and its firewalls, and for rediss:// that the port speaks TLS, or raise `connect_timeout`"
    )]
    TimedOut {
        /// The host and port, or the path of the socket.
        address: String,
        /// The time it was given.
        timeout: Duration,
    },
    /// The user name or the password is missing or wrong.
    #[error(
        "Redis at {address} does not accept the user or the password; correct them in the URL: redis://user:password@host, or redis://:password@host for the default user"
    )]
    NotAuthenticated {
        /// The host and port, or the path of the socket.
        address: String,
        /// What Redis says.
        source: RedisError,
    },
    /// What answers does not speak Redis' protocol, or hangs up.
    #[error(
        "what listens at {address} hangs up, or does not answer as Redis does; if it demands TLS, write rediss:// in place of redis://; if it is a Redis, see whether it has reached its `maxclients`; else correct the port"
    )]
    NotRedis {
        /// The host and port, or the path of the socket.
        address: String,
        /// How it answers.
        source: RedisError,
    },
    /// What listens is a node of a cluster, which has a part of the logs only.
    #[error(
        "Redis at {address} is a node of a cluster, and has a part of the keys only; connect with `redis::cluster_async` (the crate `redis` with its feature `cluster-async`), and give that connection to `RedisAggregationCache::new`"
    )]
    Cluster {
        /// The host and port, or the path of the socket.
        address: String,
        /// What Redis says.
        source: RedisError,
    },
    /// Redis is there, and has another reason not to serve.
    #[error("Redis at {address} refuses to serve; its own message says why")]
    Refusing {
        /// The host and port, or the path of the socket.
        address: String,
        /// What Redis says.
        source: RedisError,
    },
}

impl RedisConnectError {
    /// For what the driver says about a URL. Its message may quote the URL, so it does not become the source.
    pub(super) fn from_url(url: &str, error: &RedisError) -> Self {
        let scheme = url.split(':').next().unwrap_or_default();
        let text = error.to_string();
        let text = text.as_str();
        if matches!(scheme, "rediss" | "valkeys") && text.contains("TLS") {
            return Self::TlsNotBuilt;
        }
        let problem = if text.contains("did not parse") {
            if matches!(
                scheme,
                "redis" | "rediss" | "valkey" | "valkeys" | "unix" | "redis+unix"
            ) {
                "host, port or password cannot be told apart"
            } else {
                "it does not start with redis://"
            }
        } else if text.contains("database") {
            "the database is not a number"
        } else if text.contains("protocol") {
            "the protocol is neither resp2 nor resp3"
        } else if text.contains("ostname") || text.contains("wildcard") {
            "it names no host to connect to"
        } else if text.contains("UTF-8") {
            "user or password are not UTF-8"
        } else {
            "the driver does not understand it"
        };
        Self::MalformedUrl { problem }
    }

    /// For what came of connecting and of the first command.
    pub(super) fn from_connecting(
        address: String,
        by_tls: bool,
        timeout: Duration,
        source: RedisError,
    ) -> Self {
        if source.is_timeout() {
            return Self::TimedOut { address, timeout };
        }
        if by_tls && let Some(advice) = advice(&source) {
            return Self::Tls {
                address,
                advice,
                source,
            };
        }
        if source.is_connection_refusal() {
            return Self::Refused { address, source };
        }
        let denied = matches!(source.code(), Some("NOAUTH" | "WRONGPASS"));
        if denied || source.kind() == ErrorKind::AuthenticationFailed {
            return Self::NotAuthenticated { address, source };
        }
        if moved::is_cluster(&source) {
            return Self::Cluster { address, source };
        }
        match source.kind() {
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
                Self::NotRedis { address, source }
            }
            // Connected, and then hung up on: a server that waits for TLS, or another service.
            ErrorKind::Io if source.is_connection_dropped() => Self::NotRedis { address, source },
            // The driver counts a host without addresses as a wrong configuration.
            ErrorKind::Io | ErrorKind::InvalidClientConfig => Self::Unreachable { address, source },
            _ => Self::Refusing { address, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the driver says where it was built without TLS, which is not so in most builds that run tests.
    #[test]
    fn tls_that_was_not_built_is_no_riddle() {
        let words = "can't connect with TLS, the feature is not enabled";
        let error = RedisError::from((ErrorKind::InvalidClientConfig, words));
        let error = RedisConnectError::from_url("rediss://:hunter2@127.0.0.1", &error);
        assert!(matches!(error, RedisConnectError::TlsNotBuilt), "{error:?}");
        assert!(error.to_string().contains("`tls-rustls`"), "{error}");
    }
}
