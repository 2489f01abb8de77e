//! The files that docs/client-certificates.md has on a control plane node, word for word but for names and the folder: an authority of
//! its own, a certificate for the API server, and the two files that make it show that.

use crate::harness::CLIENT_NAME;
use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

const PAGE: &str = include_str!("../../docs/client-certificates.md");
const FOLDER: &str = "/etc/kubernetes/webhooks";
const HOST: &str = "portcullis.portcullis-system.svc";

/// The folder with the files; it is removed when dropped.
pub struct Recipe {
    folder: TempDir,
}

impl Recipe {
    /// Writes the files, for webhooks at these hosts and ports.
    pub fn follow(hosts: &[String]) -> Result<Self> {
        let recipe = Self { folder: tempfile::tempdir()? };
        let (certificate, issuer) = authority("webhook clients")?;
        fs::write(recipe.authority(), certificate)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = named(CLIENT_NAME);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        fs::write(recipe.path("webhook-client.crt"), params.signed_by(&key, &issuer)?.pem())?;
        fs::write(recipe.path("webhook-client.key"), key.serialize_pem())?;
        // An authority that only has the name of the other.
        fs::write(recipe.namesake(), authority("webhook clients")?.0)?;

        let kubeconfig = recipe.document("kind: Config")?;
        let (head, user) = kubeconfig.split_at(kubeconfig.find("  - name:").context("the kubeconfig has a user")?);
        let users = hosts.iter().map(|host| user.replace(HOST, host)).collect::<String>();
        fs::write(recipe.path("kubeconfig.yaml"), format!("{head}{users}"))?;
        fs::write(recipe.path("admission.yaml"), recipe.document("kind: AdmissionConfiguration")?)?;
        Ok(recipe)
    }

    /// The flag for the API server.
    pub fn flag(&self) -> String {
        format!("--admission-control-config-file={}", self.path("admission.yaml").display())
    }

    /// The certificate of the authority that signed for the API server.
    pub fn authority(&self) -> PathBuf {
        self.path("webhook-ca.crt")
    }

    /// The certificate of another authority, which has the same name.
    pub fn namesake(&self) -> PathBuf {
        self.path("namesake-ca.crt")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The YAML of the page in which this line stands, with our folder in place of the page's.
    fn document(&self, line: &str) -> Result<String> {
        let mut blocks = PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let block =
            blocks.find(|block| block.contains(line)).with_context(|| format!("no block of the page has {line}"))?;
        let unindented: String =
            block.lines().map(|line| format!("{}\n", line.strip_prefix("   ").unwrap_or(line))).collect();
        Ok(unindented.replace(FOLDER, &self.folder.path().display().to_string()))
    }
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), Issuer::new(params, key)))
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
