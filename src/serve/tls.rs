//! TLS for the reviews: 1.2 and 1.3, HTTP/1.1 alone, and client certificates where they are asked for.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Why no connection can be served with this material.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the certificate file holds no certificate (PEM, -----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[error("the certificate file is not readable as PEM: {0}")]
    Certificate(rustls::pki_types::pem::Error),
    #[error("the key file holds no private key that can be read (PEM; PKCS#8, PKCS#1 or SEC1): {0}")]
    Key(rustls::pki_types::pem::Error),
    #[error("the certificate cannot be read: {0}")]
    Malformed(String),
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(rustls::Error),
    #[error("the client CA file holds no usable certificate: {0}")]
    ClientAuthority(String),
}

/// A serving certificate with its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From DER: the chain, leaf first, and the key as PKCS#8.
    pub fn from_der(chain: Vec<Vec<u8>>, pkcs8: Vec<u8>) -> Self {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        Self { chain, key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8)) }
    }

    /// From two PEM texts.
    ///
    /// # Errors
    /// There is no certificate or no key in them.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        Ok(Self { chain, key: PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)? })
    }

    /// When the leaf expires, in seconds since 1970.
    ///
    /// # Errors
    /// The leaf is no X.509 certificate.
    pub fn expiry(&self) -> Result<i64, TlsError> {
        let leaf = self.chain.first().ok_or(TlsError::NoCertificate)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|error| TlsError::Malformed(error.to_string()))?;
        Ok(leaf.validity().not_after.timestamp())
    }
}

/// Which clients may connect at all.
pub struct Clients {
    /// PEM of the authorities that sign their certificates.
    pub authorities: Vec<u8>,
    /// Common names or subject alternative names, one of which the certificate must carry; any certificate will do if empty.
    pub names: Vec<String>,
}

/// The TLS configuration in use; read for each new connection, replaced whole. Who we are and who may connect come from
/// different places, so each is replaced without the other. None until there is a certificate to serve.
#[derive(Default)]
pub struct Tls {
    parts: Mutex<Parts>,
    config: ArcSwapOption<ServerConfig>,
}

#[derive(Default)]
struct Parts {
    identity: Option<Identity>,
    /// None: whoever reaches us may connect.
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl Tls {
    /// # Errors
    /// The material cannot be used.
    pub fn new(identity: Identity, clients: Option<Clients>) -> Result<Self, TlsError> {
        let tls = Self::without_identity(clients)?;
        tls.replace(identity)?;
        Ok(tls)
    }

    /// For these clients, once there is a certificate to show them.
    ///
    /// # Errors
    /// The authorities cannot be used.
    pub fn without_identity(clients: Option<Clients>) -> Result<Self, TlsError> {
        let parts = Parts { identity: None, clients: clients.map(verifier).transpose()? };
        Ok(Self { parts: Mutex::new(parts), config: ArcSwapOption::empty() })
    }

    /// Shows another certificate in the connections to come. Those that are open go on as they are.
    ///
    /// # Errors
    /// The material cannot be used; what was in use stays.
    pub fn replace(&self, identity: Identity) -> Result<(), TlsError> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        self.config.store(Some(config(&identity, parts.clients.as_ref())?));
        parts.identity = Some(identity);
        Ok(())
    }

    /// Lets other clients open the connections to come. Those that are open go on as they are.
    ///
    /// # Errors
    /// The authorities cannot be used; those that were in use stay.
    pub fn replace_clients(&self, clients: Clients) -> Result<(), TlsError> {
        let clients = verifier(clients)?;
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = &parts.identity {
            self.config.store(Some(config(identity, Some(&clients))?));
        }
        parts.clients = Some(clients);
        Ok(())
    }

    pub(super) fn config(&self) -> Option<Arc<ServerConfig>> {
        self.config.load_full()
    }
}

fn config(identity: &Identity, clients: Option<&Arc<dyn ClientCertVerifier>>) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(clients.clone()),
    };
    let (chain, key) = (identity.chain.clone(), identity.key.clone_key());
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(clients: Clients) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(&clients.authorities) {
        let authority = authority.map_err(|error| TlsError::ClientAuthority(error.to_string()))?;
        roots.add(authority).map_err(|error| TlsError::ClientAuthority(error.to_string()))?;
    }
    let chains = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .build()
        .map_err(|error| TlsError::ClientAuthority(error.to_string()))?;
    if clients.names.is_empty() { Ok(chains) } else { Ok(Arc::new(Named { chains, names: clients.names })) }
}

/// Accepts the certificates that `chains` accepts and that carry one of the names.
struct Named {
    chains: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("names", &self.names).finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Named {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.chains.verify_client_cert(leaf, intermediates, now)?;
        let malformed = rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| malformed)?;
        let refused = rustls::CertificateError::ApplicationVerificationFailure;
        if carries_one_of(&leaf, &self.names) { Ok(verified) } else { Err(refused.into()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

fn carries_one_of(certificate: &X509Certificate<'_>, names: &[String]) -> bool {
    let is_known = |text: &str| names.iter().any(|name| name == text);
    let common = certificate.subject().iter_common_name().any(|name| name.as_str().is_ok_and(is_known));
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    common
        || alternatives.is_some_and(|alternatives| {
            alternatives.value.general_names.iter().any(|name| match name {
                GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) => is_known(text),
                GeneralName::IPAddress(bytes) => address(bytes).is_some_and(|address| is_known(&address.to_string())),
                _ => false,
            })
        })
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(std::net::IpAddr::from);
    four.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(std::net::IpAddr::from))
}
