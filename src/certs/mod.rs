//! Self-made certificates: an authority and a serving certificate for use without a cluster.
//!
//! Keys stay in memory: only the authority's certificate is ever handed out as text.

use std::net::IpAddr;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use time::OffsetDateTime;

/// How long both certificates are valid. A process that lives longer makes new ones when it is started again.
const VALIDITY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Clocks differ: a certificate is valid from a little before it was made.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{0:?} is neither a DNS name nor an IP address that a certificate can carry")]
    Name(String),
    #[error("cannot make a certificate: {0}")]
    Making(#[from] rcgen::Error),
}

/// A serving certificate, signed by an authority that was made for it alone and whose key is already forgotten.
pub struct SelfMade {
    /// The authority's certificate as PEM: what clients are to trust.
    pub authority_pem: String,
    /// The serving certificate as DER; the authority is not sent along, since clients have it.
    pub chain: Vec<Vec<u8>>,
    /// The serving key as PKCS#8 DER.
    pub key: Vec<u8>,
}

/// Makes an authority and a certificate for `localhost`, both loopback addresses and these further names; ECDSA P-256.
///
/// # Errors
/// A name is neither a DNS name nor an IP address.
pub fn self_made(names: &[String]) -> Result<SelfMade, CertificateError> {
    let authority = authority()?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let leaf = leaf(names)?.signed_by(&key, &authority)?;
    Ok(SelfMade { authority_pem: authority.pem(), chain: vec![leaf.der().to_vec()], key: key.serialize_der() })
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, CertificateError> {
    let mut parameters = CertificateParams::default();
    dated(&mut parameters);
    parameters.distinguished_name.push(DnType::CommonName, "Portcullis self-made authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(parameters, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?)
}

fn leaf(names: &[String]) -> Result<CertificateParams, CertificateError> {
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    for name in names {
        if !is_name(name) {
            return Err(CertificateError::Name(name.clone()));
        }
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    let mut parameters = CertificateParams::new(all)?;
    dated(&mut parameters);
    parameters.distinguished_name.push(DnType::CommonName, "portcullis");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn dated(parameters: &mut CertificateParams) {
    let now = OffsetDateTime::now_utc();
    parameters.not_before = now - CLOCK_SKEW;
    parameters.not_after = now + VALIDITY;
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

#[cfg(test)]
mod tests {
    use x509_parser::prelude::GeneralName;

    use super::*;

    #[test]
    fn only_the_certificate_of_the_authority_is_text() {
        let made = self_made(&[]).expect("certificates");
        assert!(made.authority_pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!made.authority_pem.contains("KEY"));
    }

    #[test]
    fn the_leaf_carries_the_loopback_names_and_the_given_ones() {
        let made =
            self_made(&["portcullis.portcullis-system.svc".to_owned(), "10.0.0.7".to_owned()]).expect("certificates");
        let (_, leaf) = x509_parser::parse_x509_certificate(&made.chain[0]).expect("a certificate");
        let names = leaf.subject_alternative_name().expect("well-formed").expect("present");
        let has = |name: GeneralName<'_>| names.value.general_names.contains(&name);
        for name in ["localhost", "portcullis.portcullis-system.svc"] {
            assert!(has(GeneralName::DNSName(name)), "{name}");
        }
        let sixth = std::net::Ipv6Addr::LOCALHOST.octets();
        for address in [&[127, 0, 0, 1][..], &[10, 0, 0, 7], &sixth] {
            assert!(has(GeneralName::IPAddress(address)), "{address:?}");
        }
        assert!(!leaf.is_ca());
    }

    #[test]
    fn refuses_what_is_no_name() {
        for name in ["", "a b", "a..b", "-a", "https://a", "a:443"] {
            assert!(matches!(self_made(&[name.to_owned()]), Err(CertificateError::Name(_))), "{name}");
        }
    }
}
