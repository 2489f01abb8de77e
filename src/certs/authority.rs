//! An authority: its certificate, which everybody may have, and its key, which only those who sign with it have.

use std::fmt;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData,
};
use rustls::pki_types::PrivateKeyDer;
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::oid_registry::OID_X509_COMMON_NAME;
use x509_parser::prelude::X509Certificate;

use super::encoding::{Span, parsed, pem, seconds};
use super::error::CertificateError;
use super::leaf::Leaf;

/// Clocks differ: a certificate is valid from a while before it was made. So much may one API server be behind another.
pub(super) const BACKDATED: Duration = Duration::from_secs(60 * 60);

/// An authority. Without its key it is trusted, and signs nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Authority {
    certificate: Vec<u8>,
    pub(super) span: Span,
    /// PKCS#8, and the name by which leaves call their issuer.
    signs: Option<(Vec<u8>, String)>,
}

impl Authority {
    /// Makes one that is valid for `lifetime` from now on and a while back; ECDSA P-256.
    ///
    /// # Errors
    /// No randomness, or a time that no certificate can carry.
    pub fn make(now: SystemTime, lifetime: Duration) -> Result<Self, CertificateError> {
        // A name of its own: who verifies looks authorities up by name.
        let name = format!("portcullis authority {}", seconds(now));
        let mut parameters = parameters(&name);
        parameters.not_before = (now - BACKDATED).into();
        parameters.not_after = (now + lifetime).into();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = parameters.self_signed(&key)?.der().to_vec();
        let span = Span::of(&parsed(&certificate)?);
        Ok(Self { certificate, span, signs: Some((key.serialize_der(), name)) })
    }

    /// From its certificate as DER, with its key if that is among these.
    ///
    /// # Errors
    /// It is no certificate, or not that of an authority.
    pub(super) fn read(certificate: Vec<u8>, keys: &[PrivateKeyDer<'_>]) -> Result<Self, CertificateError> {
        let parsed = parsed(&certificate)?;
        if !parsed.is_ca() {
            return Err(CertificateError::Malformed("it is not that of an authority (CA:TRUE is missing)".to_owned()));
        }
        let is_its_own = |key: &KeyPair| key.subject_public_key_info() == parsed.public_key().raw;
        let key = keys.iter().filter_map(|key| KeyPair::try_from(key).ok()).find(is_its_own);
        let signs = key.zip(plain_name(&parsed)).map(|(key, name)| (key.serialize_der(), name));
        let span = Span::of(&parsed);
        Ok(Self { span, signs, certificate })
    }

    /// Its certificate.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// Its certificate as PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// Its key as PEM, PKCS#8.
    pub(super) fn key_pem(&self) -> Option<String> {
        self.signs.as_ref().map(|(key, _)| pem("PRIVATE KEY", key))
    }

    pub(super) fn has_key(&self) -> bool {
        self.signs.is_some()
    }

    /// When its certificate expires.
    pub fn expiry(&self) -> SystemTime {
        self.span.until
    }

    pub(super) fn made(&self) -> SystemTime {
        self.span.from + BACKDATED
    }

    /// Signs a certificate for these names with a key of its own. It never outlives the authority.
    ///
    /// # Errors
    /// A name that no certificate can carry, or an authority without its key.
    pub fn sign(&self, names: &[String], now: SystemTime, lifetime: Duration) -> Result<Leaf, CertificateError> {
        let (key, name) = self.signs.as_ref().ok_or(CertificateError::NoSigner)?;
        let key = KeyPair::try_from(key.as_slice())?;
        let until = (now + lifetime).min(self.span.until);
        Leaf::make(names, (now - BACKDATED, until), &Issuer::new(parameters(name), key))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (span, has_key) = (self.span, self.has_key());
        f.debug_struct("Authority").field("span", &span).field("has_key", &has_key).finish_non_exhaustive()
    }
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

/// The name of an authority that is named as ours are; we could not name another one to the letter.
fn plain_name(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut attributes = certificate.subject().iter_attributes();
    let attribute = attributes.next().filter(|attribute| *attribute.attr_type() == OID_X509_COMMON_NAME)?;
    let is_alone = attributes.next().is_none() && attribute.attr_value().tag() == Tag::Utf8String;
    attribute.as_str().ok().filter(|_| is_alone).map(str::to_owned)
}
