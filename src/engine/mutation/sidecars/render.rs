//! A container as this pod is to have it.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::super::document::OverrideTarget;
use super::super::plan::Conflict;
use super::super::resources::{ContainerPlace, for_sidecar};
use super::super::tree::Node;
use super::super::written::quoted;
use super::environment::literally;
use super::grown::own_amounts;
use super::parts::{Item, Kind};
use super::work::{List, Work};
use crate::engine::object::Quantity;

/// The annotation of a namespace that says which users its pods may run as, by OpenShift's security context constraints.
pub(super) const UID_RANGE: &str = "openshift.io/sa.scc.uid-range";

impl<'a> Work<'a, '_> {
    /// Renders an item, without resources that follow from the pod's.
    pub(super) fn render(&self, item: &'a Item, list: List) -> Node<'a> {
        let is_as_compiled = self.ports.is_empty() && self.volumes.is_empty() && !self.is_on_host_network;
        let text = if self.is_windows { &item.windows } else { &item.json };
        let mut node = Node::new(if is_as_compiled { Cow::Borrowed(text.as_str()) } else { self.adapted(text).into() });
        if list == List::Init && item.kind != Kind::Init {
            node.set("restartPolicy", r#""Always""#);
        }
        self.render_overrides(item, &mut node);
        self.render_variables(item, &mut node);
        if item.takes_user_of_namespace && !self.is_windows {
            self.render_user(&mut node);
        }
        node
    }

    fn render_overrides(&self, item: &Item, node: &mut Node<'a>) {
        for chosen in self.overrides.iter().filter(|chosen| chosen.container == item.name) {
            let value = quoted(&chosen.value);
            match chosen.target {
                OverrideTarget::Image => drop(node.set("image", value)),
                OverrideTarget::Request(_) | OverrideTarget::Limit(_) => {}
                OverrideTarget::Env(name) => set_variable(node, name, value),
            }
        }
    }

    fn render_variables(&self, item: &Item, node: &mut Node<'a>) {
        let derived = item.env.iter().filter_map(|derived| Some((derived.name.as_str(), self.derive(derived)?)));
        for (index, (name, value)) in derived.enumerate() {
            if let Some(env) = node.member("env") {
                env.insert(index, variable(name, &value));
            }
        }
        let rule = self.parts.probes.as_ref().filter(|rule| rule.container == item.name);
        if let (Some(rule), Some(probes)) = (rule, &self.probes)
            && let Some(env) = node.member("env")
        {
            env.push(variable(&rule.variable, &literally(probes)));
        }
    }

    /// The first user of the namespace's range, which is written `first/length` or `first-last`.
    pub(super) fn user_of_namespace(&self) -> Option<i64> {
        let range = self.plan.world.namespace_annotations.get(UID_RANGE)?;
        range.split(['/', '-']).next()?.trim().parse().ok()
    }

    fn render_user(&self, node: &mut Node<'a>) {
        if let Some(first) = self.user_of_namespace() {
            set_within(node, &["securityContext"], "runAsUser", first.to_string());
        }
    }

    /// With the ports, volumes and host network of this pod.
    fn adapted(&self, text: &str) -> String {
        let mut value: Value = serde_json::from_str(text).unwrap_or_default();
        if let Some(container) = value.as_object_mut() {
            if self.is_on_host_network {
                number_ports(container);
                container.remove("ports");
            }
            self.rename_mounts(container);
            self.move_ports(container);
        }
        value.to_string()
    }

    fn rename_mounts(&self, container: &mut Map<String, Value>) {
        for list in ["volumeMounts", "volumeDevices"] {
            for mount in container.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                let name = mount.get("name").and_then(Value::as_str).unwrap_or_default();
                let name = self.volume_name(name).to_owned();
                mount["name"] = json!(name);
            }
        }
    }

    fn move_ports(&self, container: &mut Map<String, Value>) {
        for (from, to) in &self.ports {
            let (from_text, end) = (from.to_string(), format!(":{from}"));
            for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                if port.get("containerPort") == Some(&json!(from)) {
                    port["containerPort"] = json!(to);
                }
            }
            for action in actions(container) {
                if action.get("port") == Some(&json!(from)) {
                    action.insert("port".to_owned(), json!(to));
                }
            }
            for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
                let value = variable.get("value").and_then(Value::as_str).unwrap_or_default();
                if value == from_text {
                    variable["value"] = json!(to.to_string());
                } else if let Some(host) = value.strip_suffix(&end) {
                    variable["value"] = json!(format!("{host}:{to}"));
                }
            }
        }
    }

    /// Reckons the resources that the item has in this place of its list, as JSON.
    pub(super) fn resources(&mut self, item: &Item, list: List, index: usize) -> Result<Option<String>, Conflict> {
        let mut resources = Cow::Borrowed(&item.resources);
        let ours = || self.overrides.iter().filter(|chosen| chosen.container == item.name);
        // A limit brings down what the document requests, and never what the pod itself does.
        for chosen in ours() {
            if let (OverrideTarget::Limit(name), Ok(amount)) = (chosen.target, Quantity::parse(&chosen.value)) {
                resources = Cow::Owned(resources.into_owned().with_limit(name, amount));
            }
        }
        for chosen in ours() {
            if let (OverrideTarget::Request(name), Ok(amount)) = (chosen.target, Quantity::parse(&chosen.value)) {
                resources = Cow::Owned(resources.into_owned().with_request(name, amount));
            }
        }
        let place = match (list, item.kind) {
            (List::Plain, _) => ContainerPlace::Container,
            (List::Init, Kind::Init) => ContainerPlace::Init { index },
            (List::Init, _) => ContainerPlace::Native { index },
        };
        let before = own_amounts(&self.plan.pod);
        let reckoned = for_sidecar(self.plan, &self.injection.title, &resources, place)?;
        self.record_growth(&before);
        Ok(reckoned)
    }
}

fn variable(name: &str, value: &str) -> String {
    format!(r#"{{"name":{},"value":{}}}"#, quoted(name), quoted(value))
}

fn set_within<'a>(node: &mut Node<'a>, path: &[&str], key: &'a str, value: String) {
    if let Some(object) = node.within(path) {
        object.set(key, value);
    }
}

/// Gives a variable this JSON for a value, in its place or after all others.
fn set_variable(node: &mut Node<'_>, name: &str, value: String) {
    let Some(env) = node.member("env") else { return };
    let place = env.items().position(|variable| variable.string_at("name").is_some_and(|found| found == name));
    match place.and_then(|place| env.item(place)) {
        Some(variable) => drop(variable.set("value", value)),
        None => drop(env.push(format!(r#"{{"name":{},"value":{value}}}"#, quoted(name)))),
    }
}

/// The actions of a container's probes and hooks.
fn actions(container: &mut Map<String, Value>) -> Vec<&mut Map<String, Value>> {
    let mut found = Vec::new();
    for (field, value) in container.iter_mut() {
        let handlers: Vec<&mut Value> = match field.as_str() {
            "livenessProbe" | "readinessProbe" | "startupProbe" => vec![value],
            "lifecycle" => value.as_object_mut().into_iter().flat_map(Map::values_mut).collect(),
            _ => continue,
        };
        let actions = handlers.into_iter().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
        found.extend(actions.filter_map(Value::as_object_mut).filter(|action| action.contains_key("port")));
    }
    found
}

/// Puts numbers for the names of ports, which are about to be left out: on the host's network they would be the node's.
fn number_ports(container: &mut Map<String, Value>) {
    let ports = container.get("ports").and_then(Value::as_array).cloned().unwrap_or_default();
    for action in actions(container) {
        let number = ports.iter().find(|port| port.get("name").is_some() && port.get("name") == action.get("port"));
        if let Some(number) = number.and_then(|port| port.get("containerPort")) {
            action.insert("port".to_owned(), number.clone());
        }
    }
}
