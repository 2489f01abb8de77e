//! A serving certificate with its key.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use x509_parser::prelude::{GeneralName, X509Certificate};

use super::authority::BACKDATED;
use super::encoding::{Span, certificates, keys, parsed, pem};
use super::error::CertificateError;
use super::verify;

/// Names under which a server is always reached on its own machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A serving certificate, what leads to its authority, and its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Leaf {
    chain_pem: Vec<u8>,
    key_pem: Vec<u8>,
    /// As DER, the leaf first.
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) span: Span,
    names: Vec<String>,
}

impl Leaf {
    /// Makes one for the names of the loopback and these, valid in this span, with a key of its own; ECDSA P-256.
    pub(super) fn make(
        names: &[String],
        (from, until): (SystemTime, SystemTime),
        issuer: &Issuer<'_, KeyPair>,
    ) -> Result<Self, CertificateError> {
        let mut parameters = CertificateParams::new(with_loopback(names)?)?;
        parameters.not_before = from.into();
        parameters.not_after = until.into();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, "portcullis");
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = parameters.signed_by(&key, issuer)?;
        let chain_pem = pem("CERTIFICATE", certificate.der());
        Self::read(chain_pem.as_bytes(), pem("PRIVATE KEY", key.serialized_der()).as_bytes())
    }

    /// From two PEM texts: the certificate and what leads to its authority, and the key.
    ///
    /// # Errors
    /// One of them is missing or cannot be read, or the key is not that of the certificate.
    pub fn read(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, CertificateError> {
        let chain = certificates(chain_pem);
        let first = parsed(chain.first().ok_or(CertificateError::NoCertificate)?)?;
        let key = keys(key_pem).into_iter().next().ok_or(CertificateError::NoKey)?;
        verify::belong_together(&chain, key)?;
        let (span, names) = (Span::of(&first), names(&first));
        Ok(Self { chain_pem: chain_pem.to_vec(), key_pem: key_pem.to_vec(), span, names, chain })
    }

    /// The certificate and what leads to its authority, as PEM.
    pub fn chain_pem(&self) -> &[u8] {
        &self.chain_pem
    }

    /// The key as PEM.
    pub fn key_pem(&self) -> &[u8] {
        &self.key_pem
    }

    /// When it expires.
    pub fn expiry(&self) -> SystemTime {
        self.span.until
    }

    /// The names and addresses that it carries.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn made(&self) -> SystemTime {
        self.span.from + BACKDATED
    }

    /// Whether a client that trusts this authority (DER) and looks for `host` accepts it now.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(&self, authority: &[u8], host: &str, now: SystemTime) -> Result<(), CertificateError> {
        verify::leads_to(self, &[authority], host, now)
    }

    /// The same for several authorities.
    ///
    /// # Errors
    /// Why not.
    pub fn verify_any(&self, authorities: &[&[u8]], host: &str, now: SystemTime) -> Result<(), CertificateError> {
        verify::leads_to(self, authorities, host, now)
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf").field("span", &self.span).field("names", &self.names).finish_non_exhaustive()
    }
}

/// These names after those of the loopback, each once.
pub(super) fn with_loopback(names: &[String]) -> Result<Vec<String>, CertificateError> {
    let mut all: Vec<String> = LOOPBACK.map(str::to_owned).into();
    for name in names {
        if !is_name(name) {
            return Err(CertificateError::Name(name.clone()));
        }
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    Ok(all)
}

/// An IP address, or dot-separated DNS labels of which the first may be `*`.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let labels = text.strip_prefix("*.").unwrap_or(text);
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && labels.split('.').all(is_label))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|alternatives| &alternatives.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(text) => Some((*text).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let address = four.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from));
    address.map(|address| address.to_string())
}
