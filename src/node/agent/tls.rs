//! TLS for the agent's API, mutual where a client's authority is named.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// Certificates and key as PEM, as they stand in their files.
#[derive(Clone)]
pub struct TlsFiles {
    /// The agent's certificate, and those between it and its root.
    pub certificates: Vec<u8>,
    pub key: Vec<u8>,
    /// Who signs the certificates of clients. With it, clients without one are refused.
    pub client_authority: Option<Vec<u8>>,
}

/// Which of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    Certificate,
    Key,
    ClientAuthority,
}

impl fmt::Display for TlsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
            Self::ClientAuthority => "clients' authority",
        })
    }
}

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the {0} cannot be read as PEM")]
    Pem(TlsFile, #[source] pem::Error),
    #[error("the file of the {0} holds none")]
    Missing(TlsFile),
    #[error("the certificate and the key cannot be used")]
    Certificate(#[source] rustls::Error),
    #[error("the clients' authority cannot be used: {0}")]
    Authority(String),
}

impl TlsError {
    /// The file that is at fault.
    #[must_use]
    pub const fn file(&self) -> TlsFile {
        match self {
            Self::Pem(file, _) | Self::Missing(file) => *file,
            Self::Certificate(_) => TlsFile::Certificate,
            Self::Authority(_) => TlsFile::ClientAuthority,
        }
    }
}

impl TlsFiles {
    /// Whether TLS can be offered with them: said before the port is open.
    ///
    /// # Errors
    ///
    /// Where they cannot be read or do not belong together.
    pub fn check(&self) -> Result<(), TlsError> {
        acceptor(self).map(|_| ())
    }
}

/// Prepares TLS 1.2 and 1.3 with `files`.
///
/// # Errors
///
/// Where they cannot be read or do not belong together.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = read_certificates(&files.certificates, TlsFile::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|error| TlsError::Pem(TlsFile::Key, error))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Certificate)?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            for certificate in read_certificates(authority, TlsFile::ClientAuthority)? {
                roots.add(certificate).map_err(|error| TlsError::Authority(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| TlsError::Authority(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(certificates, key).map_err(TlsError::Certificate)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_certificates(pem: &[u8], what: TlsFile) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| TlsError::Pem(what, error))?;
    if certificates.is_empty() { Err(TlsError::Missing(what)) } else { Ok(certificates) }
}

/// A log must not have the key.
impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_mutual = self.client_authority.is_some();
        f.debug_struct("TlsFiles").field("is_mutual", &is_mutual).finish_non_exhaustive()
    }
}
