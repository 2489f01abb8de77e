//! What one replica does with the certificates that all replicas share: no leader, no memory that must outlive it.
//!
//! A turn begins with what the Secret holds, adds what this replica still knows, makes what is due, and ends with what the Secret
//! is to hold. Replicas that take their turns at the same time are kept apart by the Secret's version.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::authority::Authority;
use super::error::CertificateError;
use super::leaf::Leaf;
use super::material::{Found, Material};
use super::renewal::{Renewed, Terms, Trust, Why, renew};
use super::serving::{Offer, Serving};
use super::settled::Settled;

/// Two clocks: what time it is where certificates are verified, and how much of it has gone by here.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    pub server: SystemTime,
    pub own: Instant,
}

/// What comes of a turn. It takes effect once the Secret holds it: see [`Kept::adopt`].
#[derive(Debug)]
pub struct Turn {
    pub material: Material,
    /// What there is without it; it is as good as it was, and can be used if the Secret cannot be written.
    pub before: Material,
    /// Whether the Secret must be written.
    pub must_write: bool,
    pub authority: Option<Why>,
    pub leaf: Option<Why>,
}

/// How long one that has just been started leaves it to those that run to bring back what is missing.
const MODESTY: Duration = Duration::from_secs(3);

/// One replica's part.
#[derive(Debug)]
pub struct Kept {
    terms: Terms,
    held: Material,
    settled: Settled,
    serving: Serving,
    /// When the first turn was.
    started: Option<Instant>,
}

impl Kept {
    pub fn new(terms: Terms) -> Self {
        let settled = Settled::new(terms.lifetimes.settling);
        Self { terms, held: Material::default(), settled, serving: Serving::default(), started: None }
    }

    /// What is to be done. `found` is what the Secret holds; none if there is no Secret. `handed_out` are the authorities (DER)
    /// that clients are known to have been told of; none where nobody knows.
    ///
    /// # Errors
    /// A name that no certificate can carry.
    pub fn turn(
        &mut self,
        found: Option<Found>,
        handed_out: Option<&[Vec<u8>]>,
        clock: Clock,
    ) -> Result<Turn, CertificateError> {
        let is_whole = found.as_ref().is_some_and(|found| found.complaints.is_empty());
        let is_as_written = is_whole && found.as_ref().is_some_and(|found| found.is_as_written);
        let found = found.unwrap_or_default().material;
        let mut merged = found.clone().with(&self.held, &self.terms.host, clock.server);
        let is_new = self.held.authorities.is_empty();
        if is_new && !is_whole {
            // Others may serve with these; that the Secret has lost them must not make clients lose them.
            merged = trusting(merged, handed_out.unwrap_or_default());
        }
        match handed_out {
            Some(authorities) => self.settled.see(authorities.iter().map(Vec::as_slice), clock.own),
            None => self.settled.see(merged.authorities.iter().map(Authority::der), clock.own),
        }
        let started = *self.started.get_or_insert(clock.own);
        let modesty = MODESTY.min(self.terms.lifetimes.settling / 8);
        if is_new && !is_whole && clock.own.saturating_duration_since(started) < modesty {
            return Ok(Turn {
                before: merged.clone(),
                material: merged,
                must_write: false,
                authority: None,
                leaf: None,
            });
        }
        let trust = |authority: &Authority| Trust {
            is_told: self.settled.is_told(authority.der()),
            is_settled: self.settled.has(authority.der(), clock.own),
        };
        let Renewed { material, authority, leaf } = renew(merged.clone(), &self.terms, clock.server, trust)?;
        let must_write = !is_as_written || material.authorities != found.authorities || material.leaf != found.leaf;
        Ok(Turn { material, before: merged, must_write, authority, leaf })
    }

    /// Takes over what the Secret holds by now; true if another leaf is to be served.
    pub fn adopt(&mut self, material: Material, clock: Clock) -> bool {
        let Some(leaf) = material.leaf.clone() else { return false };
        let issuer = |leaf: &Leaf, at| material.issuer(leaf, &self.terms.host, at);
        let Some(authority) = issuer(&leaf, clock.server) else { return false };
        let (der, now) = (authority.der(), clock.own);
        let served = self.serving.served();
        // It has to last for as long as one may wait.
        let soon = clock.server + self.terms.lifetimes.settling;
        let offer = Offer {
            is_settled: self.settled.has(der, now) || served.is_none() && self.settled.almost_has(der, now),
            can_wait: served.map_or_else(|| self.settled.any(), |served| issuer(served, soon).is_some()),
            patience: self.terms.lifetimes.settling,
        };
        self.held = material;
        self.serving.offer(&leaf, offer, now)
    }

    /// The leaf that is to be served.
    pub fn served(&self) -> Option<&Arc<Leaf>> {
        self.serving.served()
    }

    /// When the authority of what is served expires.
    pub fn authority_expiry(&self, now: SystemTime) -> Option<SystemTime> {
        let issuer = self.held.issuer(self.served()?, &self.terms.host, now)?;
        Some(issuer.expiry())
    }

    /// The authorities that are to be handed out, as PEM; none before anything is held.
    pub fn bundle(&self) -> Option<String> {
        Some(self.held.bundle()).filter(|bundle| !bundle.is_empty())
    }
}

fn trusting(mut material: Material, authorities: &[Vec<u8>]) -> Material {
    for der in authorities {
        if let Ok(authority) = Authority::read(der.clone(), &[])
            && !material.authorities.iter().any(|known| known.der() == der.as_slice())
        {
            material.authorities.push(authority);
        }
    }
    material.sorted()
}
