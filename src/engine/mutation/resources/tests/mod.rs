//! Resources in pods and for sidecars, in a namespace with or without LimitRanges.

mod classes;
mod limit_ranges;
mod pod_level;
mod proportions;
mod quality;
mod random;

use serde_json::{Value, json};

use super::{ContainerPlace, SidecarResources, for_sidecar};
use crate::engine::mutation::document::{LimitRangeSafety, OnConflict, Sidecar};
use crate::engine::mutation::{Conflict, LimitRange, Node, Note, Patch, Plan, World};

/// What has become of a pod and of the sidecar's `resources`.
struct Had {
    resources: Value,
    pod: Value,
    notes: Vec<Note>,
}

impl Had {
    fn codes(&self) -> Vec<&'static str> {
        self.notes.iter().map(|note| note.reason.code()).collect()
    }

    fn about(&self, code: &str) -> &str {
        let note = self.notes.iter().find(|note| note.reason.code() == code);
        &note.unwrap_or_else(|| panic!("no {code} in {:?}", self.codes())).about
    }
}

/// A sidecar in a place of a pod, as a document has it.
struct Case {
    pod: Value,
    sidecar: Value,
    place: ContainerPlace,
    limit_ranges: Vec<Value>,
    limit_range: LimitRangeSafety,
    on_conflict: OnConflict,
    ours: Vec<String>,
}

impl Case {
    fn new(spec: Value, mut sidecar: Value) -> Self {
        if sidecar.get("container").is_none() {
            sidecar["container"] = json!({"name": "sidecar"});
        }
        Self {
            pod: json!({"metadata": {}, "spec": spec, "future": [1]}),
            sidecar,
            place: ContainerPlace::Native { index: 0 },
            limit_ranges: Vec::new(),
            limit_range: LimitRangeSafety::Clamp,
            on_conflict: OnConflict::Deny,
            ours: Vec::new(),
        }
    }

    fn at(mut self, place: ContainerPlace) -> Self {
        self.place = place;
        self
    }

    fn under(mut self, limits: Value) -> Self {
        self.limit_ranges.push(limits);
        self
    }

    fn run(&self) -> Result<Had, Conflict> {
        let sidecar: Sidecar = serde_json::from_value(self.sidecar.clone()).expect("a sidecar");
        let compiled =
            SidecarResources::compile("spec.add.containers[0]", &sidecar, self.limit_range, self.on_conflict);
        let limit_ranges: Vec<String> = self.limit_ranges.iter().map(Value::to_string).collect();
        let named = ["first", "second", "third"].into_iter().zip(&limit_ranges);
        let limit_ranges = named.map(|(name, limits)| LimitRange { name, limits }).collect();
        let world = World { limit_ranges, ..World::default() };
        let text = self.pod.to_string();
        let mut plan = Plan {
            pod: Node::new(&*text),
            world: &world,
            own_containers: self.ours.iter().map(String::as_str).collect(),
            reserved: Default::default(),
            notes: Vec::new(),
        };
        let json = for_sidecar(&mut plan, "SidecarInjection/s", &compiled.expect("no flaws"), self.place)?;
        let pod: Value = serde_json::from_str(&plan.pod.to_json()).expect("JSON");
        let mut patched = self.pod.clone();
        if let Some(patch) = Patch::of(&plan.pod) {
            let operations: json_patch::Patch = serde_json::from_str(patch.json()).expect("operations");
            json_patch::patch(&mut patched, &operations).expect("a patch that applies");
        }
        assert_eq!(patched, pod);
        let resources = json.map_or(Value::Null, |json| serde_json::from_str(&json).expect("JSON"));
        Ok(Had { resources, pod, notes: plan.notes })
    }

    fn had(&self) -> Had {
        self.run().expect("no conflict")
    }

    fn conflict(&self) -> Conflict {
        self.run().map(|had| had.resources).expect_err("a conflict")
    }
}

fn both(cpu: &str, memory: &str) -> Value {
    json!({"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}})
}

fn one_container(resources: Value) -> Value {
    json!({"containers": [{"name": "app", "resources": resources}]})
}
