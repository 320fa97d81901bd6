//! Finds the cause of a failed TLS handshake, which both drivers hide in network errors.

use std::error::Error;
use std::io;
use std::sync::Arc;

/// The cause of a failed handshake. There is one variant for each remedy.
#[cfg_attr(
    not(feature = "tls-rustls"),
    expect(dead_code, reason = "only rustls reports the cause")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No authority that this process trusts has signed the server's certificate.
    Authority,
    /// The certificate is for another host.
    Name,
    /// The certificate has expired, or is not valid yet.
    Time,
    /// The server does not accept the certificate of this process, or requires one.
    Client,
    /// Any other cause.
    Other,
}

/// The cause of an error, if the error is about TLS.
pub(crate) fn trouble(error: &(dyn Error + 'static)) -> Option<Trouble> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // The inner error of an I/O error is not its source.
        return match error.get_ref().and_then(|inner| trouble(inner)) {
            None if error.kind() == io::ErrorKind::InvalidData => Some(Trouble::Other),
            found => found,
        };
    }
    // The Redis driver keeps the errors of other libraries in this form.
    if let Some(error) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return trouble(&**error);
    }
    #[cfg(feature = "tls-rustls")]
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(from_rustls(error));
    }
    error.source().and_then(trouble)
}

#[cfg(feature = "tls-rustls")]
fn from_rustls(error: &rustls::Error) -> Trouble {
    use rustls::CertificateError as Certificate;
    match error {
        rustls::Error::InvalidCertificate(
            Certificate::UnknownIssuer
            // An authority that has the name of a trusted one, and another key.
            | Certificate::BadSignature,
        ) => Trouble::Authority,
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => Trouble::Name,
        rustls::Error::InvalidCertificate(
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. },
        ) => Trouble::Time,
        rustls::Error::AlertReceived(alert) if is_about_client(*alert) => Trouble::Client,
        _ => Trouble::Other,
    }
}

/// Returns `true` if the server uses the alert to require another certificate of this process, or one at all.
#[cfg(feature = "tls-rustls")]
const fn is_about_client(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::AccessDenied
            | Alert::BadCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRequired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::NoCertificate
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(error: io::Error) -> Arc<dyn Error + Send + Sync> {
        Arc::new(error)
    }

    #[test]
    fn errors_of_the_network_are_not_about_tls() {
        for kind in [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::TimedOut,
            io::ErrorKind::UnexpectedEof,
        ] {
            assert_eq!(trouble(&io::Error::from(kind)), None);
            assert_eq!(trouble(&shared(io::Error::new(kind, "words"))), None);
        }
    }

    #[test]
    #[cfg(feature = "tls-rustls")]
    fn what_rustls_says_is_found_in_whatever_it_is_wrapped() {
        use rustls::{AlertDescription, CertificateError, Error as Rustls};
        for (error, expected) in [
            (CertificateError::UnknownIssuer.into(), Trouble::Authority),
            (CertificateError::BadSignature.into(), Trouble::Authority),
            (CertificateError::NotValidForName.into(), Trouble::Name),
            (CertificateError::Expired.into(), Trouble::Time),
            (CertificateError::NotValidYet.into(), Trouble::Time),
            (CertificateError::BadEncoding.into(), Trouble::Other),
            (
                Rustls::AlertReceived(AlertDescription::CertificateRequired),
                Trouble::Client,
            ),
            (Rustls::DecryptError, Trouble::Other),
        ] {
            let error: Rustls = error;
            let io = || io::Error::new(io::ErrorKind::InvalidData, error.clone());
            assert_eq!(trouble(&error), Some(expected), "{error:?}");
            assert_eq!(trouble(&io()), Some(expected), "{error:?}");
            assert_eq!(trouble(&shared(io())), Some(expected), "{error:?}");
            assert_eq!(
                trouble(&io::Error::other(io())),
                Some(expected),
                "{error:?}"
            );
        }
    }
}
