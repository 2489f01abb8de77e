//! What the API server has to ask us about: the other side of [`super::validate`], from which the registration is made.
//!
//! It names exactly what a verdict can depend on, and a test asks decide about everything to hold the two together.

use crate::engine::mutation::Documents;
use crate::engine::mutation::document::{GROUP, RESOURCES};
use crate::engine::object::{GroupVersionKind, Workload};
use crate::engine::request::Operation;

/// Kinds that are registered together, since the same becomes of them when we do not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    Pods,
    Namespaces,
    /// What holds a pod template.
    Workloads,
    /// Our own: what does not compile is refused.
    Documents,
}

/// A resource or a subresource, and what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub group: &'static str,
    pub version: &'static str,
    pub resource: &'static str,
    /// Empty for the resource itself.
    pub subresource: &'static str,
    pub operations: &'static [Operation],
}

const WRITTEN: &[Operation] = &[Operation::Create, Operation::Update];

/// All that is judged of these kinds. A subresource of pods that is newer than we are would be judged, too, but the API server
/// is only told of those that there are: asking for all would be asking about every status that a kubelet reports.
pub fn judged(concern: Concern) -> Vec<Asked> {
    let core =
        |resource, subresource, operations| Asked { group: "", version: "v1", resource, subresource, operations };
    match concern {
        Concern::Pods => vec![
            core("pods", "", WRITTEN),
            core("pods", "ephemeralcontainers", &[Operation::Update]),
            core("pods", "resize", &[Operation::Update]),
        ],
        // Neither status nor finalize: with them the namespace controller ends a namespace.
        Concern::Namespaces => vec![core("namespaces", "", WRITTEN)],
        Concern::Workloads => Workload::ALL
            .iter()
            .map(|(_, api_version, kind, resource)| {
                let GroupVersionKind { group, version, .. } = GroupVersionKind::of(api_version, kind);
                Asked { group, version, resource, subresource: "", operations: WRITTEN }
            })
            .collect(),
        Concern::Documents => RESOURCES
            .iter()
            .map(|resource| Asked { group: GROUP, version: "v1", resource, subresource: "", operations: WRITTEN })
            .collect(),
    }
}

/// All for which the mutate phase may propose edits: pods that are created, if there is a document at all.
pub fn mutated(documents: &Documents) -> Vec<Asked> {
    if documents.is_empty() { Vec::new() } else { mutated_by_any() }
}

/// All for which edits may be proposed where there is a document.
pub fn mutated_by_any() -> Vec<Asked> {
    vec![Asked { group: "", version: "v1", resource: "pods", subresource: "", operations: &[Operation::Create] }]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::engine::mutation::Active;
    use crate::engine::mutation::document::Document;
    use crate::engine::object::StringMap;
    use crate::engine::pod_security::{Configuration, LevelVersion};
    use crate::engine::{
        Annotation, Carried, Facts, ObjectKind, Phase, Request, Resource, Snapshot, Status, Unlisted, Verdict,
        Workloads, decide, json as decoder,
    };

    /// Group, version, kind, resource and subresources as the API server of 1.37 serves them: all that ever holds a pod or
    /// belongs to one, and a choice of what has nothing to do with them.
    const SERVED: [(&str, &str, &str, &str, &[&str]); 24] = [
        (
            "",
            "v1",
            "Pod",
            "pods",
            &[
                "attach",
                "binding",
                "ephemeralcontainers",
                "eviction",
                "exec",
                "log",
                "portforward",
                "proxy",
                "resize",
                "status",
            ],
        ),
        ("", "v1", "Namespace", "namespaces", &["finalize", "status"]),
        ("", "v1", "Node", "nodes", &["proxy", "status"]),
        ("", "v1", "PodTemplate", "podtemplates", &[]),
        ("", "v1", "ReplicationController", "replicationcontrollers", &["scale", "status"]),
        ("", "v1", "Secret", "secrets", &[]),
        ("", "v1", "ConfigMap", "configmaps", &[]),
        ("", "v1", "Service", "services", &["proxy", "status"]),
        ("", "v1", "ServiceAccount", "serviceaccounts", &["token"]),
        ("apps", "v1", "ControllerRevision", "controllerrevisions", &[]),
        ("apps", "v1", "DaemonSet", "daemonsets", &["status"]),
        ("apps", "v1", "Deployment", "deployments", &["scale", "status"]),
        ("apps", "v1", "ReplicaSet", "replicasets", &["scale", "status"]),
        ("apps", "v1", "StatefulSet", "statefulsets", &["scale", "status"]),
        ("batch", "v1", "CronJob", "cronjobs", &["status"]),
        ("batch", "v1", "Job", "jobs", &["status"]),
        (
            "certificates.k8s.io",
            "v1",
            "CertificateSigningRequest",
            "certificatesigningrequests",
            &["approval", "status"],
        ),
        ("coordination.k8s.io", "v1", "Lease", "leases", &[]),
        ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["status"]),
        ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", &[]),
        (
            "admissionregistration.k8s.io",
            "v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            &[],
        ),
        ("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates", &[]),
        ("portcullis.dev", "v1", "PodDefaults", "poddefaults", &["status"]),
        ("portcullis.dev", "v1", "SidecarInjection", "sidecarinjections", &["status"]),
    ];

    const OPERATIONS: [Operation; 4] = [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect];

    type Served = (&'static str, &'static str, &'static str, &'static str, &'static str);

    #[test]
    fn what_is_registered_is_what_a_verdict_can_depend_on() {
        let listed: BTreeSet<_> = [Concern::Pods, Concern::Namespaces, Concern::Workloads, Concern::Documents]
            .into_iter()
            .flat_map(judged)
            .flat_map(|asked| {
                asked.operations.iter().map(move |operation| {
                    (asked.group, asked.version, asked.resource, asked.subresource, operation.name())
                })
            })
            .collect();
        let judged: BTreeSet<_> = served()
            .flat_map(|served| OPERATIONS.map(|operation| (served, operation)))
            .filter(|(served, operation)| exists(served.4, *operation) && is_judged(*served, *operation))
            .map(|((group, version, _, resource, subresource), operation)| {
                (group, version, resource, subresource, operation.name())
            })
            .collect();
        assert_eq!(listed, judged);
    }

    /// Nobody can create an ephemeral container or a size: the API server only serves their updates.
    fn exists(subresource: &str, operation: Operation) -> bool {
        !matches!(subresource, "ephemeralcontainers" | "resize") || operation == Operation::Update
    }

    #[test]
    fn what_is_registered_for_edits_is_what_edits_are_proposed_for() {
        for documents in [Documents::default(), an_edit_of_every_pod()] {
            let snapshot = snapshot_with(documents);
            let listed: BTreeSet<_> = mutated(snapshot.documents())
                .into_iter()
                .flat_map(|asked| {
                    asked.operations.iter().map(move |operation| (asked.resource, asked.subresource, operation.name()))
                })
                .collect();
            let edited: BTreeSet<_> = served()
                .flat_map(|served| OPERATIONS.map(|operation| (served, operation)))
                .filter(|(served, operation)| {
                    let text = object(*served, "restricted").to_string();
                    let mut request = request(*served, *operation, Phase::Mutate, &object(*served, "restricted"));
                    request.object = Carried::Unread(crate::engine::Unread::of(text.leak()));
                    decide(&request, &snapshot, &facts()).patch().is_some()
                })
                .map(|((_, _, _, resource, subresource), operation)| (resource, subresource, operation.name()))
                .collect();
            assert_eq!(listed, edited);
        }
    }

    fn an_edit_of_every_pod() -> Documents {
        let document = json!({
            "apiVersion": "portcullis.dev/v1", "kind": "PodDefaults", "metadata": {"name": "a"},
            "spec": {"mode": "Always", "pod": {"labels": {"edited": "true"}}},
        });
        let document = Document::read(&document.to_string()).expect("a document");
        Documents::new(vec![Arc::new(Active::compile(&document).expect("a good document"))])
    }

    fn served() -> impl Iterator<Item = Served> {
        SERVED.iter().flat_map(|(group, version, kind, resource, subresources)| {
            std::iter::once("")
                .chain(subresources.iter().copied())
                .map(move |subresource| (*group, *version, *kind, *resource, subresource))
        })
    }

    /// Whether a good object and a bad one, alike but for what policies look at, get different verdicts.
    fn is_judged(served: Served, operation: Operation) -> bool {
        let verdict = |flavour: &str| {
            let object = object(served, flavour);
            said(&decide(&request(served, operation, Phase::Validate, &object), &snapshot(), &facts()))
        };
        verdict("restricted") != verdict("privileged")
    }

    type Said = (bool, Option<Status>, Vec<Annotation>, Vec<String>);

    fn said(verdict: &Verdict) -> Said {
        let (annotations, warnings) = (verdict.annotations().to_vec(), verdict.warnings().to_vec());
        (verdict.is_allowed(), verdict.denial().cloned(), annotations, warnings)
    }

    fn request(
        (group, _, kind, resource, subresource): Served,
        operation: Operation,
        phase: Phase,
        object: &Value,
    ) -> Request<'static> {
        let old = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": {"name": "a"}});
        Request {
            phase,
            uid: "u".into(),
            operation,
            kind: ObjectKind { group: group.into(), kind: kind.into() },
            resource: Resource { group: group.into(), resource: resource.into() },
            subresource: subresource.into(),
            name: "a".into(),
            namespace: "shop".into(),
            username: "somebody".into(),
            dry_run: false,
            object: carried(object),
            old_object: if operation == Operation::Update { carried(&old) } else { Carried::Absent },
            review: json!({"request": {"object": object}}).to_string().into_bytes().leak(),
        }
    }

    fn carried(object: &Value) -> Carried<'static> {
        let text = object.to_string().into_bytes().leak();
        Carried::Object(Box::new(decoder::from_slice(text).expect("an object")))
    }

    /// An object with a pod wherever there may be one, and with the labels of a namespace.
    fn object((group, version, kind, ..): Served, flavour: &str) -> Value {
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        let is_good = flavour != "privileged";
        if group == GROUP {
            let mode = if is_good { "OptIn" } else { "nonsense" };
            return json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": {"mode": mode}});
        }
        let label = if is_good { "restricted" } else { "nonsense" };
        let container = json!({"name": "a", "image": "a", "securityContext": {
            "privileged": flavour == "privileged", "allowPrivilegeEscalation": false, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        }});
        let template = json!({"spec": {"containers": [container]}});
        json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": "a", "labels": {"pod-security.kubernetes.io/enforce": label}},
            "template": template,
            "spec": {"containers": [container], "template": template, "jobTemplate": {"spec": {"template": template}}},
        })
    }

    fn snapshot() -> Snapshot {
        snapshot_with(Documents::default())
    }

    fn snapshot_with(documents: Documents) -> Snapshot {
        let snapshot = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unknown);
        let mut snapshot = snapshot.with_documents(Arc::new(documents));
        snapshot.workloads = Workloads::Deny;
        snapshot.insert_namespace("shop", &StringMap::default());
        snapshot
    }

    fn facts() -> Facts {
        Facts::default()
    }
}
