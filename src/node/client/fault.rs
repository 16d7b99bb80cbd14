//! Why there is no connection to an agent, in words that say what to do.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::model::reason::find_root_cause;

/// What an error of the HTTP client means; the URL is no news to whoever asked.
pub fn render_fault(error: &reqwest::Error) -> String {
    find_tls_fault(error)
        .and_then(explain)
        .map(str::to_owned)
        .or_else(|| find_root_cause(error))
        .unwrap_or_else(|| "the connection ended".to_owned())
}

/// The fault of TLS among the causes of an error. An [`io::Error`] names as its source
/// not what it holds, but the source of that.
fn find_tls_fault<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(held) = held {
            let held: &(dyn Error + 'static) = held;
            return find_tls_fault(held);
        }
        if let Some(fault) = error.downcast_ref::<rustls::Error>() {
            return Some(fault);
        }
        next = error.source();
    }
    None
}

/// What to do about a fault of TLS; `None` where its own words do.
fn explain(fault: &rustls::Error) -> Option<&'static str> {
    match fault {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => Some(
                "its certificate is not signed by an authority that this service trusts (--agent-authority)",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Some("its certificate does not name the address at which this service asks it")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Some("its certificate has expired")
            }
            _ => None,
        },
        // RFC 8446, section 6.2.
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => Some(
                "it asks for a certificate, and this service shows none (--agent-certificate, --agent-key)",
            ),
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown => Some(
                "it does not accept the certificate that this service shows (--agent-certificate)",
            ),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_fault_of_tls_is_found_inside_and_explained() {
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let alert = |alert| rustls::Error::AlertReceived(alert);
        let cases = [
            (unknown(), Some("--agent-authority")),
            (
                rustls::Error::InvalidCertificate(CertificateError::NotValidForName),
                Some("does not name the address"),
            ),
            (alert(AlertDescription::CertificateRequired), Some("shows none")),
            (alert(AlertDescription::UnknownCA), Some("does not accept")),
            (alert(AlertDescription::InternalError), None),
        ];
        for (fault, expected) in cases {
            let text = fault.to_string();
            let error = Outer(io::Error::other(io::Error::other(fault)));
            let found = find_tls_fault(&error).unwrap_or_else(|| panic!("{text}"));
            match (explain(found), expected) {
                (None, None) => {}
                (Some(words), Some(part)) => assert!(words.contains(part), "{words}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(find_tls_fault(&Outer(io::Error::other("refused"))).is_none());
        assert!(find_tls_fault(&unknown()).is_some());
    }
}
