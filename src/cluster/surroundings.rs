//! What mutation needs of the cluster beside documents and namespaces, in compact form: its version, LimitRanges and PriorityClasses.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::sleep;

use super::collection::Keeper;
use super::error::ClusterError;
use super::objects::Named;
use super::question::Question;
use super::state::State;
use super::access::within;
use crate::engine::mutation::{Surroundings, limits_of, priority_of};
use crate::engine::object::Text;

/// The most LimitRanges, PriorityClasses and RuntimeClasses, each. Those beyond are not known.
pub(super) const MOST: usize = 100_000;

/// All that is known, shared by the keepers of its kinds.
#[derive(Default)]
pub(super) struct Known(Mutex<Surroundings>);

impl Known {
    pub(super) fn change(&self, change: impl FnOnce(&mut Surroundings)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn publish(&self, state: &State) {
        // Held meanwhile, so that nobody publishes what is older.
        let surroundings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.surround(surroundings.clone());
    }
}

/// The first minor version whose kubelets may not be older than 1.29, which knows native sidecars: a kubelet may be three versions behind
/// its API server (https://kubernetes.io/releases/version-skew-policy/).
const FIRST_WITH_NATIVE_SIDECARS: u32 = 32;

/// Reads the API server's version, from time to time: it may be upgraded. `condition` is emptied once it is known, or known not to be
/// told to us. Nobody may say then how old kubelets can be, so native sidecars are taken to be unknown to them; what was known stays.
pub(super) async fn read_version(state: Arc<State>, known: Arc<Known>, condition: watch::Sender<String>) {
    let mut complaint = String::new();
    loop {
        let pause = match version(&state).await {
            Ok(minor) => {
                known.change(|known| known.has_native_sidecars = minor >= FIRST_WITH_NATIVE_SIDECARS);
                known.publish(&state);
                state.metrics.version_known.store(1, Ordering::Relaxed);
                condition.send_replace(String::new());
                complaint.clear();
                Duration::from_secs(300)
            }
            Err(error) if error.is_final() || matches!(error, ClusterError::Unreadable(_)) => {
                complain(&error, &mut complaint);
                condition.send_replace(String::new());
                Duration::from_secs(15)
            }
            Err(error) => {
                tracing::debug!(error = error.to_string(), "the API server's version cannot be read");
                Duration::from_secs(1)
            }
        };
        sleep(pause).await;
    }
}

/// Says so once, and again where the reason is another.
fn complain(error: &ClusterError, last: &mut String) {
    let text = error.to_string();
    if *last != text {
        tracing::warn!(
            error = text,
            "the API server does not tell its version; no kubelet is taken to know native sidecars unless it was told before"
        );
        *last = text;
    }
}

/// The minor version.
async fn version(state: &State) -> Result<u32, ClusterError> {
    #[derive(Deserialize)]
    struct Version<'a> {
        #[serde(borrow, default)]
        minor: Text<'a>,
    }
    let text = within(Duration::from_secs(10), state.access.read(Question::ServerVersion, 64 << 10)).await?;
    let version: Version<'_> = serde_json::from_slice(&text)?;
    minor(&version.minor)
}

/// Some providers write `37+`.
fn minor(text: &str) -> Result<u32, ClusterError> {
    let digits = text.split(|next: char| !next.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().map_err(|_| ClusterError::Unreadable(serde::de::Error::custom(format!("minor version {text:?}"))))
}

/// Holds the LimitRanges. Of a namespace with several, all count.
pub(super) struct LimitRanges {
    pub(super) state: Arc<State>,
    pub(super) known: Arc<Known>,
    /// By namespace and name.
    pub(super) held: BTreeMap<(Box<str>, Box<str>), Box<str>>,
}

impl Keeper for LimitRanges {
    fn clear(&mut self) {
        self.held.clear();
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let key = key(object)?;
        if self.held.contains_key(&key) || self.held.len() < MOST {
            self.held.insert(key, limits_of(object)?);
        }
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?);
        Ok(())
    }

    fn publish(&mut self) {
        let mut ranges = BTreeMap::<Box<str>, Vec<_>>::new();
        for ((namespace, name), limits) in &self.held {
            ranges.entry(namespace.clone()).or_default().push((name.clone(), limits.clone()));
        }
        self.known.change(|known| known.limit_ranges = Arc::new(ranges));
        self.known.publish(&self.state);
    }
}

/// Holds the PriorityClasses.
pub(super) struct PriorityClasses {
    pub(super) state: Arc<State>,
    pub(super) known: Arc<Known>,
    /// By name: value and preemption policy.
    pub(super) held: BTreeMap<Box<str>, (i32, Box<str>)>,
}

impl Keeper for PriorityClasses {
    fn clear(&mut self) {
        self.held.clear();
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let (_, name) = key(object)?;
        if self.held.contains_key(&name) || self.held.len() < MOST {
            self.held.insert(name, priority_of(object)?);
        }
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?.1);
        Ok(())
    }

    fn publish(&mut self) {
        self.known.change(|known| known.priority_classes.clone_from(&self.held));
        self.known.publish(&self.state);
    }
}

pub(super) fn key(object: &str) -> Result<(Box<str>, Box<str>), serde_json::Error> {
    let Named { metadata } = serde_json::from_str(object)?;
    Ok(((*metadata.namespace).into(), (*metadata.name).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_version_is_a_number_with_whatever_providers_write_behind_it() {
        assert_eq!([minor("37").ok(), minor("32+").ok(), minor("31-gke.7").ok()], [Some(37), Some(32), Some(31)]);
        assert!(minor("").is_err_and(|error| error.to_string().contains("minor version")));
    }
}
