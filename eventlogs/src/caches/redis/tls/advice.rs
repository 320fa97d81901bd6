//! Advice for failures of TLS with Redis.

use crate::tls;
use crate::tls::Trouble;
use redis::{ErrorKind, RedisError};
use std::error::Error;
use std::io;
use std::sync::Arc;

const AUTHORITY: &str = "no authority that this process trusts has signed the server's certificate; check that it is the right server, and give the certificate of its authority, in PEM, as `tls.root_certificates` in the options";
const NAME: &str = "the server's certificate is for another host; connect to one of its subject alternative names, or add the name in the URL to them";
const TIME: &str = "the server's certificate has expired, or is not valid yet; renew it, and check the clocks of both machines";
const CLIENT: &str = "the server does not accept this process's certificate, or requires one; give a certificate of an authority that the server knows as `tls.client` in the options, or set `tls-auth-clients no` on the server";
const ROOTS: &str = "the system's root certificates cannot be read; install them, or correct `SSL_CERT_FILE` and `SSL_CERT_DIR`";
const INSECURE: &str = "`#insecure` in the URL would accept any server; remove it, and give the certificate of the server's authority as `tls.root_certificates` in the options";
const OTHER: &str = "the server's certificate or its TLS cannot be used; correct the server, or `tls` in the options; if the server speaks plain text on this port, give its TLS port, or write redis://";

/// Advice for an error of connecting with TLS; `None` if the error is not about TLS.
pub(in crate::caches::redis) fn advice(error: &RedisError) -> Option<&'static str> {
    if let Some(trouble) = tls::trouble(error) {
        return Some(match trouble {
            Trouble::Authority => AUTHORITY,
            Trouble::Name => NAME,
            Trouble::Time => TIME,
            Trouble::Client => CLIENT,
            Trouble::Other => OTHER,
        });
    }
    match error.kind() {
        // The driver reports it only by its message.
        ErrorKind::InvalidClientConfig if error.to_string().contains("insecure") => Some(INSECURE),
        // The driver also counts errors of the system's certificate files, and of invalid host names, as errors of the network.
        ErrorKind::Io => match inner(error) {
            Some(inner) if inner.is::<io::Error>() => None,
            Some(inner) if is_about_name(inner) => Some(OTHER),
            Some(_) => Some(ROOTS),
            None => None,
        },
        _ => None,
    }
}

/// The error of another library that the driver keeps.
fn inner(error: &RedisError) -> Option<&(dyn Error + Send + Sync + 'static)> {
    let shared = error
        .source()?
        .downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    Some(&**shared)
}

#[cfg(feature = "tls-rustls")]
fn is_about_name(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.is::<rustls::pki_types::InvalidDnsNameError>()
}

/// Without rustls, the type of the error cannot be known.
#[cfg(not(feature = "tls-rustls"))]
const fn is_about_name(_: &(dyn Error + Send + Sync + 'static)) -> bool {
    true
}
