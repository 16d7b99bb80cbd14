//! TLS for the agent's API, mutual where a client's authority is named.

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

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the {0} cannot be read as PEM")]
    Pem(&'static str, #[source] pem::Error),
    #[error("the file of the {0} holds none")]
    Missing(&'static str),
    #[error("the certificate and the key cannot be used")]
    Certificate(#[source] rustls::Error),
    #[error("the clients' authority cannot be used: {0}")]
    Authority(String),
}

/// Prepares TLS 1.2 and 1.3 with `files`.
///
/// # Errors
///
/// Where they cannot be read or do not belong together.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = read_certificates(&files.certificates, "certificate")?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|error| TlsError::Pem("private key", error))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Certificate)?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            for certificate in read_certificates(authority, "clients' authority")? {
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

fn read_certificates(
    pem: &[u8],
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| TlsError::Pem(what, error))?;
    if certificates.is_empty() { Err(TlsError::Missing(what)) } else { Ok(certificates) }
}

/// A log must not have the key.
impl std::fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_mutual = self.client_authority.is_some();
        f.debug_struct("TlsFiles").field("is_mutual", &is_mutual).finish_non_exhaustive()
    }
}
