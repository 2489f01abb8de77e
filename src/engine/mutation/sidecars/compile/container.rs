//! Checks the containers that a document adds, completes their security contexts and renders what does not depend on a pod.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::flaws::Flaws;
use super::{order, restricted};
use crate::engine::mutation::check::is_harmless;
use crate::engine::mutation::document::{DerivedVariable, PlacementKind, Security, Sidecar, SidecarInjection};
use crate::engine::mutation::resources::SidecarResources;
use crate::engine::mutation::schema::Grammar;
use crate::engine::mutation::sidecars::parts::{Derived, Item, Kind, Port, Rights, Volume};

/// What a container's checks need to know of the rest of its document.
pub(super) struct Surroundings<'d> {
    /// Volumes that are there when the container is: added, or demanded of the pod.
    pub(super) volumes: &'d BTreeSet<String>,
    pub(super) names: &'d mut BTreeSet<String>,
    pub(super) is_init: bool,
    pub(super) document: &'d SidecarInjection,
}

/// Compiles one; with the volume of its token, if it has one. None if it is not even an object with a name.
pub(super) fn compile(
    sidecar: &Sidecar,
    path: &str,
    surroundings: &mut Surroundings<'_>,
    flaws: &mut Flaws,
) -> Option<(Item, Option<Volume>)> {
    let at = format!("{path}.container");
    let Some(mut container) = sidecar.container.as_object().cloned() else {
        flaws.add(at, "must be a container, as in a pod");
        return None;
    };
    let name = flaws.text(&at, &sidecar.container, "name")?.to_owned();
    flaws.name(&format!("{at}.name"), &name, surroundings.names);
    flaws.text(&at, &sidecar.container, "image");
    let kind = kind(sidecar, surroundings.is_init, path, flaws);
    api_rules(&container, kind, &at, flaws);
    variables(&container, &sidecar.env, path, flaws);
    mounts(&container, surroundings.volumes, &at, flaws);
    if sidecar.security == Security::Restricted {
        restricted::complete(&mut container, &at, flaws);
    }
    let token = token(sidecar, &name, &mut container, path, flaws);
    rights_make_sense(&container, &at, flaws);
    let document = surroundings.document;
    let resources = SidecarResources::compile(path, sidecar, document.safety.limit_range, document.conflicts.other);
    let resources = resources.map_err(|found| flaws.0.extend(found)).ok()?;
    container.remove("resources");
    let json = Value::Object(container.clone()).to_string();
    let item = Item {
        path: path.to_owned(),
        order: order::constraints(&sidecar.placement.order, &format!("{path}.placement.order"), flaws),
        is_harmless: is_harmless(&json),
        json,
        windows: Value::Object(for_windows(&container)).to_string(),
        env: sidecar.env.iter().map(derived).collect(),
        ports: ports(sidecar, &container, kind),
        uid: sidecar.reserves.uid,
        rights: rights(&container),
        takes_user_of_namespace: sidecar.user_of_namespace,
        resources,
        enforces_resources: sidecar.enforce_resources,
        value: Value::Object(container),
        name,
        kind,
    };
    Some((item, token))
}

fn kind(sidecar: &Sidecar, is_init: bool, path: &str, flaws: &mut Flaws) -> Kind {
    let placement = &sidecar.placement;
    if is_init {
        if placement.kind != PlacementKind::Auto {
            flaws.add(format!("{path}.placement.kind"), "an init container is one; sidecars belong in `containers`");
        }
        return Kind::Init;
    }
    let may_block_job = placement.allow_blocking_job;
    match placement.kind {
        PlacementKind::Native => Kind::Native,
        PlacementKind::Container => Kind::Container { may_block_job },
        PlacementKind::Auto => Kind::Auto { fallback: placement.fallback, may_block_job },
    }
}

/// What the API server would refuse a pod for, because of this container.
fn api_rules(container: &Map<String, Value>, kind: Kind, at: &str, flaws: &mut Flaws) {
    if container.contains_key("restartPolicy") {
        flaws.add(format!("{at}.restartPolicy"), "leave it out: it follows from `placement.kind`");
    }
    let ends = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];
    for field in ends.into_iter().filter(|field| kind == Kind::Init && container.contains_key(*field)) {
        flaws.add(format!("{at}.{field}"), "an init container has none of these, as it ends; only a sidecar may");
    }
    let policies = container.get("resizePolicy").and_then(Value::as_array).into_iter().flatten().enumerate();
    let restarts = |policy: &Value| policy.get("restartPolicy").is_some_and(|policy| policy == "RestartContainer");
    for (index, _) in policies.filter(|(_, policy)| kind == Kind::Init && restarts(policy)) {
        let problem = "must be NotRequired: an init container is not restarted when it is resized";
        flaws.add(format!("{at}.resizePolicy[{index}].restartPolicy"), problem);
    }
}

fn variables(container: &Map<String, Value>, derived: &[DerivedVariable], path: &str, flaws: &mut Flaws) {
    let mut names = BTreeSet::new();
    let literal = container.get("env").and_then(Value::as_array).into_iter().flatten();
    let literal = literal.enumerate().map(|(index, variable)| {
        (format!("{path}.container.env[{index}].name"), variable.get("name").and_then(Value::as_str).unwrap_or(""))
    });
    let derived = derived.iter().enumerate();
    let derived = derived.map(|(index, variable)| (format!("{path}.env[{index}].name"), variable.name.as_str()));
    for (at, name) in literal.chain(derived) {
        if !Grammar::Variable.accepts(name) {
            flaws.add(at, format!("{name:?} is no name of a variable: {}", Grammar::Variable.wanted()));
        } else if !names.insert(name.to_owned()) {
            flaws.add(at, format!("the variable {name:?} is there twice; say once what it is"));
        }
    }
}

fn mounts(container: &Map<String, Value>, volumes: &BTreeSet<String>, at: &str, flaws: &mut Flaws) {
    let mounts = container.get("volumeMounts").and_then(Value::as_array).into_iter().flatten();
    for (index, mount) in mounts.enumerate() {
        mount_makes_sense(mount, volumes, &format!("{at}.volumeMounts[{index}]"), flaws);
    }
}

/// A mount's volume must be there whenever the mount is, or the API server refuses the pod.
pub(super) fn mount_makes_sense(mount: &Value, volumes: &BTreeSet<String>, at: &str, flaws: &mut Flaws) {
    if let Some(volume) = flaws.text(at, mount, "name")
        && !volumes.contains(volume)
    {
        let instead = "add it to `add.volumes`, or demand it of the pod by `match.volumes`";
        flaws.add(format!("{at}.name"), format!("there need not be a volume {volume:?}: {instead}"));
    }
    if let Some(path) = flaws.text(at, mount, "mountPath")
        && path.contains(':')
    {
        flaws.add(format!("{at}.mountPath"), "must not hold a `:`");
    }
}

/// Mounts the container's token, and gives the volume that it is in.
fn token(
    sidecar: &Sidecar,
    name: &str,
    container: &mut Map<String, Value>,
    path: &str,
    flaws: &mut Flaws,
) -> Option<Volume> {
    let token = sidecar.token.as_ref()?;
    if token.expiration_seconds < 600 {
        flaws.add(format!("{path}.token.expirationSeconds"), "must be at least 600");
    }
    if !token.path.starts_with('/') {
        flaws.add(format!("{path}.token.path"), "must be the path of a directory, beginning with `/`");
    }
    let stem: String = name.chars().take(57).collect();
    let volume_name = format!("{}-token", stem.trim_end_matches('-'));
    let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
    if let Some(mounts) = mounts.as_array_mut() {
        mounts.push(json!({"mountPath": token.path, "name": volume_name, "readOnly": true}));
    }
    let source = json!({"audience": token.audience, "expirationSeconds": token.expiration_seconds, "path": "token"});
    let value = json!({"name": volume_name, "projected": {"sources": [{"serviceAccountToken": source}]}});
    Some(Volume { name: volume_name, json: value.to_string(), value, is_safe_to_evict: false })
}

/// The ports on which it listens: those that it reserves, and those that it declares. An init container has ended by then.
fn ports(sidecar: &Sidecar, container: &Map<String, Value>, kind: Kind) -> Vec<Port> {
    let reserved = sidecar.reserves.ports.iter().map(|number| Port { number: *number, protocol: None });
    let declared = container.get("ports").and_then(Value::as_array).into_iter().flatten();
    let declared = declared.filter(|_| kind != Kind::Init).filter_map(|port| {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_owned();
        Some(Port { number: port.get("containerPort")?.as_u64()?.try_into().ok()?, protocol: Some(protocol) })
    });
    let mut ports: Vec<Port> = reserved.collect();
    for port in declared.collect::<Vec<_>>() {
        if !ports.iter().any(|other| other.meets(&port)) {
            ports.push(port);
        }
    }
    ports
}

fn rights(container: &Map<String, Value>) -> Rights {
    let context = container.get("securityContext");
    let field = |name: &str| context.and_then(|context| context.get(name));
    let added = field("capabilities").and_then(|capabilities| capabilities.get("add")).and_then(Value::as_array);
    Rights {
        user: field("runAsUser").and_then(Value::as_i64),
        non_root: field("runAsNonRoot").and_then(Value::as_bool),
        adds_capabilities: added.is_some_and(|added| !added.is_empty()),
    }
}

fn rights_make_sense(container: &Map<String, Value>, at: &str, flaws: &mut Flaws) {
    let rights = rights(container);
    if rights.user == Some(0) && rights.non_root == Some(true) {
        flaws.add(format!("{at}.securityContext.runAsUser"), "0 is root, which `runAsNonRoot: true` forbids");
    }
    let field = |name: &str| container.get("securityContext").and_then(|context| context.get(name));
    let is_privileged = field("privileged") == Some(&json!(true));
    if is_privileged && field("allowPrivilegeEscalation") == Some(&json!(false)) {
        let problem = "cannot be false where `privileged` is true";
        flaws.add(format!("{at}.securityContext.allowPrivilegeEscalation"), problem);
    }
}

fn for_windows(container: &Map<String, Value>) -> Map<String, Value> {
    let mut container = container.clone();
    if let Some(context) = container.get_mut("securityContext").and_then(Value::as_object_mut) {
        context.retain(|field, _| !restricted::LINUX_ONLY.contains(&field.as_str()) && field != restricted::LINUX_USER);
    }
    container
}

fn derived(variable: &DerivedVariable) -> Derived {
    Derived { name: variable.name.clone(), from: variable.from.clone(), default: variable.default.clone() }
}
