//! An authority that signs certificates for the servers of one test, and the files in which servers find them.

use super::private;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A certificate authority.
pub(crate) struct Authority {
    /// Its own certificate, in PEM.
    pub(crate) pem: String,
    key_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, both in PEM.
pub(crate) struct Credentials {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("valid names");
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("the key can sign");
        Self {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Signs credentials for a host, by name or address.
    pub(crate) fn sign(&self, host: &str) -> Credentials {
        self.signed(&CertificateParams::new([host.to_owned()]).expect("a valid name"))
    }

    /// Signs credentials that expired in the year before last.
    pub(crate) fn sign_expired(&self, host: &str) -> Credentials {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a valid name");
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.signed(&params)
    }

    /// Signs credentials with a common name only, as old certificates have.
    pub(crate) fn sign_common_name(&self, host: &str) -> Credentials {
        let mut params = CertificateParams::new(Vec::new()).expect("valid names");
        params.distinguished_name = named(host);
        self.signed(&params)
    }

    /// Returns its own certificate, for a server without another one, as `openssl req -x509` creates.
    pub(crate) fn itself(&self) -> Credentials {
        Credentials {
            certificate: self.pem.clone(),
            key: self.key_pem.clone(),
        }
    }

    fn signed(&self, params: &CertificateParams) -> Credentials {
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the authority can sign");
        Credentials {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// Files that only a private server can read.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        // A folder that a server of another user can enter.
        let folder = tempfile::tempdir_in("/tmp").expect("a folder for the files");
        private::give_to_server(folder.path());
        Self(folder)
    }

    /// Writes or overwrites a file.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("the test owns the folder");
        private::give_to_server(&path);
        path
    }

    /// Writes the server's certificate and key: `server.pem` and `server.key`.
    pub(crate) fn put_server(&self, credentials: &Credentials) -> (PathBuf, PathBuf) {
        let certificate = self.put("server.pem", &credentials.certificate);
        (certificate, self.put("server.key", &credentials.key))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
