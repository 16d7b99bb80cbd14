//! Authorities, and certificates that they sign, as files.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority whose certificate is a file in a folder.
pub struct Authority {
    /// The file of its own certificate.
    pub file: String,
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let file = write(folder, name, &params.self_signed(&key).unwrap().pem());
        Self { file, issuer: Issuer::new(params, key), folder: folder.to_owned() }
    }

    /// Signs a certificate for this host; the files of the certificate and its key.
    pub fn sign(&self, name: &str, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        // Of one name with its issuer it would pass for self-signed.
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        let key_name = format!("{name}-key");
        (
            write(&self.folder, name, &certificate),
            write(&self.folder, &key_name, &key.serialize_pem()),
        )
    }
}

fn write(folder: &Path, name: &str, pem: &str) -> String {
    let path = folder.join(format!("{name}.pem"));
    std::fs::write(&path, pem).unwrap();
    path.to_str().unwrap().to_owned()
}
