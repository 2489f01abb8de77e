//! The authority of a control plane and what it signs: elliptic keys, made anew for each plane, never leaving its directory.

use super::state::State;
use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::path::PathBuf;

/// What signs the certificates of one plane.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, in a file.
    pub file: PathBuf,
}

/// A certificate and its key, in files.
#[derive(Clone)]
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes one and writes `ca.crt`.
    pub fn create(state: &State) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = name("control-plane-for-tests", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let file = state.write("ca.crt", &params.self_signed(&key)?.pem())?;
        Ok(Self { issuer: Issuer::new(params, key), file })
    }

    /// Signs for a user or a server: `common_name` is the user's name, `organization` its group, `hosts` a server's names
    /// and addresses. Writes `<file>.crt` and `<file>.key`.
    pub fn sign(
        &self,
        state: &State,
        file: &str,
        common_name: &str,
        organization: Option<&str>,
        hosts: &[String],
    ) -> Result<Pair> {
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name = name(common_name, organization);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Pair {
            certificate: state.write(&format!("{file}.crt"), &certificate.pem())?,
            key: state.write(&format!("{file}.key"), &key.serialize_pem())?,
        })
    }
}

fn name(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name
}

/// The key that signs service account tokens, in files; the API server reads EC keys to verify with only as public ones.
pub struct TokenKey {
    pub private: PathBuf,
    pub public: PathBuf,
}

impl TokenKey {
    /// Makes one.
    pub fn create(state: &State) -> Result<Self> {
        let key = KeyPair::generate()?;
        Ok(Self {
            private: state.write("service-accounts.key", &key.serialize_pem())?,
            public: state.write("service-accounts.pub", &key.public_key_pem())?,
        })
    }
}
