//! Redis over TLS: trusted authorities, the certificate of this process, and advice for failures.

pub(super) mod advice;
#[cfg(feature = "tls-rustls")]
mod certificates;
#[cfg(feature = "tls-rustls")]
pub(crate) mod options;

#[cfg(feature = "tls-rustls")]
pub use options::{RedisTls, RedisTlsClient};

use crate::caches::redis::error::RedisConnectError;
use crate::caches::redis::options::RedisCacheOptions;
use redis::{Client, ConnectionAddr};

/// Creates a client for the server at a URL, without connecting.
pub(super) fn client(url: &str, options: &RedisCacheOptions) -> Result<Client, RedisConnectError> {
    let client = Client::open(url).map_err(|error| RedisConnectError::from_url(url, &error))?;
    #[cfg(feature = "tls-rustls")]
    return options.tls.applied_to(client);
    #[cfg(not(feature = "tls-rustls"))]
    {
        let _ = options;
        Ok(client)
    }
}

/// Returns `true` if the client uses TLS.
pub(super) fn is_spoken_by(client: &Client) -> bool {
    matches!(
        client.get_connection_info().addr(),
        ConnectionAddr::TcpTls { .. }
    )
}
