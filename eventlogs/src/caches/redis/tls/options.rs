//! Options of TLS.

use std::fmt;

/// Whom to trust, and how to be known, where the URL begins with `rediss://`.
///
/// By default that is everybody whom the system trusts, and not at all.
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
    /// The certificates, in PEM, of the authorities that may have signed the server's: these and no others. `None` stands
    /// for those of the system, or of the file that `SSL_CERT_FILE` names in the environment.
    pub root_certificates: Option<String>,
    /// What this process shows a server that wants to know who it is, which Redis does unless it is told
    /// `tls-auth-clients no`.
    pub client: Option<RedisTlsClient>,
}

/// The certificate of this process, and its key. `Debug` does not show the key.
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
    /// Its certificate, and those that lead from it to the authority, in PEM.
    pub certificates: String,
    /// Its private key, in PEM.
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
