//! Certificates for use without a cluster: an authority and a leaf that were made for each other alone.

use std::time::{Duration, SystemTime};

use super::authority::Authority;
use super::error::CertificateError;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A serving certificate, signed by an authority that was made for it alone and whose key is already forgotten.
pub struct SelfMade {
    /// The authority's certificate as PEM: what clients are to trust.
    pub authority_pem: String,
    /// The serving certificate as PEM; the authority is not sent along, since clients have it.
    pub chain_pem: Vec<u8>,
    /// The serving key as PEM.
    pub key_pem: Vec<u8>,
}

/// Makes an authority and a certificate for `localhost`, both loopback addresses and these further names, valid for a year.
///
/// # Errors
/// A name is neither a DNS name nor an IP address.
pub fn self_made(names: &[String]) -> Result<SelfMade, CertificateError> {
    let now = SystemTime::now();
    let authority = Authority::make(now, YEAR)?;
    let leaf = authority.sign(names, now, YEAR)?;
    let (chain_pem, key_pem) = (leaf.chain_pem().to_vec(), leaf.key_pem().to_vec());
    Ok(SelfMade { authority_pem: authority.pem(), chain_pem, key_pem })
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::GeneralName;

    use super::*;
    use crate::certs::encoding::certificates;

    #[test]
    fn only_the_certificate_of_the_authority_is_its_text() {
        let made = self_made(&[]).expect("certificates");
        assert!(made.authority_pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!made.authority_pem.contains("KEY"));
    }

    #[test]
    fn the_leaf_carries_the_loopback_names_and_the_given_ones() {
        let made =
            self_made(&["portcullis.portcullis-system.svc".to_owned(), "10.0.0.7".to_owned()]).expect("certificates");
        let chain = certificates(&made.chain_pem);
        let (_, leaf) = x509_parser::parse_x509_certificate(&chain[0]).expect("a certificate");
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
