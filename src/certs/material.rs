//! What all replicas share: authorities, their keys, and the leaf. A Secret holds it, and every replica a copy.
//!
//! Whatever a Secret holds, some of it can be used: what cannot is left out and said.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::authority::Authority;
use super::encoding::{certificates, keys};
use super::leaf::Leaf;

/// The leaf, what leads to its authority.
pub(super) const LEAF: &str = "tls.crt";
pub(super) const LEAF_KEY: &str = "tls.key";
/// Every authority that is to be trusted.
pub(super) const AUTHORITIES: &str = "ca.crt";
/// The keys of those that may still sign.
pub(super) const AUTHORITY_KEYS: &str = "ca.key";

/// Authorities, oldest first, and a leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Material {
    pub(super) authorities: Vec<Authority>,
    pub(super) leaf: Option<Leaf>,
    /// Whoever runs the cluster says so: authorities that were made before are to be replaced and trusted no more.
    pub(super) distrusted_before: Option<SystemTime>,
}

/// What a Secret holds.
#[derive(Debug, Default)]
pub struct Found {
    pub material: Material,
    /// What of it cannot be used, and why.
    pub complaints: Vec<String>,
    /// Whether it is to the byte what we would write.
    pub(super) is_as_written: bool,
}

impl Found {
    /// Reads a Secret's data. `distrusted_before` is what its annotation says.
    pub fn read(data: &BTreeMap<String, Vec<u8>>, distrusted_before: Option<SystemTime>) -> Self {
        let text = |key: &str| data.get(key).map(Vec::as_slice).unwrap_or_default();
        let mut complaints = Vec::new();
        let keys = keys(text(AUTHORITY_KEYS));
        let mut authorities = Vec::new();
        for der in certificates(text(AUTHORITIES)) {
            match Authority::read(der, &keys) {
                Ok(authority) => authorities.push(authority),
                Err(error) => complaints.push(format!("{AUTHORITIES}: {error}")),
            }
        }
        if authorities.is_empty() {
            complaints.push(format!("{AUTHORITIES}: there is no authority in it"));
        } else if !authorities.iter().any(Authority::has_key) {
            complaints.push(format!("{AUTHORITY_KEYS}: there is no key of an authority in it"));
        }
        let leaf = Leaf::read(text(LEAF), text(LEAF_KEY));
        let leaf = leaf.map_err(|error| complaints.push(format!("{LEAF} and {LEAF_KEY}: {error}"))).ok();
        let material = Material { authorities, leaf, distrusted_before }.sorted();
        let is_as_written = material.data().iter().all(|(key, value)| text(key) == value.as_slice());
        Self { material, complaints, is_as_written }
    }
}

impl Material {
    /// What a Secret is to hold.
    pub fn data(&self) -> BTreeMap<&'static str, Vec<u8>> {
        let keys: String = self.authorities.iter().filter_map(Authority::key_pem).collect();
        let leaf = self.leaf.as_ref();
        BTreeMap::from([
            (LEAF, leaf.map(|leaf| leaf.chain_pem().to_vec()).unwrap_or_default()),
            (LEAF_KEY, leaf.map(|leaf| leaf.key_pem().to_vec()).unwrap_or_default()),
            (AUTHORITIES, self.bundle().into_bytes()),
            (AUTHORITY_KEYS, keys.into_bytes()),
        ])
    }

    /// Every authority that is to be trusted, as PEM.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(Authority::pem).collect()
    }

    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    pub fn leaf(&self) -> Option<&Leaf> {
        self.leaf.as_ref()
    }

    /// When those authorities are to have been made that are still trusted.
    pub fn distrusted_before(&self) -> Option<SystemTime> {
        self.distrusted_before
    }

    /// The authority that makes a client accept the leaf now.
    pub(super) fn issuer(&self, leaf: &Leaf, host: &str, now: SystemTime) -> Option<&Authority> {
        self.authorities.iter().find(|authority| leaf.verify(authority.der(), host, now).is_ok())
    }

    /// Not in force before its time: or those that are made until then would be distrusted as well.
    pub(super) fn distrusts(&self, authority: &Authority, now: SystemTime) -> bool {
        self.distrusted_before.is_some_and(|before| before <= now && authority.made() < before)
    }

    /// With all authorities and keys of the other that this lacks, so that what was trusted stays trusted; and with its leaf
    /// where this has none that can be used.
    pub(super) fn with(mut self, other: &Self, host: &str, now: SystemTime) -> Self {
        for authority in &other.authorities {
            match self.authorities.iter_mut().find(|known| known.der() == authority.der()) {
                Some(known) if !known.has_key() => *known = authority.clone(),
                Some(_) => {}
                None => self.authorities.push(authority.clone()),
            }
        }
        self.distrusted_before = self.distrusted_before.max(other.distrusted_before);
        let merged = self.sorted();
        let is_usable = merged.leaf.as_ref().is_some_and(|leaf| merged.issuer(leaf, host, now).is_some());
        if is_usable || other.leaf.is_none() { merged } else { Self { leaf: other.leaf.clone(), ..merged } }
    }

    pub(super) fn sorted(mut self) -> Self {
        self.authorities.sort_by(|one, other| (one.made(), one.der()).cmp(&(other.made(), other.der())));
        self.authorities.dedup_by(|one, other| one.der() == other.der());
        self
    }
}

/// Reads the seconds since 1970 that an annotation holds.
pub fn distrusted_before(text: &str) -> Option<SystemTime> {
    let seconds: u32 = text.trim().parse().ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into()))
}
