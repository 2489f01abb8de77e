//! What mutation needs of the cluster beside documents and namespaces, in compact form: its version, LimitRanges and PriorityClasses.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::sleep;

use super::access::within;
use super::collection::Keeper;
use super::error::ClusterError;
use super::held::Held;
use super::objects::Named;
use super::question::Question;
use super::state::State;
use crate::engine::mutation::{Surroundings, limits_of, priority_of};
use crate::engine::object::Text;

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
    pub(super) held: Held<(Box<str>, Box<str>), Box<str>>,
}

impl Keeper for LimitRanges {
    fn clear(&mut self) {
        self.held.clear();
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.put(key(object)?, limits_of(object)?);
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?);
        Ok(())
    }

    fn publish(&mut self) {
        let Some(held) = self.held.take_changed() else { return };
        let mut ranges = BTreeMap::<Box<str>, Vec<_>>::new();
        for ((namespace, name), limits) in held {
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
    pub(super) held: Held<Box<str>, (i32, Box<str>)>,
}

impl Keeper for PriorityClasses {
    fn clear(&mut self) {
        self.held.clear();
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.put(key(object)?.1, priority_of(object)?);
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?.1);
        Ok(())
    }

    fn publish(&mut self) {
        if let Some(classes) = self.held.take_changed() {
            self.known.change(|known| known.priority_classes.clone_from(classes));
            self.known.publish(&self.state);
        }
    }
}

pub(super) fn key(object: &str) -> Result<(Box<str>, Box<str>), serde_json::Error> {
    let Named { metadata } = serde_json::from_str(object)?;
    Ok(((*metadata.namespace).into(), (*metadata.name).into()))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::access::Access;
    use super::super::runtime_classes::RuntimeClasses;
    use super::*;
    use crate::engine::pod_security::{Configuration, LevelVersion};
    use crate::engine::{Snapshot, Unlisted};

    fn state() -> Arc<State> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let access = runtime.block_on(async { Access::to_nowhere() });
        let rules = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
        Arc::new(State::new(access, rules, Duration::from_secs(60), Arc::default()))
    }

    /// Whether something is published when the keeper is told so.
    fn publishes(state: &State, keeper: &mut impl Keeper) -> bool {
        let before = state.to_judge_by(Instant::now());
        keeper.publish();
        !Arc::ptr_eq(&before, &state.to_judge_by(Instant::now()))
    }

    fn publishes_what_changes_and_nothing_else(state: &State, mut keeper: impl Keeper, one: &str, other: &str) {
        assert!(!publishes(state, &mut keeper), "nothing was told");
        keeper.put(one).expect("an object");
        assert!(publishes(state, &mut keeper));
        assert!(!publishes(state, &mut keeper), "a bookmark");
        keeper.clear();
        keeper.put(one).expect("an object");
        assert!(!publishes(state, &mut keeper), "a list of what is known");
        keeper.put(other).expect("an object");
        assert!(publishes(state, &mut keeper));
        keeper.remove(other).expect("an object");
        assert!(publishes(state, &mut keeper));
        keeper.remove(other).expect("an object");
        assert!(!publishes(state, &mut keeper), "it was gone before");
    }

    #[test]
    fn limit_ranges_and_classes_are_published_when_they_are_other_than_before() {
        let (state, known) = (state(), Arc::new(Known::default()));
        let limits = LimitRanges { state: state.clone(), known: known.clone(), held: Held::none() };
        let range = |limit| format!(r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"limits":[{limit}]}}}}"#);
        let container = range(r#"{"type":"Container","default":{"cpu":"1"}}"#);
        publishes_what_changes_and_nothing_else(&state, limits, &range(""), &container);
        let priorities = PriorityClasses { state: state.clone(), known: known.clone(), held: Held::none() };
        let class = |value| format!(r#"{{"metadata":{{"name":"a"}},"value":{value}}}"#);
        publishes_what_changes_and_nothing_else(&state, priorities, &class(1), &class(2));
        let runtimes = RuntimeClasses { state: state.clone(), known, held: Held::none() };
        let class = |cpu| format!(r#"{{"metadata":{{"name":"a"}},"overhead":{{"podFixed":{{"cpu":"{cpu}"}}}}}}"#);
        publishes_what_changes_and_nothing_else(&state, runtimes, &class(1), &class(2));
    }

    #[test]
    fn a_minor_version_is_a_number_with_whatever_providers_write_behind_it() {
        assert_eq!([minor("37").ok(), minor("32+").ok(), minor("31-gke.7").ok()], [Some(37), Some(32), Some(31)]);
        assert!(minor("").is_err_and(|error| error.to_string().contains("minor version")));
    }
}
