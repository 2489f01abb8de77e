//! What mutation needs of the cluster beside documents and namespaces: LimitRanges and PriorityClasses, in compact form.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::sleep;

use super::collection::Keeper;
use super::error::ClusterError;
use super::objects::Named;
use super::question::Question;
use super::state::State;
use super::watch::within;
use crate::engine::mutation::Surroundings;
use crate::engine::object::Text;

/// The most LimitRanges and PriorityClasses, each. Those beyond are not known.
const MOST: usize = 100_000;

/// All that is known, shared by the keepers of its kinds.
#[derive(Default)]
pub(super) struct Known(Mutex<Surroundings>);

impl Known {
    pub(super) fn change(&self, change: impl FnOnce(&mut Surroundings)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn publish(&self, state: &State) {
        let surroundings = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        state.surround(surroundings);
    }
}

/// The first minor version whose kubelets may not be older than 1.29, which knows native sidecars: a kubelet may be three versions behind
/// its API server (https://kubernetes.io/releases/version-skew-policy/).
const FIRST_WITH_NATIVE_SIDECARS: u32 = 32;

/// Reads the API server's version, from time to time: it may be upgraded. `condition` is emptied once it is known.
pub(super) async fn read_version(state: Arc<State>, known: Arc<Known>, condition: watch::Sender<String>) {
    loop {
        let pause = match version(&state).await {
            Ok(minor) => {
                known.change(|known| known.has_native_sidecars = minor >= FIRST_WITH_NATIVE_SIDECARS);
                known.publish(&state);
                condition.send_replace(String::new());
                Duration::from_secs(300)
            }
            Err(error) => {
                tracing::debug!(error = error.to_string(), "the API server's version cannot be read");
                Duration::from_secs(1)
            }
        };
        sleep(pause).await;
    }
}

async fn version(state: &State) -> Result<u32, ClusterError> {
    #[derive(Deserialize)]
    struct Version<'a> {
        #[serde(borrow, default)]
        minor: Text<'a>,
    }
    let text = within(Duration::from_secs(10), state.access.read(Question::ServerVersion, 64 << 10)).await?;
    let version: Version<'_> = serde_json::from_slice(&text)?;
    // Some providers write `37+`.
    Ok(version.minor.trim_end_matches(|last: char| !last.is_ascii_digit()).parse().unwrap_or_default())
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
        #[derive(Deserialize)]
        struct LimitRange<'a> {
            #[serde(borrow, default)]
            spec: Option<Spec<'a>>,
        }
        #[derive(Deserialize)]
        struct Spec<'a> {
            #[serde(borrow, default)]
            limits: Option<&'a RawValue>,
        }
        let range: LimitRange<'_> = serde_json::from_str(object)?;
        let limits = range.spec.and_then(|spec| spec.limits).map_or("[]", RawValue::get);
        let key = key(object)?;
        if self.held.contains_key(&key) || self.held.len() < MOST {
            self.held.insert(key, limits.into());
        }
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?);
        Ok(())
    }

    fn publish(&mut self) {
        let mut ranges = BTreeMap::<Box<str>, Vec<Box<str>>>::new();
        for ((namespace, _), limits) in &self.held {
            ranges.entry(namespace.clone()).or_default().push(limits.clone());
        }
        self.known.change(|known| known.limit_ranges = ranges);
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
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct PriorityClass<'a> {
            #[serde(default)]
            value: i32,
            #[serde(borrow, default)]
            preemption_policy: Text<'a>,
        }
        let class: PriorityClass<'_> = serde_json::from_str(object)?;
        let policy = match &*class.preemption_policy {
            "" => "PreemptLowerPriority",
            policy => policy,
        };
        let (_, name) = key(object)?;
        if self.held.contains_key(&name) || self.held.len() < MOST {
            self.held.insert(name, (class.value, policy.into()));
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

fn key(object: &str) -> Result<(Box<str>, Box<str>), serde_json::Error> {
    let Named { metadata } = serde_json::from_str(object)?;
    Ok(((*metadata.namespace).into(), (*metadata.name).into()))
}
