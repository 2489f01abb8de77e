//! What a client would say of a serving certificate: chain, names, time.
//!
//! rustls verifies, which accepts nothing that the API server's Go would refuse.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;

use super::encoding::seconds;
use super::error::CertificateError;
use super::leaf::Leaf;

/// Whether the key is that of the first certificate.
pub(super) fn belong_together(chain: &[Vec<u8>], key: PrivateKeyDer<'static>) -> Result<(), CertificateError> {
    let chain = chain.iter().map(|certificate| CertificateDer::from(certificate.clone())).collect();
    let certified = CertifiedKey::from_der(chain, key, &default_provider());
    certified.map(|_| ()).map_err(|error| CertificateError::Key(error.to_string()))
}

/// Whether a client that trusts these authorities accepts the leaf as `host` at this time.
pub(super) fn leads_to(
    leaf: &Leaf,
    authorities: &[&[u8]],
    host: &str,
    now: SystemTime,
) -> Result<(), CertificateError> {
    let unverified = |error: rustls::Error| CertificateError::Unverified(error.to_string());
    let (first, rest) = leaf.chain.split_first().ok_or(CertificateError::NoCertificate)?;
    // A certificate that is itself trusted needs no authority; rustls has no notion of that, Go has.
    let is_its_own = authorities.contains(&first.as_slice());
    if is_its_own && leaf.span.contains(now) && leaf.names().iter().any(|name| name == host) {
        return Ok(());
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().map(|authority| CertificateDer::from(*authority)));
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .build()
        .map_err(|error| CertificateError::Unverified(error.to_string()))?;
    let rest: Vec<_> = rest.iter().map(|certificate| CertificateDer::from(certificate.as_slice())).collect();
    let name = ServerName::try_from(host).map_err(|_| CertificateError::Name(host.to_owned()))?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds(now)));
    let first = CertificateDer::from(first.as_slice());
    verifier.verify_server_cert(&first, &rest, &name, &[], now).map(|_| ()).map_err(unverified)
}
