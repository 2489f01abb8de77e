//! What Kubernetes' validation refuses in every pod, type by type.
//!
//! Kept true: a rule says no more than the API server or the kubelet does; where it does, its line says why.
//! Source: `k8s.io/kubernetes/pkg/apis/core/validation/validation.go`.

use serde_json::{Map, Value};

use super::grammar::Grammar;
use super::{Inspection, at, described, member, special, storage};
use crate::engine::object::Quantity;

/// What must hold of a field, which may be one of a field: `resources.claims`.
#[derive(Debug)]
enum Rule {
    /// Exactly one of these is given.
    One(&'static [&'static str]),
    AtMostOne(&'static [&'static str]),
    Given(&'static str),
    /// A list that holds something.
    Filled(&'static str),
    /// Both bounds included.
    Between(&'static str, i64, i64),
    /// A text, or every text of a list.
    Text(&'static str, Grammar),
    /// A port's number or its name.
    Port(&'static str),
    NotNegative(&'static str),
    /// No two items of the list have the same here.
    Distinct(&'static str, &'static str),
    /// Cannot be good in a document, for this reason.
    Absent(&'static str, &'static str),
    /// More than fits into a rule.
    Special(fn(&mut Inspection<'_>, &Map<String, Value>, &str)),
}

use Rule::{Absent, AtMostOne, Between, Distinct, Filled, Given, NotNegative, One, Port, Special, Text};

const MODES: (i64, i64) = (0, 0o777);
const USERS: (i64, i64) = (0, i32::MAX as i64);
const COUNTS: (i64, i64) = (0, i32::MAX as i64);
const PORTS: (i64, i64) = (1, 65_535);

/// Judges an object of this type, in which every field has its type.
pub(super) fn judge(inspection: &mut Inspection<'_>, members: &Map<String, Value>, name: &str, path: &str) {
    for rule in of(name) {
        rule.judge(inspection, members, path);
    }
}

fn of(name: &str) -> &'static [Rule] {
    match name {
        "Container" => CONTAINER,
        "ContainerPort" => &[
            Between("containerPort", PORTS.0, PORTS.1),
            Between("hostPort", 0, PORTS.1),
            Text("name", Grammar::PortName),
        ],
        "ContainerResizePolicy" => &[
            Text("resourceName", Grammar::OneOf(&["cpu", "memory"])),
            Text("restartPolicy", Grammar::OneOf(&["NotRequired", "RestartContainer"])),
        ],
        "SecurityContext" => &[
            Between("runAsUser", USERS.0, USERS.1),
            Between("runAsGroup", USERS.0, USERS.1),
            Special(special::security_context),
        ],
        "SeccompProfile" => &[Text("localhostProfile", Grammar::Descending), Special(special::profile)],
        "AppArmorProfile" => &[Text("localhostProfile", Grammar::NotEmpty), Special(special::profile)],
        "EnvVar" => &[AtMostOne(&["value", "valueFrom"])],
        "EnvVarSource"
        | "EnvFromSource"
        | "ConfigMapEnvSource"
        | "SecretEnvSource"
        | "ConfigMapKeySelector"
        | "SecretKeySelector"
        | "FileKeySelector"
        | "ResourceFieldSelector" => of_variables(name),
        "Probe" | "Lifecycle" | "LifecycleHandler" | "ExecAction" | "HTTPGetAction" | "HTTPHeader"
        | "TCPSocketAction" | "GRPCAction" | "SleepAction" => of_handlers(name),
        "VolumeMount" => &[
            Text("subPath", Grammar::Descending),
            Text("subPathExpr", Grammar::Descending),
            AtMostOne(&["subPath", "subPathExpr"]),
            Text("recursiveReadOnly", Grammar::OneOf(&["Disabled", "Enabled", "IfPossible"])),
            Text("bindMountOptions", Grammar::OneOf(&["nodev", "noexec", "nosuid"])),
            Special(special::mount),
        ],
        "VolumeDevice" => &[Text("devicePath", Grammar::NoBacksteps)],
        "Toleration" | "NodeSelectorRequirement" | "TopologySpreadConstraint" => of_scheduling(name),
        _ => of_volumes(name),
    }
}

const CONTAINER: &[Rule] = &[
    Text("image", Grammar::Image), // what is none is accepted and never pulled
    Absent("restartPolicyRules", "leave it out: it belongs to `restartPolicy`, which follows from `placement.kind`"),
    Absent("lifecycle.stopSignal", "leave it out: a pod need not have `spec.os.name`, without which it is refused"),
    Absent("resources.claims", "leave it out: a pod need not have the claim, without which it is refused"),
    Absent("readinessProbe.terminationGracePeriodSeconds", "leave it out: nothing is ended because it is not ready"),
    Between("livenessProbe.successThreshold", 0, 1),
    Between("startupProbe.successThreshold", 0, 1),
    Distinct("ports", "name"),
    Distinct("volumeMounts", "mountPath"),
    Distinct("volumeDevices", "name"),
    Distinct("volumeDevices", "devicePath"),
    Distinct("resizePolicy", "resourceName"),
    Special(special::container),
];

fn of_variables(name: &str) -> &'static [Rule] {
    match name {
        "EnvVarSource" => &[
            One(&["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"]),
            Text("fieldRef.fieldPath", Grammar::FieldOfVariable),
            Text("fieldRef.apiVersion", Grammar::OneOf(&["v1"])),
        ],
        "EnvFromSource" => &[One(&["configMapRef", "secretRef"]), Text("prefix", Grammar::Variable)],
        "ConfigMapEnvSource" | "SecretEnvSource" => &[Given("name"), Text("name", Grammar::Subdomain)],
        "ConfigMapKeySelector" | "SecretKeySelector" => {
            &[Given("name"), Text("name", Grammar::Subdomain), Text("key", Grammar::ConfigKey)]
        }
        "FileKeySelector" => {
            &[Text("key", Grammar::Variable), Text("volumeName", Grammar::Label), Text("path", Grammar::NoBacksteps)]
        }
        _ => &[Text("resource", Grammar::ResourceField), Special(special::divisor)],
    }
}

fn of_handlers(name: &str) -> &'static [Rule] {
    match name {
        "Probe" => &[
            One(&["exec", "grpc", "httpGet", "tcpSocket"]),
            Between("initialDelaySeconds", COUNTS.0, COUNTS.1),
            Between("timeoutSeconds", COUNTS.0, COUNTS.1),
            Between("periodSeconds", COUNTS.0, COUNTS.1),
            Between("successThreshold", COUNTS.0, COUNTS.1),
            Between("failureThreshold", COUNTS.0, COUNTS.1),
            Between("terminationGracePeriodSeconds", 1, i64::MAX),
        ],
        "LifecycleHandler" => &[One(&["exec", "httpGet", "sleep", "tcpSocket"])],
        "ExecAction" => &[Filled("command")],
        "HTTPGetAction" => &[Port("port"), Special(special::http)],
        "HTTPHeader" => &[Text("name", Grammar::HeaderName)],
        "TCPSocketAction" => &[Port("port")],
        "GRPCAction" => &[Between("port", PORTS.0, PORTS.1)],
        "SleepAction" => &[Between("seconds", 0, i64::MAX)],
        _ => &[],
    }
}

fn of_scheduling(name: &str) -> &'static [Rule] {
    match name {
        "Toleration" => &[Text("key", Grammar::QualifiedName), Special(special::toleration)],
        "NodeSelectorRequirement" => &[Text("key", Grammar::QualifiedName), Special(special::requirement)],
        _ => &[Between("maxSkew", 1, COUNTS.1), Between("minDomains", 1, COUNTS.1), Special(special::spread)],
    }
}

fn of_volumes(name: &str) -> &'static [Rule] {
    match name {
        "Volume" => &[Special(special::volume), Special(storage::name_beside_portal)],
        "EmptyDirVolumeSource" => &[NotNegative("sizeLimit")],
        "HostPathVolumeSource" => &[Text("path", Grammar::NoBacksteps)],
        "ConfigMapVolumeSource" => {
            &[Given("name"), Between("defaultMode", MODES.0, MODES.1), Between("defaultUser", USERS.0, USERS.1)]
        }
        "SecretVolumeSource" => {
            &[Given("secretName"), Between("defaultMode", MODES.0, MODES.1), Between("defaultUser", USERS.0, USERS.1)]
        }
        "DownwardAPIVolumeSource" => {
            &[Between("defaultMode", MODES.0, MODES.1), Between("defaultUser", USERS.0, USERS.1)]
        }
        "ProjectedVolumeSource" => &[
            Between("defaultMode", MODES.0, MODES.1),
            Between("defaultUser", USERS.0, USERS.1),
            Special(special::projections),
        ],
        "KeyToPath" => {
            &[Text("path", Grammar::File), Between("mode", MODES.0, MODES.1), Between("user", USERS.0, USERS.1)]
        }
        "DownwardAPIVolumeFile" => &[
            One(&["fieldRef", "resourceFieldRef"]),
            Text("path", Grammar::File),
            Text("fieldRef.fieldPath", Grammar::FieldOfFile),
            Text("fieldRef.apiVersion", Grammar::OneOf(&["v1"])),
            Between("mode", MODES.0, MODES.1),
            Between("user", USERS.0, USERS.1),
            Special(special::file_of_resources),
        ],
        "VolumeProjection" => {
            // One without any is accepted and gives no file.
            &[One(&[
                "clusterTrustBundle",
                "configMap",
                "downwardAPI",
                "podCertificate",
                "secret",
                "serviceAccountToken",
            ])]
        }
        "ConfigMapProjection" | "SecretProjection" => &[Given("name")],
        "ServiceAccountTokenProjection" => &[
            Text("path", Grammar::File),
            Between("expirationSeconds", 600, 1 << 32),
            Between("user", USERS.0, USERS.1),
        ],
        "ClusterTrustBundleProjection" => &[
            One(&["name", "signerName"]),
            AtMostOne(&["labelSelector", "name"]),
            Text("path", Grammar::File),
            Text("name", Grammar::Subdomain),
            Between("user", USERS.0, USERS.1),
        ],
        _ => of_storage(name),
    }
}

fn of_storage(name: &str) -> &'static [Rule] {
    match name {
        "CSIVolumeSource" => &[
            Text("driver", Grammar::Driver),
            Given("nodePublishSecretRef.name"),
            Text("nodePublishSecretRef.name", Grammar::Subdomain),
        ],
        "ImageVolumeSource" => &[Given("reference"), Text("reference", Grammar::Image)],
        "LabelSelector" => &[Special(special::selector)],
        "NFSVolumeSource" => &[Text("path", Grammar::Absolute)],
        "EphemeralVolumeSource" => &[Given("volumeClaimTemplate")],
        "PersistentVolumeClaimTemplate" => &[Special(special::metadata_of_claim)],
        "PersistentVolumeClaimSpec" => &[
            Filled("accessModes"),
            Text(
                "accessModes",
                Grammar::OneOf(&["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]),
            ),
            Text("storageClassName", Grammar::Subdomain),
            Special(special::claim),
        ],
        _ => of_old_storage(name),
    }
}

/// Kinds of volumes that the API still takes, and drivers have replaced.
fn of_old_storage(name: &str) -> &'static [Rule] {
    match name {
        "AWSElasticBlockStoreVolumeSource" | "GCEPersistentDiskVolumeSource" => &[Between("partition", 0, 255)],
        "AzureDiskVolumeSource" => &[Special(storage::azure_disk)],
        "CephFSVolumeSource" | "RBDVolumeSource" => &[Filled("monitors")],
        "CinderVolumeSource" => &[Given("secretRef.name")],
        "FCVolumeSource" => &[Between("lun", 0, 255), Special(storage::fibre_channel)],
        "FlockerVolumeSource" => &[One(&["datasetName", "datasetUUID"]), Text("datasetName", Grammar::PathPart)],
        "GitRepoVolumeSource" => &[Text("directory", Grammar::Descending)],
        "ISCSIVolumeSource" => &[
            Between("lun", 0, 255),
            Text("iqn", Grammar::IscsiName),
            Text("initiatorName", Grammar::IscsiName),
            Special(storage::iscsi),
        ],
        "QuobyteVolumeSource" => &[Text("registry", Grammar::HostsAndPorts), Special(storage::tenant)],
        "ScaleIOVolumeSource" => &[Given("volumeName")],
        "StorageOSVolumeSource" => &[
            Given("volumeName"),
            Given("secretRef.name"),
            Text("volumeName", Grammar::Label),
            Text("volumeNamespace", Grammar::Label),
        ],
        _ => &[],
    }
}

impl Rule {
    fn judge(&self, inspection: &mut Inspection<'_>, members: &Map<String, Value>, path: &str) {
        let is_newer = |field: &str| field.split('.').any(|name| inspection.newer.iter().any(|newer| newer == name));
        match self {
            One(fields) | AtMostOne(fields) => {
                let needs_one = matches!(self, One(_)) && !members.keys().any(|key| is_newer(key));
                one(inspection, members, (fields, needs_one), path);
            }
            Special(judge) => judge(inspection, members, path),
            Given(field)
            | Filled(field)
            | Between(field, ..)
            | Text(field, _)
            | Port(field)
            | NotNegative(field)
            | Distinct(field, _)
            | Absent(field, _) => {
                let (holder, _) = field.rsplit_once('.').unwrap_or_default();
                // What is not there needs nothing.
                let is_there = holder.is_empty() || at(members, holder).is_some();
                if is_there && !is_newer(field) {
                    self.judge_field(inspection, at(members, field), &format!("{path}.{field}"));
                }
            }
        }
    }

    fn judge_field(&self, inspection: &mut Inspection<'_>, value: Option<&Value>, path: &str) {
        match (self, value) {
            (Given(_), value) if value.is_none_or(|value| value == "") => inspection.add(path, "must be given"),
            (Filled(_), value) if value.and_then(Value::as_array).is_none_or(Vec::is_empty) => {
                inspection.add(path, "must be given, and hold something");
            }
            (Between(_, least, most), Some(value)) => between(inspection, value, (*least, *most), path),
            (Text(_, grammar), Some(Value::Array(texts))) => {
                for (index, text) in texts.iter().enumerate() {
                    inspection.text(text, *grammar, &format!("{path}[{index}]"));
                }
            }
            (Text(_, grammar), Some(text)) => inspection.text(text, *grammar, path),
            (Port(_), Some(Value::String(name))) if !Grammar::PortName.accepts(name) => {
                inspection.add(path, format!("{name:?} is no name of a port: {}", Grammar::PortName.wanted()));
            }
            (Port(_), Some(number @ Value::Number(_))) => between(inspection, number, PORTS, path),
            (NotNegative(_), Some(value)) if quantity(value).is_some_and(Quantity::is_negative) => {
                inspection.add(path, "must not be below zero");
            }
            (Distinct(_, key), Some(Value::Array(items))) => distinct(inspection, items, key, path),
            (Absent(_, instead), Some(_)) => inspection.add(path, *instead),
            _ => {}
        }
    }
}

impl Inspection<'_> {
    /// A text that is given must have this form.
    pub(super) fn text(&mut self, value: &Value, grammar: Grammar, path: &str) {
        let Value::String(text) = value else { return };
        let is_none = text.is_empty() && !matches!(grammar, Grammar::OneOf(_));
        if !is_none && !grammar.accepts(text) {
            let instead =
                if text.is_empty() { "; or leave it out".to_owned() } else { format!(", not {}", described(value)) };
            self.add(path, format!("must be {}{instead}", grammar.wanted()));
        }
    }
}

fn one(
    inspection: &mut Inspection<'_>,
    members: &Map<String, Value>,
    (fields, needs_one): (&[&str], bool),
    path: &str,
) {
    let mut given = fields.iter().filter(|field| members.get(**field).is_some_and(|value| value != ""));
    match (given.next(), given.next()) {
        (None, _) if needs_one => inspection.add(path, format!("must have one of {}", fields.join(", "))),
        (Some(first), Some(second)) => {
            inspection.add(member(path, second), format!("cannot be beside {first}; leave one of them out"));
        }
        _ => {}
    }
}

fn between(inspection: &mut Inspection<'_>, value: &Value, (least, most): (i64, i64), path: &str) {
    if value.as_i64().is_none_or(|number| (least..=most).contains(&number)) {
        return;
    }
    let bounds = match most {
        i64::MAX => format!("at least {least}"),
        0o777 => "from 0 to 0777, which is 511".to_owned(),
        _ => format!("a number from {least} to {most}"),
    };
    inspection.add(path, format!("must be {bounds}, not {value}"));
}

fn distinct(inspection: &mut Inspection<'_>, items: &[Value], key: &str, path: &str) {
    for (index, item) in items.iter().enumerate() {
        let value = item.get(key).filter(|value| *value != "");
        let is_same = |other: &Value| value.is_some() && other.get(key) == value;
        if let (Some(first), Some(value)) = (items.iter().take(index).position(is_same), value) {
            inspection.add(format!("{path}[{index}].{key}"), format!("{value} is there twice, first at [{first}]"));
        }
    }
}

/// The quantity that a text or a number stands for.
pub(super) fn quantity(value: &Value) -> Option<Quantity> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Quantity::parse(&text).ok()
}
