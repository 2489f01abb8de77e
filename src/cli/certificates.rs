//! The serving certificate of `serve`: where it comes from, and that the server takes it into use.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use tokio::sync::watch;
use tokio::time::sleep;

use super::duration;
use crate::certs::{Authority, Leaf, Lifetimes, Terms};
use crate::cluster::{Access, Certificates, Origin, Published, Release};
use crate::engine::{Facts, Needed, Snapshot};
use crate::serve::{Backend, ClientFile, Clients, Files, Identity, Tls, watch as reload};
use crate::telemetry::{Decided, Metrics};

/// How often TLS files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// An authority in memory lives as long as its process, as far as anybody can tell.
const MEMORY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Made and replaced by Portcullis, in the Secret RELEASE-certificates that all replicas share
    Kept,
    /// From a Secret that somebody else keeps, such as cert-manager: --certificate-secret
    Given,
    /// From files: --tls-cert-file and --tls-private-key-file
    Files,
    /// Made at the start, for this process alone
    Memory,
}

#[derive(Debug, Args)]
pub(super) struct CertificateArguments {
    /// Where the serving certificate comes from [default: what the other flags say; else kept in a cluster, memory elsewhere]
    #[arg(long, value_name = "ORIGIN")]
    certificates: Option<Kind>,
    /// The Secret with tls.crt, tls.key and ca.crt that somebody else keeps, in the installation's namespace.
    #[arg(long, value_name = "NAME", conflicts_with = "tls_cert_file")]
    certificate_secret: Option<String>,
    /// The serving certificate and what leads to its authority (PEM); read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file")]
    tls_cert_file: Option<PathBuf>,
    /// The key of the serving certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,
    /// A further name or address for a certificate that Portcullis makes; repeatable.
    #[arg(long, value_name = "NAME", conflicts_with = "tls_cert_file")]
    tls_san: Vec<String>,
    /// Where to write the certificate of the authority that is made in memory.
    #[arg(long, value_name = "FILE", default_value = "portcullis-ca.crt", conflicts_with = "tls_cert_file")]
    write_ca: PathBuf,
    /// Demand client certificates that one of these authorities signed (PEM); read again when it changes.
    #[arg(long, value_name = "FILE")]
    client_ca_file: Option<PathBuf>,
    /// A name (common name or subject alternative name) that client certificates may carry; repeatable. Any, if not given.
    #[arg(long, value_name = "NAME", requires = "client_ca_file")]
    client_allowed_name: Vec<String>,
    /// How long a kept authority is valid. Its successor is made after half of that.
    #[arg(long, value_name = "DURATION", value_parser = lifetime, default_value = "730d")]
    authority_lifetime: Duration,
    /// How long a kept serving certificate is valid. It is replaced after two thirds of that.
    #[arg(long, value_name = "DURATION", value_parser = lifetime, default_value = "90d")]
    leaf_lifetime: Duration,
    /// How long clients take at most to hear of a new authority; only then is it served with.
    #[arg(long, value_name = "DURATION", value_parser = lifetime, default_value = "2m")]
    certificate_settling: Duration,
}

/// The way to the cluster, where there is one, and what is known of it.
pub(super) struct Surroundings {
    pub(super) access: Option<Access>,
    pub(super) release: Release,
    pub(super) is_in_cluster: bool,
    /// None where nothing is registered.
    pub(super) published: Option<Published>,
    /// Who is to know which authorities the API server is to trust.
    pub(super) authorities: watch::Sender<Option<Arc<str>>>,
    pub(super) metrics: Arc<Metrics>,
}

/// What is served with from now on.
pub(super) struct Serving {
    pub(super) tls: Arc<Tls>,
    /// Where the certificate of an authority in memory was written.
    pub(super) authority: Option<PathBuf>,
    /// What the cluster's Secret says, where it comes from there.
    pub(super) certificates: Option<Certificates>,
    /// Who is still to be told which authorities the API server is to trust.
    pub(super) authorities: Option<watch::Sender<Option<Arc<str>>>>,
}

impl CertificateArguments {
    /// Finds or makes the certificate, and sees to it that later ones are taken into use.
    pub(super) fn start(&self, around: Surroundings) -> Result<Serving> {
        let metrics = around.metrics.clone();
        let allowed = self.client_ca_file.clone();
        let allowed = allowed.map(|authority| ClientFile { authority, names: self.client_allowed_name.clone() });
        let clients = allowed.as_ref().map(ClientFile::load).transpose().context("cannot use --client-ca-file")?;
        let serving = match self.kind(&around) {
            Kind::Files => self.of_files(clients, around)?,
            Kind::Memory => self.in_memory(clients, around)?,
            Kind::Kept => self.of_cluster(&Origin::Kept, clients, around)?,
            Kind::Given => {
                let name = self.certificate_secret.clone();
                let name = name.context("--certificates given needs --certificate-secret NAME")?;
                self.of_cluster(&Origin::Given(name), clients, around)?
            }
        };
        if let Some(allowed) = allowed {
            tokio::spawn(allowed.watch(serving.tls.clone(), metrics, RELOAD_INTERVAL));
        }
        Ok(serving)
    }

    fn kind(&self, around: &Surroundings) -> Kind {
        self.certificates.unwrap_or(match () {
            () if self.tls_cert_file.is_some() => Kind::Files,
            () if self.certificate_secret.is_some() => Kind::Given,
            () if around.is_in_cluster && around.access.is_some() => Kind::Kept,
            () => Kind::Memory,
        })
    }

    fn of_files(&self, clients: Option<Clients>, around: Surroundings) -> Result<Serving> {
        let (Some(certificate), Some(key)) = (self.tls_cert_file.clone(), self.tls_private_key_file.clone()) else {
            bail!("--certificates files needs --tls-cert-file FILE and --tls-private-key-file FILE");
        };
        let files = Files { certificate, key };
        let loaded = files.load(clients, &around.metrics);
        let tls = Arc::new(loaded.map_err(|error| anyhow!("cannot use the TLS files: {error}"))?);
        tokio::spawn(reload(files, tls.clone(), around.metrics, RELOAD_INTERVAL));
        Ok(Serving { tls, authority: None, certificates: None, authorities: Some(around.authorities) })
    }

    fn of_cluster(&self, origin: &Origin, clients: Option<Clients>, around: Surroundings) -> Result<Serving> {
        let terms = Terms { host: around.release.host(), names: self.tls_san.clone(), lifetimes: self.lifetimes()? };
        let access =
            around.access.context("a Secret can be read only of a cluster; outside of one give --kubeconfig FILE")?;
        let certificates = Certificates::keep(access, around.release, origin, terms, around.published, around.metrics)
            .with_context(|| format!("--certificate-secret: {origin:?} cannot be the name of a Secret"))?;
        let tls = Arc::new(Tls::without_identity(clients)?);
        tokio::spawn(serve(tls.clone(), certificates.leaf.clone()));
        tokio::spawn(hand_out(certificates.trusted.clone(), around.authorities));
        Ok(Serving { tls, authority: None, certificates: Some(certificates), authorities: None })
    }

    fn lifetimes(&self) -> Result<Lifetimes> {
        let (authority, leaf, settling) = (self.authority_lifetime, self.leaf_lifetime, self.certificate_settling);
        if authority < 2 * leaf || leaf < 3 * settling {
            bail!(
                "--authority-lifetime must be twice --leaf-lifetime or more, and that three times --certificate-settling or more: \
                 what replaces a certificate needs the time to become known"
            );
        }
        Ok(Lifetimes { authority, leaf, settling })
    }

    fn in_memory(&self, clients: Option<Clients>, around: Surroundings) -> Result<Serving> {
        let (now, lifetime) = (SystemTime::now(), self.leaf_lifetime);
        let authority = Authority::make(now, MEMORY_LIFETIME)?;
        let leaf = authority.sign(&self.tls_san, now, lifetime)?;
        let tls = Arc::new(Tls::without_identity(clients)?);
        take(&tls, &leaf)?;
        note(&around.metrics, &leaf, &authority);
        let path = &self.write_ca;
        std::fs::write(path, authority.pem()).with_context(|| {
            let path = path.display();
            format!("cannot write the authority's certificate to {path}; choose another place with --write-ca")
        })?;
        tokio::spawn(renew(authority, self.tls_san.clone(), lifetime, tls.clone(), around.metrics));
        let written = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Ok(Serving { tls, authority: Some(written), certificates: None, authorities: Some(around.authorities) })
    }
}

/// Serves with what the cluster's Secret says, for ever.
async fn serve(tls: Arc<Tls>, mut leaves: watch::Receiver<Option<Arc<Leaf>>>) {
    loop {
        let leaf = leaves.borrow_and_update().clone();
        if let Some(leaf) = leaf
            && let Err(error) = take(&tls, &leaf)
        {
            tracing::error!(error = format!("{error:#}"), "cannot serve with the certificate");
        }
        if leaves.changed().await.is_err() {
            return;
        }
    }
}

/// Tells whoever registers us of the authorities that the cluster's Secret says are to be trusted, for ever.
async fn hand_out(mut trusted: watch::Receiver<Option<Arc<str>>>, authorities: watch::Sender<Option<Arc<str>>>) {
    loop {
        let bundle = trusted.borrow_and_update().clone();
        authorities.send_replace(bundle);
        if trusted.changed().await.is_err() {
            return;
        }
    }
}

fn take(tls: &Tls, leaf: &Leaf) -> Result<()> {
    Ok(tls.replace(Identity::from_pem(leaf.chain_pem(), leaf.key_pem())?)?)
}

fn note(metrics: &Metrics, leaf: &Leaf, authority: &Authority) {
    let seconds = |time: SystemTime| {
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(seconds).unwrap_or(i64::MAX)
    };
    metrics.certificate_expiry.store(seconds(leaf.expiry()), Ordering::Relaxed);
    metrics.authority_expiry.store(seconds(authority.expiry()), Ordering::Relaxed);
}

/// Signs a new leaf after two thirds of each one's life; the authority, which clients have, stays.
async fn renew(authority: Authority, names: Vec<String>, lifetime: Duration, tls: Arc<Tls>, metrics: Arc<Metrics>) {
    let mut pause = lifetime * 2 / 3;
    loop {
        sleep(pause).await;
        let renewed = authority.sign(&names, SystemTime::now(), lifetime).map_err(Into::into);
        match renewed.and_then(|leaf| take(&tls, &leaf).map(|()| leaf)) {
            Ok(leaf) => {
                note(&metrics, &leaf, &authority);
                metrics.certificate_reloads.fetch_add(1, Ordering::Relaxed);
                pause = lifetime * 2 / 3;
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "cannot renew the certificate; trying again");
                pause = lifetime / 30;
            }
        }
    }
}

/// A backend that is not ready before there is a certificate to serve with.
pub(super) struct Certified<B> {
    pub(super) backend: B,
    pub(super) certificates: Option<Certificates>,
}

impl<B: Backend> Backend for Certified<B> {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.backend.snapshot()
    }

    async fn gather(&self, needed: Needed<'_>, snapshot: &Snapshot, deadline: Instant) -> Facts {
        self.backend.gather(needed, snapshot, deadline).await
    }

    fn record(&self, decided: &Decided<'_>) {
        self.backend.record(decided);
    }

    fn missing(&self) -> Vec<String> {
        let certificate = self.certificates.as_ref().and_then(Certificates::missing);
        self.backend.missing().into_iter().chain(certificate).collect()
    }
}

/// A second at least and a hundred years at most.
fn lifetime(text: &str) -> Result<Duration, String> {
    let most = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    match duration::whole(text)? {
        lifetime if lifetime.is_zero() || lifetime > most => Err("give 1s or more and 36500d or less".to_owned()),
        lifetime => Ok(lifetime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_units_and_bounds() {
        let day = 24 * 60 * 60;
        let read = |text| lifetime(text).map(|lifetime| lifetime.as_secs());
        for (text, seconds) in [("90d", 90 * day), ("12h", day / 2), ("2m", 120), ("1s", 1), ("36500d", 36500 * day)] {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
        for text in ["", "d", "90", "1.5h", "-1s", "0s", "36501d", "9dd", "99999999999999999999d", "9ä"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
