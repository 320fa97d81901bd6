use crate::caches::redis::error::RedisConnectError;
use redis::{Client, ClientTlsConfig, ConnectionAddr, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;

/// Whom to trust, and how to be known, where the URL begins with `rediss://`.
///
/// By default that is everybody whom the system trusts, and not at all.
///
/// ```no_run
/// use eventlogs::{RedisAggregationCache, RedisCacheOptions, RedisTls};
/// # use eventlogs::testing::conformance::Counter;
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

impl RedisTls {
    /// The same client with these options.
    pub(super) fn applied_to(&self, client: Client) -> Result<Client, RedisConnectError> {
        let info = client.get_connection_info();
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return if *self == Self::default() {
                Ok(client)
            } else {
                Err(unusable("the URL does not start with rediss://"))
            };
        }
        self.check()?;
        // The driver takes what the process has chosen, and panics where several could be meant and nobody has.
        if CryptoProvider::get_default().is_none() {
            // Somebody may have been faster, which is as good.
            let _ = ring::default_provider().install_default();
        }
        if *self == Self::default() {
            return Ok(client);
        }
        let certificates = TlsCertificates {
            root_cert: self.root_certificates.clone().map(String::into_bytes),
            client_tls: self.client.as_ref().map(|client| ClientTlsConfig {
                client_cert: client.certificates.clone().into_bytes(),
                client_key: client.key.clone().into_bytes(),
            }),
        };
        Client::build_with_tls(info.clone(), certificates)
            .map_err(|_| unusable("the driver does not understand the certificates"))
    }

    /// The driver takes a text without certificates for an empty list of them.
    fn check(&self) -> Result<(), RedisConnectError> {
        if let Some(roots) = &self.root_certificates
            && !has_certificates(roots)
        {
            return Err(unusable("`root_certificates` has no certificates in PEM"));
        }
        if let Some(client) = &self.client {
            if !has_certificates(&client.certificates) {
                return Err(unusable("`client.certificates` has none in PEM"));
            }
            if PrivateKeyDer::from_pem_slice(client.key.as_bytes()).is_err() {
                return Err(unusable("`client.key` is no private key in PEM"));
            }
        }
        Ok(())
    }
}

const fn unusable(problem: &'static str) -> RedisConnectError {
    RedisConnectError::TlsOptions { problem }
}

fn has_certificates(pem: &str) -> bool {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        if certificate.is_err() {
            return false;
        }
        count += 1;
    }
    count > 0
}
