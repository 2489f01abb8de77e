//! The requests: made from a seed and an index, dry runs all of them, so that none changes what the next one meets.

use crate::{
    generate::{random::Random, review::labels},
    harness::{Answer, Api},
    stage::{NAMESPACES, NEW_NAMESPACES, name, new_name, pods, storable},
    valid,
};
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt;

/// What is in the cluster.
#[derive(Default)]
pub struct Existing {
    /// Names and labels.
    pub namespaces: Vec<(String, Value)>,
    /// The namespace's index, the pod's name, its containers' names.
    pub pods: Vec<(usize, String, Vec<String>)>,
    /// The namespace's index and that of the kind; the name is `old`.
    pub workloads: Vec<(usize, usize)>,
}

/// A kind with a pod template in it.
pub struct Workload {
    group: &'static str,
    resource: &'static str,
    /// From the object to its template.
    template: &'static str,
}

const fn workload(group: &'static str, resource: &'static str, template: &'static str) -> Workload {
    Workload { group, resource, template }
}

/// The eight kinds that Pod Security warns about.
pub const WORKLOADS: [Workload; 8] = [
    workload("api/v1", "podtemplates", "template"),
    workload("api/v1", "replicationcontrollers", "spec.template"),
    workload("apis/apps/v1", "replicasets", "spec.template"),
    workload("apis/apps/v1", "deployments", "spec.template"),
    workload("apis/apps/v1", "statefulsets", "spec.template"),
    workload("apis/apps/v1", "daemonsets", "spec.template"),
    workload("apis/batch/v1", "jobs", "spec.template"),
    workload("apis/batch/v1", "cronjobs", "spec.jobTemplate.spec.template"),
];

impl Workload {
    /// Its collection in a namespace.
    pub fn path(&self, namespace: &str) -> String {
        format!("/{}/namespaces/{namespace}/{}", self.group, self.resource)
    }

    /// An object with this template in it and what else the kind wants.
    pub fn around(&self, name: &str, mut template: Value) -> Value {
        let mut object = json!({"metadata": {"name": name}});
        match self.resource {
            "jobs" | "cronjobs" => template["spec"]["restartPolicy"] = json!("Never"),
            "replicationcontrollers" => object["spec"] = json!({"selector": {"app": "old"}}),
            "podtemplates" => {}
            _ => object["spec"] = json!({"selector": {"matchLabels": {"app": "old"}}}),
        }
        if self.resource == "cronjobs" {
            object["spec"] = json!({"schedule": "0 0 1 1 *"});
        }
        crate::generate::edit::put(&mut object, self.template, Some(template));
        object
    }
}

/// How a request is sent.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Create,
    Replace,
    Merge,
    MergeLists,
}

/// One request.
pub struct Request {
    /// What it is an example of, for the sum at the end.
    pub sort: &'static str,
    /// Whether somebody asks who is exempt.
    pub by_exempt_user: bool,
    verb: Verb,
    path: String,
    body: Value,
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.by_exempt_user { " by an exempt user" } else { "" };
        write!(formatter, "{:?} {}{who}: {}", self.verb, self.path, self.body)
    }
}

impl Request {
    /// The request of this index.
    pub fn make(seed: u64, index: u64, existing: &Existing) -> Self {
        let mut random = Random::of_case(seed, index);
        let by_exempt_user = random.percent(4);
        let namespace = random.below(NAMESPACES);
        let (sort, verb, path, body) = match random.below(100) {
            0..=37 => create_pod(index, &name(namespace), &mut random),
            38..=47 => update_pod(existing, &mut random),
            48..=57 => debug_pod(existing, &mut random),
            58..=61 => resize_pod(existing, &mut random),
            62..=76 => create_workload(index, &name(namespace), &mut random),
            77..=81 => update_workload(existing, &mut random),
            82..=85 => create_namespace(&mut random),
            _ => relabel(existing, &mut random),
        };
        Self { sort, by_exempt_user, verb, path: format!("{path}?dryRun=All"), body }
    }

    /// Sends it.
    pub fn send(&self, api: &mut Api) -> Result<Answer> {
        match self.verb {
            Verb::Create => api.post(&self.path, &self.body),
            Verb::Replace => api.put(&self.path, &self.body),
            Verb::Merge => api.merge(&self.path, &self.body),
            Verb::MergeLists => api.merge_lists(&self.path, &self.body),
        }
    }
}

type Parts = (&'static str, Verb, String, Value);

fn create_pod(index: u64, namespace: &str, random: &mut Random) -> Parts {
    let mut pod = valid::pod(&format!("p{index}"), random);
    if random.percent(5) {
        pod["metadata"]["name"] = Value::Null;
        pod["metadata"]["generateName"] = json!("generated-");
    }
    ("pods created", Verb::Create, pods(namespace), pod)
}

fn update_pod(existing: &Existing, random: &mut Random) -> Parts {
    let (namespace, pod, containers) = random.pick(&existing.pods);
    let image = change_container(containers, random, json!({"image": "other"}));
    let change = match random.below(10) {
        0..=5 => image,
        6 => json!({"metadata": {"labels": {"changed": "yes"}}}),
        7 => json!({"metadata": {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}}),
        8 => json!({"spec": {"activeDeadlineSeconds": 5}}),
        _ => json!({"spec": {"tolerations": [{"key": "x", "operator": "Exists"}]}}),
    };
    ("pods updated", Verb::MergeLists, format!("{}/{pod}", pods(&name(*namespace))), change)
}

fn debug_pod(existing: &Existing, random: &mut Random) -> Parts {
    let (namespace, pod, _) = random.pick(&existing.pods);
    let debuggers: Vec<Value> =
        (0..random.between(1, 2)).map(|number| valid::ephemeral_container(&format!("debug{number}"), random)).collect();
    let path = format!("{}/{pod}/ephemeralcontainers", pods(&name(*namespace)));
    ("ephemeral containers", Verb::MergeLists, path, json!({"spec": {"ephemeralContainers": debuggers}}))
}

/// A change of one container, in the list that its name tells: `…-i0` or `…-c0`.
fn change_container(containers: &[String], random: &mut Random, mut change: Value) -> Value {
    let container = random.pick(containers);
    let is_init = container.rsplit('-').next().is_some_and(|place| place.starts_with('i'));
    let list = if is_init { "initContainers" } else { "containers" };
    change["name"] = json!(container);
    json!({"spec": {list: [change]}})
}

fn resize_pod(existing: &Existing, random: &mut Random) -> Parts {
    let (namespace, pod, containers) = random.pick(&existing.pods);
    let resources = json!({"requests": {"cpu": random.word(&["1", "200m", "100m", "2", "-1"])}});
    let change = change_container(containers, random, json!({"resources": resources}));
    ("resizes", Verb::MergeLists, format!("{}/{pod}/resize", pods(&name(*namespace))), change)
}

fn create_workload(index: u64, namespace: &str, random: &mut Random) -> Parts {
    let workload = random.pick(&WORKLOADS);
    let object = workload.around(&format!("w{index}"), valid::template(random));
    ("workloads created", Verb::Create, workload.path(namespace), object)
}

fn update_workload(existing: &Existing, random: &mut Random) -> Parts {
    let (namespace, kind) = random.pick(&existing.workloads);
    let workload = &WORKLOADS[*kind];
    let mut change = json!({});
    let template =
        if random.percent(80) { valid::template(random) } else { json!({"metadata": {"labels": {"x": "y"}}}) };
    crate::generate::edit::put(&mut change, workload.template, Some(template));
    ("workloads updated", Verb::Merge, format!("{}/old", workload.path(&name(*namespace))), change)
}

fn create_namespace(random: &mut Random) -> Parts {
    let labels = labels::labels(random);
    let labels = if random.percent(90) { storable(&labels) } else { labels };
    let namespace = json!({"metadata": {"name": new_name(random.below(NEW_NAMESPACES)), "labels": labels}});
    ("namespaces created", Verb::Create, "/api/v1/namespaces".to_owned(), namespace)
}

fn relabel(existing: &Existing, random: &mut Random) -> Parts {
    let (namespace, before) = random.pick(&existing.namespaces);
    let after = labels::edited(before, random);
    let after = if random.percent(90) { storable(&after) } else { after };
    let after = if random.percent(25) { storable(&labels::labels(random)) } else { after };
    let path = format!("/api/v1/namespaces/{namespace}");
    if random.percent(30) {
        let labels: serde_json::Map<_, _> = after.as_object().cloned().unwrap_or_default();
        return ("namespaces relabelled", Verb::Merge, path, json!({"metadata": {"labels": labels}}));
    }
    let object = json!({"metadata": {"name": namespace, "labels": after}, "spec": {"finalizers": ["kubernetes"]}});
    ("namespaces relabelled", Verb::Replace, path, object)
}

/// The names of a pod's containers, the init containers among them.
pub fn container_names(pod: &Value) -> Vec<String> {
    let lists = ["containers", "initContainers"].map(|key| pod["spec"][key].as_array());
    lists.into_iter().flatten().flatten().filter_map(|container| Some(container["name"].as_str()?.to_owned())).collect()
}
