//! One random pod, such as the API server takes most of them, and which values of the tables went into it.
//!
//! The same seed and index give the same pod.

use serde_json::{Map, Value, json};

use crate::edit::{field, list, put};
use crate::random::Random;
use crate::tables::{
    CONTAINER, CONTAINER_SECURITY, CPU, GPUS, IMAGES, LASTING_CONTAINER, MEMORY, METADATA, MIRROR, MOUNTS, POD,
    POD_SECURITY, PORTS, Row, STORAGE, VARIABLES,
};
use crate::volumes::VOLUMES;

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A pod and what it was made of.
pub struct Case {
    pub pod: Value,
    /// The field and the value of each choice.
    pub choices: Vec<Choice>,
}

pub type Choice = (&'static str, &'static str);

/// The pod of this index.
pub fn case(seed: u64, index: u64) -> Case {
    let mut draft = Draft { random: Random::of_case(seed, index), choices: Vec::new(), ports: 8000 };
    let mut pod = draft.pod();
    let name = format!("case-{index}");
    match draft.random.percent(50) {
        true => put(&mut pod, "metadata.name", Some(json!(name))),
        false => put(&mut pod, "metadata.generateName", Some(json!(format!("{name}-")))),
    }
    Case { pod, choices: draft.choices }
}

/// Every choice that there is.
pub fn all_choices() -> Vec<Choice> {
    let rows = [METADATA, POD, POD_SECURITY, CONTAINER, LASTING_CONTAINER, CONTAINER_SECURITY, PORTS, MOUNTS];
    let rows = rows.into_iter().flatten().copied();
    let lists = [
        ("image", IMAGES),
        ("volume", VOLUMES),
        ("env", VARIABLES),
        ("cpu", CPU),
        ("memory", MEMORY),
        ("ephemeral-storage", STORAGE),
        ("example.com/gpu", GPUS),
    ];
    rows.chain(lists).flat_map(|(name, values)| values.iter().map(move |value| (name, *value))).collect()
}

struct Draft {
    random: Random,
    choices: Vec<Choice>,
    /// The next port that no container has.
    ports: u16,
}

impl Draft {
    fn pod(&mut self) -> Value {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod"});
        self.sprinkle(field(&mut pod, "metadata"), METADATA, 25);
        let mut spec = json!({});
        let share = *self.random.pick(&[2, 8, 20]);
        self.sprinkle(&mut spec, POD, share);
        if self.random.percent(40) {
            self.sprinkle(field(&mut spec, "securityContext"), POD_SECURITY, 15);
        }
        let volumes = self.volumes();
        let containers = self.random.between(1, 3);
        spec["containers"] = (0..containers).map(|index| self.container(index, &volumes, true)).collect();
        let inits = *self.random.pick(&[0, 0, 1, 2]);
        if inits > 0 {
            spec["initContainers"] = (0..inits).map(|index| self.init_container(index, &volumes)).collect();
        }
        if !volumes.is_empty() || self.random.percent(10) {
            spec["volumes"] = json!(volumes);
        }
        self.repair(&mut spec);
        if self.choices.contains(&("annotations", MIRROR)) {
            mirror(&mut spec);
        }
        pod["spec"] = spec;
        pod
    }

    /// Gives some of the fields a value each.
    fn sprinkle(&mut self, object: &mut Value, rows: &[Row], share: usize) {
        for (name, values) in rows {
            if self.random.percent(share) {
                let value = self.choose(name, values);
                put(object, name, Some(value));
            }
        }
    }

    fn choose(&mut self, name: &'static str, values: &'static [&'static str]) -> Value {
        let text = self.random.word(values);
        self.choices.push((name, text));
        parsed(text)
    }

    fn volumes(&mut self) -> Vec<Value> {
        let count = *self.random.pick(&[0, 0, 1, 2, 3, 4]);
        let mut volumes: Vec<Value> = (0..count)
            .map(|index| {
                let mut volume = self.choose("volume", VOLUMES);
                let name = if self.random.percent(2) { "kube-api-access-own".to_owned() } else { format!("v{index}") };
                put(&mut volume, "name", Some(json!(name)));
                volume
            })
            .collect();
        if self.random.percent(50) {
            volumes.push(json!({"name": "files", "emptyDir": {}}));
        }
        volumes
    }

    fn init_container(&mut self, index: usize, volumes: &[Value]) -> Value {
        let is_sidecar = self.random.percent(50);
        let mut container = self.container(index, volumes, is_sidecar);
        put(&mut container, "name", Some(json!(format!("init-{index}"))));
        put(&mut container, "restartPolicy", is_sidecar.then(|| json!("Always")));
        if !is_sidecar {
            put(&mut container, "resizePolicy", None);
        }
        container
    }

    fn container(&mut self, index: usize, volumes: &[Value], is_lasting: bool) -> Value {
        let name = if index == 0 { "app".to_owned() } else { format!("other-{index}") };
        let mut container = json!({"name": name, "image": "app:1"});
        if self.random.percent(50) {
            let image = self.random.word(IMAGES);
            self.choices.push(("image", image));
            container["image"] = json!(image);
        }
        let share = *self.random.pick(&[3, 10, 20]);
        self.sprinkle(&mut container, CONTAINER, share);
        if is_lasting {
            self.sprinkle(&mut container, LASTING_CONTAINER, share);
        }
        if self.random.percent(25) {
            self.sprinkle(field(&mut container, "securityContext"), CONTAINER_SECURITY, 15);
        }
        if self.random.percent(30) {
            self.add_ports(&mut container);
        }
        if self.random.percent(40) {
            self.add_variables(&mut container, volumes);
        }
        if self.random.percent(50) {
            self.add_mounts(&mut container, volumes);
        }
        if let Some(resources) = self.resources() {
            container["resources"] = resources;
        }
        container
    }

    fn add_ports(&mut self, container: &mut Value) {
        for number in 0..self.random.between(1, 2) {
            self.ports += 1;
            let mut port = json!({"containerPort": self.ports});
            if number == 0 && self.random.percent(50) {
                port["name"] = json!("web");
            }
            if self.random.percent(15) {
                port["hostPort"] = json!(self.ports);
            }
            self.sprinkle(&mut port, PORTS, 20);
            list(container, "ports").push(port);
        }
    }

    fn add_variables(&mut self, container: &mut Value, volumes: &[Value]) {
        let has_files = volumes.iter().any(|volume| volume["name"] == "files");
        for name in ["A", "B", "C"] {
            let mut variable = self.choose("env", VARIABLES);
            put(&mut variable, "name", Some(json!(name)));
            if has_files || variable["valueFrom"]["fileKeyRef"].is_null() {
                list(container, "env").push(variable);
            }
        }
    }

    fn add_mounts(&mut self, container: &mut Value, volumes: &[Value]) {
        for (index, volume) in volumes.iter().enumerate() {
            // A block device is no folder.
            if volume.to_string().contains("\"Block\"") {
                continue;
            }
            let mut mount = json!({"name": volume["name"], "mountPath": format!("/m{index}")});
            if self.random.percent(3) {
                mount["mountPath"] = json!(TOKEN_PATH);
            }
            self.sprinkle(&mut mount, MOUNTS, 20);
            list(container, "volumeMounts").push(mount);
        }
    }

    fn resources(&mut self) -> Option<Value> {
        if self.random.percent(10) {
            let odd = [r#"{}"#, r#"{"limits":{}}"#, r#"{"requests":{},"limits":null,"claims":[]}"#, "null"];
            return Some(parsed(self.random.word(&odd)));
        }
        if self.random.percent(40) {
            return None;
        }
        let mut resources = json!({});
        for (name, amounts) in [("cpu", CPU), ("memory", MEMORY), ("ephemeral-storage", STORAGE)] {
            let (first, second) = (self.random.below(amounts.len()), self.random.below(amounts.len()));
            for (side, index) in [("requests", first.min(second)), ("limits", first.max(second))] {
                if self.random.percent(45) {
                    field(&mut resources, side)[name] = self.amount(name, amounts, index);
                }
            }
        }
        if self.random.percent(10) {
            let index = self.random.below(GPUS.len());
            field(&mut resources, "limits")["example.com/gpu"] = self.amount("example.com/gpu", GPUS, index);
        }
        Some(resources)
    }

    fn amount(&mut self, name: &'static str, amounts: &'static [&'static str], index: usize) -> Value {
        let text = amounts[index];
        self.choices.push((name, text));
        let number = serde_json::from_str(text).ok().filter(Value::is_number);
        number.filter(|_| self.random.percent(20)).unwrap_or_else(|| json!(text))
    }

    /// Takes away what cannot stand together.
    fn repair(&mut self, spec: &mut Value) {
        let is = |spec: &Value, name: &str| spec[name] == true;
        if is(spec, "hostPID") {
            put(spec, "shareProcessNamespace", None);
        }
        if is(spec, "hostNetwork") || is(spec, "hostIPC") {
            put(spec, "securityContext.sysctls", None);
        }
        if spec["schedulingGates"].as_array().is_some_and(|gates| !gates.is_empty()) {
            put(spec, "nodeName", None);
        }
        if spec["priorityClassName"].as_str().is_some_and(|class| !class.is_empty()) {
            put(spec, "priority", None);
            put(spec, "preemptionPolicy", None);
        }
        if spec["securityContext"] == json!({}) && self.random.percent(50) {
            put(spec, "securityContext", None);
        }
    }
}

/// A mirror has its node, and no account.
fn mirror(spec: &mut Value) {
    put(spec, "nodeName", Some(json!("node-1")));
    for field in ["serviceAccountName", "serviceAccount", "schedulingGates", "resourceClaims"] {
        put(spec, field, None);
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::Object(Map::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_the_tables_that_is_no_amount_is_json() {
        for (name, value) in all_choices() {
            let is_text = ["image", "cpu", "memory", "ephemeral-storage", "example.com/gpu"].contains(&name);
            assert!(is_text || serde_json::from_str::<Value>(value).is_ok(), "{name}: {value}");
        }
    }

    #[test]
    fn the_same_seed_and_index_give_the_same_pod() {
        assert_eq!(case(1, 42).pod, case(1, 42).pod);
        assert_ne!(case(1, 42).pod, case(1, 43).pod);
    }
}
