//! Options of TLS.

use std::fmt;

/// Options of TLS, for a URL that starts with `rediss://`.
///
/// By default, every authority that the system trusts is trusted, and this process has no certificate.
///
/// ```no_run
/// use eventlogs::{RedisAggregationCache, RedisCacheOptions, RedisTls};
/// # use eventlogs::__example::Counter;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let options = RedisCacheOptions {
///     tls: RedisTls {
///         root_certificates: Some(std::fs::read_to_string("/etc/redis/ca.pem")?),
///         ..Default::default()
///     },
///     ..Default::default()
/// };
/// let url = "rediss://:secret@cache.internal";
/// let cache = RedisAggregationCache::<Counter>::connect_with(url, options).await?;
/// # let _ = cache;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// The certificates, in PEM, of the authorities that may have signed the server's certificate: these and no others. `None`
    /// means those of the system, or those in the file that the environment variable `SSL_CERT_FILE` names.
    pub root_certificates: Option<String>,
    /// The certificate of this process, for a server that requires one. Redis requires one unless it is configured with
    /// `tls-auth-clients no`.
    pub client: Option<RedisTlsClient>,
}

/// The certificate of this process, and its private key. `Debug` does not show the key.
///
/// ```
/// use eventlogs::RedisTlsClient;
///
/// let client = RedisTlsClient {
///     certificates: "-----BEGIN CERTIFICATE-----…".to_owned(),
///     key: "-----BEGIN PRIVATE KEY-----…".to_owned(),
/// };
/// assert!(!format!("{client:?}").contains("PRIVATE KEY"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedisTlsClient {
    /// The certificate of this process, and those that lead from it to the authority, in PEM.
    pub certificates: String,
    /// The private key of this process, in PEM.
    pub key: String,
}

impl fmt::Debug for RedisTlsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisTlsClient")
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}
