//! What to do when TLS with Redis fails.

use crate::tls;
use crate::tls::Trouble;
use redis::{ErrorKind, RedisError};
use std::error::Error;
use std::io;
use std::sync::Arc;

const AUTHORITY: &str = "nobody whom this process trusts has signed the server's certificate; give the certificate of the authority that has, in PEM, as `tls.root_certificates` in the options, and see that it is the right server";
const NAME: &str = "the server's certificate is for another host; connect to a name that is one of its subject alternative names, or have that name put into it";
const TIME: &str = "the server's certificate has expired, or is not valid yet; renew it, and look at the clocks of both machines";
const CLIENT: &str = "the server does not accept this process's certificate, or wants one; give one of an authority that it knows as `tls.client` in the options, or set `tls-auth-clients no` there";
const ROOTS: &str = "the system's root certificates cannot be read, for the reason in the source; install them, or correct `SSL_CERT_FILE` and `SSL_CERT_DIR`";
const INSECURE: &str = "`#insecure` in the URL would accept any server; remove it, and give the certificate of the server's authority as `tls.root_certificates` in the options";
const OTHER: &str = "the server's certificate or its TLS cannot be used, for the reason in the source; correct the server, or `tls` in the options; if it speaks plain text, give its other port, or write redis://";

/// What to do about an error of connecting with TLS, if it is about that.
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
        // The driver has only words for it.
        ErrorKind::InvalidClientConfig if error.to_string().contains("insecure") => Some(INSECURE),
        // Those of the system's files and of names that are none count as errors of the network, too.
        ErrorKind::Io => match inner(error) {
            Some(inner) if inner.is::<io::Error>() => None,
            Some(inner) if is_about_name(inner) => Some(OTHER),
            Some(_) => Some(ROOTS),
            None => None,
        },
        _ => None,
    }
}

/// What the driver keeps of an error of others.
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

/// Without the library there is no way to know.
#[cfg(not(feature = "tls-rustls"))]
const fn is_about_name(_: &(dyn Error + Send + Sync + 'static)) -> bool {
    true
}
