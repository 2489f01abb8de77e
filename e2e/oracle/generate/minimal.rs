//! The smallest pod that a level allows at a version: an init container and a container, and what the level demands.
//!
//! Everything a level demands is demanded at the version where it appears and not before, so that taking one thing away
//! is a violation at that version and nowhere earlier.

use serde_json::{Map, Value, json};

/// Which smallest pod: the level that must allow it, the minor version, and the system it declares.
#[derive(Clone, Copy)]
pub struct Minimal {
    pub restricted: bool,
    pub minor: usize,
    pub windows: bool,
    /// Where the level allows either, what it demands is said once for the pod or for each container.
    pub on_pod: bool,
}

impl Minimal {
    /// The pod as `{metadata, spec}`.
    pub fn pod(self) -> Value {
        let mut spec = json!({
            "initContainers": [self.container("initcontainer1")],
            "containers": [self.container("container1")],
        });
        if self.restricted && self.on_pod {
            spec["securityContext"] = Value::Object(self.inherited());
        }
        if self.windows {
            spec["os"] = json!({"name": "windows"});
        }
        json!({"metadata": {"name": "pod"}, "spec": spec})
    }

    /// A container that the level allows in this pod.
    pub fn container(self, name: &str) -> Value {
        let mut container = json!({"name": name, "image": "registry.example/app:1"});
        if self.restricted {
            let mut security = if self.on_pod { Map::new() } else { self.inherited() };
            if self.minor >= 8 && !self.relaxed_by_windows() {
                security.insert("allowPrivilegeEscalation".into(), json!(false));
            }
            if self.minor >= 22 && !self.relaxed_by_windows() {
                security.insert("capabilities".into(), json!({"drop": ["ALL"]}));
            }
            if !security.is_empty() {
                container["securityContext"] = Value::Object(security);
            }
        }
        container
    }

    /// What containers inherit from the pod.
    fn inherited(self) -> Map<String, Value> {
        let mut security = Map::new();
        security.insert("runAsNonRoot".into(), json!(true));
        if self.minor >= 19 && !self.relaxed_by_windows() {
            security.insert("seccompProfile".into(), json!({"type": "RuntimeDefault"}));
        }
        security
    }

    fn relaxed_by_windows(self) -> bool {
        self.windows && self.minor >= 25
    }
}
