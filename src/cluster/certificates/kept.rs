//! Certificates that we make: what a turn of [`crate::certs::Kept`] wants is written into the Secret, and then taken into use.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::secret::{DISTRUST_BEFORE, MOST_OF_A_SECRET, Secret};
use super::{Around, KeepingError};
use crate::certs::{Found, Kept, Terms, Turn, distrusted_before};
use crate::cluster::access::Answer;
use crate::cluster::error::ClusterError;
use crate::cluster::place::Deed;
use crate::cluster::question::Question;
use crate::telemetry::Metrics;
use crate::telemetry::log::clipped;

/// How often the Secret is read again because somebody else wrote it in between.
const MOST_TRIES: usize = 8;

pub(super) struct Keeper {
    kept: Kept,
    /// Whether what the release belongs to was there once.
    was_owned: bool,
}

impl Keeper {
    pub(super) fn new(terms: Terms) -> Self {
        Self { kept: Kept::new(terms), was_owned: false }
    }

    /// Reads the Secret, writes it if it must be, and shows what there is then.
    pub(super) async fn turn(&mut self, around: &Around) -> Result<(), KeepingError> {
        for _ in 0..MOST_TRIES {
            let (answer, clock) = around.read().await?;
            let secret = existing(&answer)?;
            let found = secret.as_ref().map(found);
            let complaints = found.as_ref().map(|found| found.complaints.clone()).unwrap_or_default();
            let turn = self.kept.turn(found, around.handed_out().as_deref(), clock)?;
            let written = if turn.must_write { self.write(around, secret, &turn).await } else { Ok(()) };
            match written {
                Err(KeepingError::Cluster(ClusterError::Refused { code: 409, .. })) => continue,
                Err(error) => {
                    self.kept.adopt(turn.before, clock);
                    self.show(around, clock.server);
                    return Err(error);
                }
                Ok(()) => {}
            }
            tell(&turn, &complaints, &around.metrics);
            self.kept.adopt(turn.material, clock);
            self.show(around, clock.server);
            return Ok(());
        }
        Err(KeepingError::Contended)
    }

    fn show(&self, around: &Around, now: SystemTime) {
        around.show(self.kept.served(), self.kept.bundle(), self.kept.authority_expiry(now));
    }

    async fn write(&mut self, around: &Around, secret: Option<Secret>, turn: &Turn) -> Result<(), KeepingError> {
        let data = turn.material.data();
        match secret {
            Some(secret) if secret.is_immutable() => Err(KeepingError::Immutable),
            Some(secret) => Ok(around.write(Deed::Replace(&secret.with(&data).text()?)).await?),
            None => {
                let owner = self.owner(around).await?;
                let mut secret = Secret::new(&around.release, around.place.name(), owner).with(&data);
                if let Some(before) = turn.material.distrusted_before() {
                    let seconds = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
                    secret = secret.annotate(DISTRUST_BEFORE, &seconds.to_string());
                }
                Ok(around.write(Deed::Create(&secret.text()?)).await?)
            }
        }
    }

    /// With what the Secret is to go; nothing outside an installation. Where it went before us, we are being uninstalled.
    async fn owner(&mut self, around: &Around) -> Result<Option<Value>, KeepingError> {
        let place = around.release.owner();
        match around.access.find(Question::Object(&place, Deed::Read), MOST_OF_A_SECRET).await {
            Ok(answer) if answer.status != 404 => {
                self.was_owned = true;
                Ok(Some(reference(&answer.text, place.name())?))
            }
            Err(error) if !error.is_final() => Err(error.into()),
            Ok(_) | Err(_) if self.was_owned => Err(KeepingError::Uninstalled),
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

fn existing(answer: &Answer) -> Result<Option<Secret>, ClusterError> {
    if answer.status == 404 { Ok(None) } else { Secret::read(&answer.text).map(Some) }
}

fn found(secret: &Secret) -> Found {
    let annotation = secret.annotation(DISTRUST_BEFORE);
    let before = annotation.and_then(distrusted_before);
    if let Some(text) = annotation.filter(|_| before.is_none()) {
        let what = format!("the annotation {DISTRUST_BEFORE} must be seconds since 1970, as `date +%s` prints them");
        tracing::warn!(annotation = clipped(text, 64), "{what}");
    }
    Found::read(&secret.data(), before)
}

fn reference(owner: &[u8], name: &str) -> Result<Value, ClusterError> {
    let owner: Value = serde_json::from_slice(owner)?;
    let field = |pointer: &str| owner.pointer(pointer).cloned().unwrap_or_default();
    Ok(json!({
        "apiVersion": field("/apiVersion"), "kind": field("/kind"), "name": name, "uid": field("/metadata/uid"),
    }))
}

fn tell(turn: &Turn, complaints: &[String], metrics: &Metrics) {
    if let Some(why) = turn.authority {
        metrics.certificates_issued.authorities.fetch_add(1, Ordering::Relaxed);
        tracing::info!(why = why.name(), "made an authority");
    }
    if let Some(why) = turn.leaf {
        metrics.certificates_issued.leaves.fetch_add(1, Ordering::Relaxed);
        tracing::info!(why = why.name(), "made a serving certificate");
    }
    let is_renewal = turn.authority.is_some() || turn.leaf.is_some();
    if turn.must_write && (!complaints.is_empty() || !is_renewal) {
        metrics.certificate_repairs.fetch_add(1, Ordering::Relaxed);
        let complaints = complaints.join("; ");
        tracing::warn!(complaints, "wrote the Secret of the certificates: it was not as all replicas need it");
    }
}
