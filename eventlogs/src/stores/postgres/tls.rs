//! Connections with TLS that cannot be made, and what to do about each.

use crate::stores::postgres::codes;
use crate::tls;
use crate::tls::Trouble;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::io;

const AUTHORITY: &str = "nobody whom this process trusts has signed the server's certificate; give the file of the authority that has, in PEM, as `sslrootcert` in the URL, and see that it is the right server";
const NAME: &str = "the server's certificate is for another host; connect to a name that is one of its subject alternative names, or have that name put into it";
const TIME: &str = "the server's certificate has expired, or is not valid yet; renew it, and look at the clocks of both machines";
const CLIENT: &str = "the server does not accept this process's certificate, or wants one; give those of an authority that it knows as `sslcert` and `sslkey` in the URL";
const OTHER: &str = "the server's certificate or its TLS cannot be used, for the reason in the source; correct the server, or `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the URL";
const PLAIN: &str = "the server speaks plain text only; see that it is the right one and set `ssl = on` there. Only where nobody else can read or answer on the way, write `sslmode=disable` in the URL";
const NOT_BUILT: &str =
    "this program was built without TLS; enable the feature `tls-rustls` of eventlogs";
const WANTED: &str = "the server wants TLS; write `sslmode=verify-full` in the URL, and enable the feature `tls-rustls` of eventlogs if it is off";
const UNREAD: &str = "a file that `sslrootcert`, `sslcert` or `sslkey` names in the URL, or PGSSLROOTCERT, PGSSLCERT or PGSSLKEY in the environment, cannot be read; correct its path or its rights";

/// What to do about an error of connecting, if it is about TLS.
pub(super) fn advice(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Io(error) => tls::trouble(error).map(advice_on),
        sqlx::Error::Tls(source) if source.is::<UnreadFile>() => Some(UNREAD),
        sqlx::Error::Tls(source) => Some(match tls::trouble(&**source) {
            Some(trouble) => advice_on(trouble),
            // The driver has only words for these.
            None => match source.to_string() {
                text if text.contains("does not support TLS") => PLAIN,
                text if text.contains("without TLS support") => NOT_BUILT,
                _ => OTHER,
            },
        }),
        // A server that insists on TLS has no other way to say so.
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

/// A certificate or key that is to be used for TLS.
#[derive(Debug, thiserror::Error)]
#[error("a file with certificates or a key cannot be read")]
struct UnreadFile {
    source: io::Error,
}

/// To the driver a file that it cannot read is an error of the network.
pub(super) fn unread_file(error: sqlx::Error, connect: &PgConnectOptions) -> sqlx::Error {
    // A socket in the file system can be missing, too; nobody speaks TLS there.
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
