//! Connections with TLS that cannot be made, and what to do about each.

use crate::stores::postgres::codes;
use crate::tls;
use crate::tls::Trouble;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::io;

const AUTHORITY: &str = "no authority that this process trusts has signed the server's certificate; check that it is the right server, and name the file with the certificate of its authority, in PEM, as `sslrootcert` in the URL";
const NAME: &str = "the server's certificate is for another host; connect to one of its subject alternative names, or have the name in the URL added to them";
const TIME: &str = "the server's certificate has expired or is not valid yet; renew it, and check the clocks of both machines";
const CLIENT: &str = "the server requires a certificate of this process, or does not accept the one that it got; name the files with a certificate of an authority that the server trusts, and with its key, as `sslcert` and `sslkey` in the URL";
const OTHER: &str = "the server's certificate or its TLS cannot be used; correct the server, or `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the URL";
const PLAIN: &str = "the server speaks plain text only; check that it is the right server, and set `ssl = on` there. Write `sslmode=disable` in the URL only if no attacker can read or answer on the network";
const NOT_BUILT: &str =
    "this program was built without TLS; enable the feature `tls-rustls` of eventlogs";
const WANTED: &str = "the server requires TLS; write `sslmode=verify-full` in the URL, and enable the feature `tls-rustls` of eventlogs if it is off";
const UNREAD: &str = "a file that is named by `sslrootcert`, `sslcert` or `sslkey` in the URL, or by PGSSLROOTCERT, PGSSLCERT or PGSSLKEY in the environment, cannot be read; correct its path or its permissions";

/// Returns what to do about an error of connecting, if the error is about TLS.
pub(super) fn advice(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Io(error) => tls::trouble(error).map(advice_on),
        sqlx::Error::Tls(source) if source.is::<UnreadFile>() => Some(UNREAD),
        sqlx::Error::Tls(source) => Some(match tls::trouble(&**source) {
            Some(trouble) => advice_on(trouble),
            // The driver describes these in words only.
            None => match source.to_string() {
                text if text.contains("does not support TLS") => PLAIN,
                text if text.contains("without TLS support") => NOT_BUILT,
                _ => OTHER,
            },
        }),
        // A server that requires TLS has no other way to report it.
        sqlx::Error::Database(error)
            if error.code().as_deref() == Some(codes::INVALID_AUTHORIZATION) =>
        {
            let message = error.message();
            if message.contains("no encryption") {
                Some(WANTED)
            } else if message.contains("client certificate") {
                Some(CLIENT)
            } else {
                None
            }
        }
        _ => None,
    }
}

const fn advice_on(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Authority => AUTHORITY,
        Trouble::Name => NAME,
        Trouble::Time => TIME,
        Trouble::Client => CLIENT,
        Trouble::Other => OTHER,
    }
}

/// A certificate or key file for TLS that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a certificate or key file cannot be read: {source}")]
struct UnreadFile {
    source: io::Error,
}

/// Turns the driver's error for a file that it cannot read into a TLS error: the driver reports it as an error of the network.
pub(super) fn unread_file(error: sqlx::Error, connect: &PgConnectOptions) -> sqlx::Error {
    // A socket in the file system can be missing, too, but it has no TLS.
    let is_socket = connect.get_socket().is_some() || connect.get_host().starts_with('/');
    let is_plain = matches!(
        connect.get_ssl_mode(),
        PgSslMode::Disable | PgSslMode::Allow
    );
    match error {
        sqlx::Error::Io(source)
            if !is_socket
                && !is_plain
                && matches!(
                    source.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::PermissionDenied
                        | io::ErrorKind::IsADirectory
                ) =>
        {
            sqlx::Error::Tls(UnreadFile { source }.into())
        }
        error => error,
    }
}
