//! What is made when.
//!
//! - An authority is made at half of its predecessor's life, and handed out at once.
//! - It signs once it has been handed out for a while. Until then its predecessor does.
//! - A leaf is replaced after two thirds of its life. It never outlives its authority.
//! - An authority is handed out until it expires: nothing that it signed can be served any more.
//! - One that is distrusted is replaced at once, and handed out until no replica can serve anything of it any more.

use std::time::{Duration, SystemTime};

use super::authority::Authority;
use super::error::CertificateError;
use super::leaf::{Leaf, with_loopback};
use super::material::Material;

/// The most authorities that are handed out. It is reached only where clocks or hands go wrong.
const MOST_AUTHORITIES: usize = 8;

/// How long what is made lasts, and how long everybody needs to hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    pub authority: Duration,
    pub leaf: Duration,
    /// For an authority, from being handed out until it signs.
    pub settling: Duration,
}

/// What is asked of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The name under which clients look for us.
    pub host: String,
    /// Further names and addresses.
    pub names: Vec<String>,
    pub lifetimes: Lifetimes,
}

/// Why something is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none that can be used.
    Missing,
    /// The one that there is has lived for long enough.
    Aged,
    /// It lacks a name.
    Names,
    /// The one that there is is distrusted.
    Distrusted,
}

impl Why {
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "there was none that could be used",
            Self::Aged => "the last one has lived for long enough",
            Self::Names => "the last one lacks a name",
            Self::Distrusted => "the last one is distrusted",
        }
    }
}

/// What there is after a renewal, and what was made for it.
#[derive(Debug)]
pub(super) struct Renewed {
    pub(super) material: Material,
    pub(super) authority: Option<Why>,
    pub(super) leaf: Option<Why>,
}

impl Terms {
    pub(super) fn all_names(&self) -> Result<Vec<String>, CertificateError> {
        let names: Vec<String> = [self.host.clone()].into_iter().chain(self.names.iter().cloned()).collect();
        with_loopback(&names)
    }
}

/// How far clients trust an authority.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust {
    /// They are told of it.
    pub(super) is_told: bool,
    /// They all know by now.
    pub(super) is_settled: bool,
}

/// Makes what is due.
///
/// # Errors
/// A name that no certificate can carry.
pub(super) fn renew(
    material: Material,
    terms: &Terms,
    now: SystemTime,
    trust: impl Fn(&Authority) -> Trust,
) -> Result<Renewed, CertificateError> {
    let mut renewal = Renewal { names: terms.all_names()?, material, terms, now };
    renewal.forget();
    let authority = renewal.authority_due();
    if authority.is_some() {
        renewal.make_authority()?;
    }
    let leaf = renewal.leaf_due();
    let signed = leaf.map(|why| renewal.sign(why, trust)).transpose()?.flatten();
    let leaf = leaf.filter(|_| signed.is_some());
    if signed.is_some() {
        renewal.material.leaf = signed;
    }
    Ok(Renewed { material: renewal.material, authority, leaf })
}

struct Renewal<'r> {
    material: Material,
    terms: &'r Terms,
    names: Vec<String>,
    now: SystemTime,
}

impl Renewal<'_> {
    /// Leaves out the authorities of which nothing can be served any more.
    fn forget(&mut self) {
        let settling = self.terms.lifetimes.settling;
        let is_replaced = self.leaf().is_some_and(|(leaf, issuer)| {
            !self.material.distrusts(issuer, self.now) && leaf.made() + 2 * settling <= self.now
        });
        let mut authorities = std::mem::take(&mut self.material.authorities);
        authorities.retain(|authority| {
            let is_over = authority.expiry() + settling < self.now;
            !is_over && (!is_replaced || !self.material.distrusts(authority, self.now))
        });
        self.material.authorities = authorities;
    }

    /// The leaf that clients accept, and who signed it.
    fn leaf(&self) -> Option<(&Leaf, &Authority)> {
        let leaf = self.material.leaf.as_ref()?;
        Some((leaf, self.material.issuer(leaf, &self.terms.host, self.now)?))
    }

    fn can_sign(&self, authority: &Authority) -> bool {
        authority.has_key() && authority.span.contains(self.now) && !self.material.distrusts(authority, self.now)
    }

    fn authority_due(&self) -> Option<Why> {
        let newest = self.material.authorities.iter().rev().find(|authority| self.can_sign(authority));
        let Some(newest) = newest else {
            let is_distrusted = |authority: &Authority| self.material.distrusts(authority, self.now);
            let any_distrusted = self.material.authorities.iter().any(is_distrusted);
            return Some(if any_distrusted { Why::Distrusted } else { Why::Missing });
        };
        let (made, until) = (newest.made(), newest.expiry());
        let life = until.duration_since(made).unwrap_or_default().min(self.terms.lifetimes.authority);
        (self.now >= made + life / 2).then_some(Why::Aged)
    }

    fn make_authority(&mut self) -> Result<(), CertificateError> {
        let made = Authority::make(self.now, self.terms.lifetimes.authority)?;
        let issuer = self.leaf().map(|(_, issuer)| issuer.der().to_vec());
        while self.material.authorities.len() >= MOST_AUTHORITIES {
            let is_spare = |authority: &Authority| issuer.as_deref() != Some(authority.der());
            let Some(oldest) = self.material.authorities.iter().position(is_spare) else { break };
            self.material.authorities.remove(oldest);
        }
        self.material.authorities.push(made);
        self.material = std::mem::take(&mut self.material).sorted();
        Ok(())
    }

    fn leaf_due(&self) -> Option<Why> {
        let Some((leaf, issuer)) = self.leaf() else { return Some(Why::Missing) };
        if self.material.distrusts(issuer, self.now) {
            return Some(Why::Distrusted);
        }
        if self.names.iter().any(|name| !leaf.names().contains(name)) {
            return Some(Why::Names);
        }
        let life = leaf.expiry().duration_since(leaf.made()).unwrap_or_default().min(self.terms.lifetimes.leaf);
        (self.now >= leaf.made() + life * 2 / 3).then_some(Why::Aged)
    }

    /// A new leaf; none if the one that there is had better stay for now.
    fn sign(&self, why: Why, trust: impl Fn(&Authority) -> Trust) -> Result<Option<Leaf>, CertificateError> {
        let current = self.leaf();
        // Whoever signed what is served is as good as ever.
        let is_current = |authority: &Authority| current.is_some_and(|(_, issuer)| issuer == authority);
        let trusted = self.signers().find(|authority| trust(authority).is_settled || is_current(authority));
        // Where nothing can be served, nothing is lost with one that clients may not trust yet.
        let signer = trusted.or_else(|| if current.is_none() { self.likeliest(trust) } else { None });
        let Some(signer) = signer else { return Ok(None) };
        let lifetime = self.terms.lifetimes.leaf;
        if why == Why::Aged && current.is_some_and(|(leaf, _)| signer.expiry() < leaf.expiry() + lifetime / 10) {
            return Ok(None);
        }
        signer.sign(&self.names_for(current.map(|(leaf, _)| leaf)), self.now, lifetime).map(Some)
    }

    /// Newest first.
    fn signers(&self) -> impl Iterator<Item = &Authority> {
        self.material.authorities.iter().rev().filter(|authority| self.can_sign(authority))
    }

    /// The one that is the likeliest to be trusted: one that clients are told of, and the oldest that will do for a while.
    fn likeliest(&self, trust: impl Fn(&Authority) -> Trust) -> Option<&Authority> {
        let is_lasting = |authority: &&Authority| authority.expiry() >= self.now + self.terms.lifetimes.leaf / 2;
        let lasting: Vec<&Authority> = self.signers().filter(is_lasting).collect();
        let told = lasting.iter().rev().find(|authority| trust(authority).is_told);
        told.or(lasting.last()).copied().or_else(|| self.signers().next())
    }

    /// Replicas may want different names, while one version replaces another: then all get theirs.
    fn names_for(&self, current: Option<&Leaf>) -> Vec<String> {
        const MOST_NAMES: usize = 64;
        let theirs = current.map(Leaf::names).unwrap_or_default().iter().filter(|name| !self.names.contains(name));
        self.names.iter().chain(theirs.take(MOST_NAMES)).cloned().collect()
    }
}
