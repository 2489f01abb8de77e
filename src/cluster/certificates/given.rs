//! Certificates that somebody else makes: cert-manager, or somebody by hand. The Secret is read and never written.
//!
//! Where its authority changes, the one before is trusted for a while longer: until every replica serves the new leaf. The while
//! begins when the Secret was changed, which all replicas see alike, and one that has just been started learns of the former
//! authority from what the configurations carry.

use std::time::{Duration, SystemTime};

use super::secret::Secret;
use super::{Around, KeepingError};
use crate::certs::{
    CertificateError, Clock, Leaf, Offer, Serving, Settled, Terms, authority_pem, certificates, expiry,
};

/// For how many settling times a former authority is trusted.
const OVERLAP: u32 = 5;

/// The most authorities that are handed out, the Secret's own first.
const MOST: usize = 64;

pub(super) struct Keeper {
    host: String,
    settling: Duration,
    settled: Settled,
    serving: Serving,
    /// The authorities that clients are to trust, as DER: those of the Secret, and former ones.
    trusted: Vec<Vec<u8>>,
}

/// What a usable Secret holds.
struct Given {
    leaf: Leaf,
    authorities: Vec<Vec<u8>>,
    /// When it was changed.
    changed: SystemTime,
}

impl Keeper {
    pub(super) fn new(terms: &Terms) -> Self {
        let settling = terms.lifetimes.settling;
        let settled = Settled::new(settling);
        Self { host: terms.host.clone(), settling, settled, serving: Serving::default(), trusted: Vec::new() }
    }

    /// Reads the Secret, and shows what there is then.
    pub(super) async fn turn(&mut self, around: &Around) -> Result<(), KeepingError> {
        let (answer, clock) = around.read().await?;
        if answer.status == 404 {
            return Err(KeepingError::Unusable("it does not exist; it has to hold tls.crt, tls.key and ca.crt".into()));
        }
        let given = self.read(&Secret::read(&answer.text)?, clock)?;
        self.take(given, around.handed_out().as_deref(), clock);
        let bundle = self.trusted.iter().map(|der| authority_pem(der)).collect();
        around.show(self.serving.served(), Some(bundle), self.authority_expiry(clock));
        Ok(())
    }

    fn read(&self, secret: &Secret, clock: Clock) -> Result<Given, KeepingError> {
        let data = secret.data();
        let text = |key: &str| data.get(key).map(Vec::as_slice).unwrap_or_default();
        let unusable = |what: &str, error: CertificateError| KeepingError::Unusable(format!("{what}: {error}"));
        let leaf =
            Leaf::read(text("tls.crt"), text("tls.key")).map_err(|error| unusable("tls.crt and tls.key", error))?;
        let authorities = certificates(text("ca.crt"));
        if authorities.is_empty() {
            let what = "ca.crt: there is no certificate in it; write there those of the authorities that the API server is to \
                        trust, as PEM (where cert-manager leaves it empty, its issuer knows no authority: use a CA issuer)";
            return Err(KeepingError::Unusable(what.to_owned()));
        }
        let trusted: Vec<&[u8]> = authorities.iter().map(Vec::as_slice).collect();
        let verified = leaf.verify_any(&trusted, &self.host, clock.server);
        verified.map_err(|error| unusable("tls.crt, verified by ca.crt as the API server does", error))?;
        Ok(Given { leaf, authorities, changed: secret.changed().unwrap_or(clock.server) })
    }

    fn take(&mut self, given: Given, handed_out: Option<&[Vec<u8>]>, clock: Clock) {
        let Given { leaf, authorities: mut trusted, changed } = given;
        if clock.server <= changed + OVERLAP * self.settling {
            let former = self.trusted.drain(..).chain(handed_out.unwrap_or_default().iter().cloned());
            for authority in former.collect::<Vec<_>>() {
                if !trusted.contains(&authority) {
                    trusted.push(authority);
                }
            }
        }
        trusted.truncate(MOST);
        self.trusted = trusted;
        let told = handed_out.unwrap_or(&self.trusted);
        self.settled.see(told.iter().map(Vec::as_slice), clock.own);
        let is_settled = self.issuer(&leaf, clock).is_some_and(|issuer| self.settled.has(issuer, clock.own));
        // With nothing to serve there is nothing to wait with.
        let can_wait = self.serving.served().is_some_and(|served| self.issuer(served, clock).is_some());
        self.serving.offer(&leaf, Offer { is_settled, can_wait, patience: self.settling }, clock.own);
    }

    /// The authority that makes a client accept the leaf.
    fn issuer(&self, leaf: &Leaf, clock: Clock) -> Option<&[u8]> {
        let mut trusted = self.trusted.iter().map(Vec::as_slice);
        trusted.find(|authority| leaf.verify(authority, &self.host, clock.server).is_ok())
    }

    fn authority_expiry(&self, clock: Clock) -> Option<SystemTime> {
        expiry(self.issuer(self.serving.served()?, clock)?)
    }
}
