//! An authority that signs certificates for the servers of one test, and the files in which servers find them.

use super::private;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Who signs.
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
        let certificate = params.self_signed(&key).expect("it can sign");
        Self {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Credentials for a host, by name or address.
    pub(crate) fn sign(&self, host: &str) -> Credentials {
        self.signed(&CertificateParams::new([host.to_owned()]).expect("a valid name"))
    }

    /// The same, valid until the year before last at the latest.
    pub(crate) fn sign_expired(&self, host: &str) -> Credentials {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a valid name");
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.signed(&params)
    }

    /// The same, without any name but the common one, as they were made long ago.
    pub(crate) fn sign_common_name(&self, host: &str) -> Credentials {
        let mut params = CertificateParams::new(Vec::new()).expect("valid names");
        params.distinguished_name = named(host);
        self.signed(&params)
    }

    /// Its own certificate, for a server that has no other, as `openssl req -x509` makes them.
    pub(crate) fn itself(&self) -> Credentials {
        Credentials {
            certificate: self.pem.clone(),
            key: self.key_pem.clone(),
        }
    }

    fn signed(&self, params: &CertificateParams) -> Credentials {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it can sign");
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

/// Files that a private server can read, and nobody else.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        // Where a server of another user can go.
        let folder = tempfile::tempdir_in("/tmp").expect("a folder for the files");
        private::give_to_server(folder.path());
        Self(folder)
    }

    /// Writes a file, or writes it anew.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        private::give_to_server(&path);
        path
    }

    /// Writes what a server shows: `server.pem` and `server.key`.
    pub(crate) fn put_server(&self, credentials: &Credentials) -> (PathBuf, PathBuf) {
        let certificate = self.put("server.pem", &credentials.certificate);
        (certificate, self.put("server.key", &credentials.key))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
