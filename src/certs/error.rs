//! What can be wrong with a certificate or its key. No text of it holds a key.

/// Why something cannot be made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("{0:?} is neither a DNS name nor an IP address that a certificate can carry")]
    Name(String),
    #[error("cannot make a certificate: {0}")]
    Making(#[from] rcgen::Error),
    #[error("there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error("a certificate cannot be read: {0}")]
    Malformed(String),
    #[error("there is no private key in it (PEM; PKCS#8, PKCS#1 or SEC1)")]
    NoKey,
    #[error("the key is not that of the certificate, or of a kind that cannot be used: {0}")]
    Key(String),
    #[error("the certificate is not one that clients would accept: {0}")]
    Unverified(String),
    #[error("there is no key of an authority to sign with")]
    NoSigner,
}
