use crate::caches::redis::moved;
use crate::caches::redis::tls::advice::advice;
use crate::error_kind::ErrorKind;
use crate::shared_error::cause;
use redis::{ErrorKind as RedisErrorKind, RedisError};
use std::time::Duration;

/// A [`RedisAggregationCache`](crate::RedisAggregationCache) could not connect. No message contains a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisConnectError {
    /// The URL cannot be parsed. The error does not repeat it, because it may hold a password.
    #[error(
        "the Redis URL is malformed ({problem}); write redis://[user:password@]host[:port][/database], and percent-encode special characters in the password (`@` is `%40`)"
    )]
    MalformedUrl {
        /// The fault of the URL.
        problem: &'static str,
    },
    /// The URL requires TLS, but this program was built without TLS.
    #[error(
        "the Redis URL requires TLS (rediss://), but this program was built without it; enable the feature `tls-rustls` of eventlogs"
    )]
    TlsNotBuilt,
    /// The TLS options cannot be used.
    #[error(
        "the TLS options cannot be used: {problem}; correct `tls` in the options of the cache, or the URL"
    )]
    TlsOptions {
        /// The fault of the options.
        problem: &'static str,
    },
    /// One side rejects the other's certificate, or does not speak TLS.
    #[error(
        "no TLS connection can be made to Redis at {address}: {}; {advice}",
        cause(source)
    )]
    Tls {
        /// The host and port.
        address: String,
        /// The cause, and advice on what to do.
        advice: &'static str,
        /// The error of the driver.
        source: RedisError,
    },
    /// No server listens at the address.
    #[error(
        "no server listens at {address}: {}; start Redis there, or correct the host and the port in the URL",
        cause(source)
    )]
    Refused {
        /// The host and port, or the path of the socket.
        address: String,
        /// The error of the operating system.
        source: RedisError,
    },
    /// The address cannot be reached.
    #[error(
        "Redis at {address} cannot be reached: {}; check the host in the URL, the network and its firewalls",
        cause(source)
    )]
    Unreachable {
        /// The host and port, or the path of the socket.
        address: String,
        /// The error of the operating system.
        source: RedisError,
    },
    /// The server did not answer in time.
    #[error(
        "Redis at {address} did not answer within {timeout:?}; check the host, its firewalls and, for rediss://, that the port speaks TLS, or raise `connect_timeout`"
    )]
    TimedOut {
        /// The host and port, or the path of the socket.
        address: String,
        /// How long the cache waited.
        timeout: Duration,
    },
    /// The user name or the password is missing or wrong.
    #[error(
        "Redis at {address} does not accept the user or the password: {}; correct them in the URL: redis://user:password@host, or redis://:password@host for the default user",
        cause(source)
    )]
    NotAuthenticated {
        /// The host and port, or the path of the socket.
        address: String,
        /// The error of Redis.
        source: RedisError,
    },
    /// The server does not speak the protocol of Redis, or closes the connection.
    #[error(
        "the server at {address} closes the connection, or does not answer as Redis does: {}; if it requires TLS, write rediss:// instead of redis://; if it is Redis, check whether it has reached its `maxclients`; otherwise correct the port",
        cause(source)
    )]
    NotRedis {
        /// The host and port, or the path of the socket.
        address: String,
        /// The error of the driver.
        source: RedisError,
    },
    /// The server is a node of a cluster, and has only a part of the keys.
    #[error(
        "Redis at {address} is a node of a cluster, and has only a part of the keys: {}; connect with `redis::cluster_async` (the crate `redis` with its feature `cluster-async`), and give that connection to `RedisAggregationCache::new`",
        cause(source)
    )]
    Cluster {
        /// The host and port, or the path of the socket.
        address: String,
        /// The error of Redis.
        source: RedisError,
    },
    /// Redis refuses to serve this client for another reason.
    #[error(
        "Redis at {address} refuses to serve this client: {}; correct what it objects to, then connect again",
        cause(source)
    )]
    Refusing {
        /// The host and port, or the path of the socket.
        address: String,
        /// The error of Redis.
        source: RedisError,
    },
}

impl RedisConnectError {
    /// Converts the driver's error about a URL. Its message may quote the URL, so it does not become the source.
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
                "its host, port and password cannot be distinguished"
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
            "the user or the password is not UTF-8"
        } else {
            "the driver cannot parse it"
        };
        Self::MalformedUrl { problem }
    }

    /// Converts the driver's error of connecting or of the first command.
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
        if denied || source.kind() == RedisErrorKind::AuthenticationFailed {
            return Self::NotAuthenticated { address, source };
        }
        if moved::is_cluster(&source) {
            return Self::Cluster { address, source };
        }
        match source.kind() {
            RedisErrorKind::Parse | RedisErrorKind::UnexpectedReturnType => {
                Self::NotRedis { address, source }
            }
            // The server accepted the connection and then closed it: it waits for TLS, or is another service.
            RedisErrorKind::Io if source.is_connection_dropped() => {
                Self::NotRedis { address, source }
            }
            // For a host without addresses, the driver reports an invalid configuration.
            RedisErrorKind::Io | RedisErrorKind::InvalidClientConfig => {
                Self::Unreachable { address, source }
            }
            _ => Self::Refusing { address, source },
        }
    }
}

impl RedisConnectError {
    /// Returns what to do after this error.
    ///
    /// - [`TryAgain`](ErrorKind::TryAgain): [`Refused`](RedisConnectError::Refused),
    ///   [`Unreachable`](RedisConnectError::Unreachable) and [`TimedOut`](RedisConnectError::TimedOut): the server may be starting.
    ///   Also [`Refusing`](RedisConnectError::Refusing) if Redis loads its data, or has no master at the moment.
    /// - [`Internal`](ErrorKind::Internal): all others. Correct the URL, the options or the server.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, RedisConnectError};
    ///
    /// let error = RedisConnectError::MalformedUrl { problem: "it does not start with redis://" };
    /// assert_eq!(error.kind(), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } | Self::Unreachable { .. } | Self::TimedOut { .. } => {
                ErrorKind::TryAgain
            }
            Self::Refusing { source, .. } if moved::is_elsewhere(source) => ErrorKind::TryAgain,
            Self::MalformedUrl { .. }
            | Self::TlsNotBuilt
            | Self::TlsOptions { .. }
            | Self::Tls { .. }
            | Self::NotAuthenticated { .. }
            | Self::NotRedis { .. }
            | Self::Cluster { .. }
            | Self::Refusing { .. } => ErrorKind::Internal,
        }
    }

    /// Returns `true` if the cache may connect later although nobody changes anything: after all errors of the kind
    /// [`TryAgain`](ErrorKind::TryAgain).
    ///
    /// ```
    /// use eventlogs::RedisConnectError;
    ///
    /// let address = "127.0.0.1:6379".to_owned();
    /// let error = RedisConnectError::TimedOut { address, timeout: std::time::Duration::from_secs(2) };
    /// assert!(error.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind() == ErrorKind::TryAgain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses the driver's message for a build without TLS, because most builds that run tests have TLS.
    #[test]
    fn tls_that_was_not_built_is_no_riddle() {
        let words = "can't connect with TLS, the feature is not enabled";
        let error = RedisError::from((RedisErrorKind::InvalidClientConfig, words));
        let error = RedisConnectError::from_url("rediss://:hunter2@127.0.0.1", &error);
        assert!(matches!(error, RedisConnectError::TlsNotBuilt), "{error:?}");
        assert!(error.to_string().contains("`tls-rustls`"), "{error}");
    }
}
