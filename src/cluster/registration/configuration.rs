//! The two webhook configurations of an installation, as they are to be.
//!
//! They have the same entries however many policies there are. Nothing in them can keep a cluster from working: see
//! docs/lockout.md, which explains every field.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::place::Place;
use super::super::release::Release;
use super::field::put;
use crate::engine::mutation::Documents;
use crate::engine::mutation::document::GROUP;
use crate::engine::{
    Asked, Concern, Mode, Operation, Snapshot, WORKLOADS_LABEL, Workloads, judged, mutated, mutated_by_any,
};

/// The annotation that says since when the replica runs that wrote the configuration.
pub(super) const KEPT_SINCE: &str = "portcullis.dev/kept-since";

/// The annotation that says what the replica wrote, so that it can be told whether it still is so.
pub(super) const FORM: &str = "portcullis.dev/form";

/// What is registered where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    release: Release,
    /// Namespaces of which we are told nothing; sorted, each once.
    excluded: Vec<String>,
    mode: Mode,
    workloads: Workloads,
}

/// The object with which the configurations go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) uid: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Mutating,
    Validating,
}

/// What becomes of a request that we do not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Fail,
    Ignore,
}

/// One webhook of a configuration.
struct Entry {
    name: &'static str,
    severity: Severity,
    rules: Vec<Value>,
    /// Only namespaces whose label for workloads is so.
    workloads: Option<(&'static str, Workloads)>,
    /// Whether updates that leave the spec as it is are kept from us.
    only_new_specs: bool,
}

impl Which {
    /// The judging one first: it is the one that matters.
    pub(super) const BOTH: [Self; 2] = [Self::Validating, Self::Mutating];

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }

    pub(super) fn place(self, release: &Release) -> Place {
        let collection = match self {
            Self::Mutating => "mutatingwebhookconfigurations",
            Self::Validating => "validatingwebhookconfigurations",
        };
        Place::new(format!("/apis/admissionregistration.k8s.io/v1/{collection}"), release.name())
    }

    /// Whether it is the one by which pods are refused.
    pub(super) fn judges(self) -> bool {
        self == Self::Validating
    }

    fn path(self) -> &'static str {
        match self {
            Self::Mutating => "/mutate",
            Self::Validating => "/validate",
        }
    }
}

impl Registration {
    /// What is to be registered for these rules: kube-system and the release's own namespace are never asked about, nor are
    /// those that are `excluded`.
    pub fn new(release: Release, excluded: &[String], rules: &Snapshot) -> Self {
        let all: BTreeSet<&str> =
            ["kube-system", release.namespace()].into_iter().chain(excluded.iter().map(String::as_str)).collect();
        let excluded = all.into_iter().map(str::to_owned).collect();
        Self { release, excluded, mode: rules.mode, workloads: rules.workloads }
    }

    pub(super) fn release(&self) -> &Release {
        &self.release
    }

    /// The configuration as it would be with documents if there are none, or without if there are any; none if it would be the same.
    pub(super) fn for_other_documents(&self, which: Which, configuration: &Value) -> Option<Value> {
        if which != Which::Mutating {
            return None;
        }
        let mut other = configuration.clone();
        for webhook in other.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
            let has_rules = webhook.get("rules").is_some();
            put_rules(webhook, if has_rules { Vec::new() } else { rules(&mutated_by_any()) });
        }
        Some(other)
    }

    /// Whether requests from a namespace never reach us.
    pub(super) fn excludes(&self, namespace: &str) -> bool {
        self.excluded.iter().any(|excluded| excluded == namespace)
    }

    /// The whole configuration, with every field that the API server would else fill in. `authorities` are those that sign
    /// for our Service, as PEM; `documents` are those in force.
    pub(super) fn document(&self, which: Which, owner: &Owner, authorities: &str, documents: &Documents) -> Value {
        let entries: Vec<Entry> = match which {
            Which::Validating => self.judging().into(),
            Which::Mutating => vec![mutating(documents)],
        };
        let webhooks: Vec<Value> = entries.iter().map(|entry| self.webhook(which, entry, authorities)).collect();
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": which.kind(),
            "metadata": {
                "name": self.release.name(),
                "labels": {
                    "app.kubernetes.io/name": "portcullis",
                    "app.kubernetes.io/instance": self.release.name(),
                    "app.kubernetes.io/managed-by": "portcullis",
                },
                "ownerReferences": [{
                    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": owner.name, "uid": owner.uid,
                }],
            },
            "webhooks": webhooks,
        })
    }

    /// A workload that is to be denied fails with us, one that is only warned about does not: its pods are judged in any case.
    fn judging(&self) -> [Entry; 5] {
        let workloads = |name, severity, label| Entry {
            name,
            severity,
            rules: rules(&judged(Concern::Workloads)),
            workloads: Some(label),
            only_new_specs: false,
        };
        let (denied, warned) = match self.workloads {
            Workloads::Warn => (("In", Workloads::Deny), ("NotIn", Workloads::Deny)),
            Workloads::Deny => (("NotIn", Workloads::Warn), ("In", Workloads::Warn)),
        };
        let fail = |name, concern, only_new_specs| Entry {
            name,
            severity: Severity::Fail,
            rules: rules(&judged(concern)),
            workloads: None,
            only_new_specs,
        };
        [
            fail("pods.portcullis.dev", Concern::Pods, true),
            fail("namespaces.portcullis.dev", Concern::Namespaces, false),
            fail("documents.portcullis.dev", Concern::Documents, false),
            workloads("denied-workloads.portcullis.dev", Severity::Fail, denied),
            workloads("workloads.portcullis.dev", Severity::Ignore, warned),
        ]
    }

    fn webhook(&self, which: Which, entry: &Entry, authorities: &str) -> Value {
        let severity = if self.mode == Mode::Audit { Severity::Ignore } else { entry.severity };
        let mut webhook = json!({
            "name": entry.name,
            "clientConfig": {
                "service": {
                    "name": self.release.name(),
                    "namespace": self.release.namespace(),
                    "port": self.release.service_port(),
                    "path": which.path(),
                },
                "caBundle": BASE64_STANDARD.encode(authorities),
            },
            "failurePolicy": match severity { Severity::Fail => "Fail", Severity::Ignore => "Ignore" },
            "matchPolicy": "Equivalent",
            "namespaceSelector": {"matchExpressions": self.namespaces(entry)},
            "objectSelector": {},
            "matchConditions": self.conditions(entry),
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "admissionReviewVersions": ["v1"],
        });
        put_rules(&mut webhook, entry.rules.clone());
        if which == Which::Mutating {
            put(&mut webhook, &["reinvocationPolicy"], json!("IfNeeded"));
        }
        webhook
    }

    fn namespaces(&self, entry: &Entry) -> Vec<Value> {
        let mut expressions =
            vec![json!({"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": self.excluded})];
        if let Some((operator, value)) = entry.workloads {
            let value = match value {
                Workloads::Deny => "deny",
                Workloads::Warn => "warn",
            };
            expressions.push(json!({"key": WORKLOADS_LABEL, "operator": operator, "values": [value]}));
        }
        expressions
    }

    fn conditions(&self, entry: &Entry) -> Vec<Value> {
        let ours = format!("system:serviceaccount:{}:{}", self.release.namespace(), self.release.name());
        let mut conditions = vec![json!({
            "name": "not-by-portcullis-itself",
            "expression": format!("request.userInfo.username != '{ours}'"),
        })];
        if entry.only_new_specs {
            conditions.push(json!({
                "name": "spec-is-new-or-changed",
                "expression": "request.operation != 'UPDATE' || object.spec != oldObject.spec",
            }));
        }
        conditions
    }
}

/// A pod that should have been completed must not be let by without.
fn mutating(documents: &Documents) -> Entry {
    Entry {
        name: "pods.portcullis.dev",
        severity: Severity::Fail,
        rules: rules(&mutated(documents)),
        workloads: None,
        only_new_specs: false,
    }
}

/// The API server leaves an empty list out.
fn put_rules(webhook: &mut Value, rules: Vec<Value>) {
    if !rules.is_empty() {
        put(webhook, &["rules"], rules.into());
    } else if let Some(fields) = webhook.as_object_mut() {
        fields.remove("rules");
    }
}

/// One rule for all that have group, version and operations in common.
fn rules(asked: &[Asked]) -> Vec<Value> {
    let mut groups: Vec<(&Asked, Vec<String>)> = Vec::new();
    for one in asked {
        let resource = match one.subresource {
            "" => one.resource.to_owned(),
            subresource => format!("{}/{subresource}", one.resource),
        };
        let alike =
            |first: &Asked| (first.group, first.version, first.operations) == (one.group, one.version, one.operations);
        match groups.iter_mut().find(|(first, _)| alike(first)) {
            Some((_, resources)) => resources.push(resource),
            None => groups.push((one, vec![resource])),
        }
    }
    groups.iter().map(|(first, resources)| rule(first, resources)).collect()
}

fn is_cluster_scoped(asked: &Asked) -> bool {
    asked.resource == "namespaces" || asked.group == GROUP
}

fn rule(first: &Asked, resources: &[String]) -> Value {
    let operations: Vec<&str> = first.operations.iter().copied().map(Operation::name).collect();
    json!({
        "apiGroups": [first.group],
        "apiVersions": [first.version],
        "resources": resources,
        "operations": operations,
        "scope": if is_cluster_scoped(first) { "Cluster" } else { "Namespaced" },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::difference::form;
    use super::*;
    use crate::engine::Unlisted;
    use crate::engine::mutation::Active;
    use crate::engine::mutation::document::Document;
    use crate::engine::pod_security::{Configuration, LevelVersion};

    fn some_document() -> Documents {
        let document = json!({
            "apiVersion": "portcullis.dev/v1", "kind": "PodDefaults", "metadata": {"name": "a"}, "spec": {},
        });
        let document = Document::read(&document.to_string()).expect("a document");
        Documents::new(vec![Arc::new(Active::compile(&document).expect("no flaws"))])
    }

    #[test]
    fn a_configuration_for_other_documents_is_what_is_registered_with_those() {
        let rules = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unknown);
        let release = Release::new("portcullis", "portcullis-system", 443).expect("names");
        let registration = Registration::new(release, &[], &rules);
        let owner = Owner { name: "portcullis".to_owned(), uid: "1".to_owned() };
        let registered = |which, documents| registration.document(which, &owner, "authorities", documents);
        let (none, some) = (Documents::default(), some_document());
        for (ours, others) in [(&none, &some), (&some, &none)] {
            let ours = registered(Which::Mutating, ours);
            let other = registration.for_other_documents(Which::Mutating, &ours).expect("another configuration");
            assert_ne!(form(&other), form(&ours));
            assert_eq!(form(&other), form(&registered(Which::Mutating, others)), "{other}");
        }
        assert_eq!(registered(Which::Validating, &none), registered(Which::Validating, &some));
        assert_eq!(registration.for_other_documents(Which::Validating, &registered(Which::Validating, &none)), None);
    }
}
