//! Gives the certificates of the options to the driver.

use crate::caches::redis::error::RedisConnectError;
use crate::caches::redis::tls::options::RedisTls;
use redis::{Client, ClientTlsConfig, ConnectionAddr, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

impl RedisTls {
    /// Applies these options to a client.
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
        // The driver uses the process's default provider, and panics if there are several candidates and no default.
        if CryptoProvider::get_default().is_none() {
            // Another thread may have been faster, which does no harm.
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

    /// Checks the options, because the driver reads a string without certificates as an empty list.
    fn check(&self) -> Result<(), RedisConnectError> {
        if let Some(roots) = &self.root_certificates
            && !has_certificates(roots)
        {
            return Err(unusable("`root_certificates` has no certificates in PEM"));
        }
        if let Some(client) = &self.client {
            if !has_certificates(&client.certificates) {
                return Err(unusable("`client.certificates` has no certificates in PEM"));
            }
            if PrivateKeyDer::from_pem_slice(client.key.as_bytes()).is_err() {
                return Err(unusable("`client.key` is not a private key in PEM"));
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
