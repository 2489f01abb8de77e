//! DER and PEM, and what is read of a certificate.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::error::CertificateError;

/// The most certificates or keys that are read of one text.
const MOST: usize = 64;

/// The certificates of a PEM text as DER, in their order; what is none is passed over.
pub fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    CertificateDer::pem_slice_iter(pem).take(MOST).flatten().map(|certificate| certificate.to_vec()).collect()
}

/// A certificate as PEM.
pub fn authority_pem(der: &[u8]) -> String {
    pem("CERTIFICATE", der)
}

/// When a certificate (DER) expires; none if it is none.
pub fn expiry(der: &[u8]) -> Option<SystemTime> {
    parsed(der).ok().map(|certificate| Span::of(&certificate).until)
}

/// The private keys of a PEM text; what is none is passed over.
pub(super) fn keys(pem: &[u8]) -> Vec<PrivateKeyDer<'static>> {
    PrivateKeyDer::pem_slice_iter(pem).take(MOST).flatten().collect()
}

/// As RFC 7468 writes it.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem + &format!("\n-----END {label}-----\n")
}

pub(super) fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|error| CertificateError::Malformed(error.to_string()))?;
    Ok(certificate)
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

impl Span {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        Self { from: time(validity.not_before), until: time(validity.not_after) }
    }

    pub(super) fn contains(self, now: SystemTime) -> bool {
        (self.from..=self.until).contains(&now)
    }
}

fn time(time: ASN1Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or_default())
}

/// Seconds since 1970; none before.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
