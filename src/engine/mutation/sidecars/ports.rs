//! Ports that sidecars listen on: the API allows two containers of a pod to listen on one port, and the second crashes.

use std::fmt;

use super::super::document::{OnConflict, PortConflict};
use super::super::others;
use super::super::plan::{Conflict, Reason};
use super::super::selection::containers;
use super::super::tree::Node;
use super::environment::as_expanded;
use super::parts::Port;
use super::probes::action;
use super::work::Work;

const HANDLERS: [&[&str]; 5] = [
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "postStart"],
    &["lifecycle", "preStop"],
];

/// Whose port it is.
enum Holder {
    /// Who says so.
    Text(String),
    /// A container that is known to, by its name: it is held only against ports that a document reserves.
    Name(String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Name(name) => write!(f, "container {name:?}"),
        }
    }
}

impl Work<'_, '_> {
    /// Holds our ports against those in use, and moves them if the document wants that.
    pub(super) fn choose_ports(&mut self) -> Result<(), Conflict> {
        let ours = self.parts.ports();
        let used = if ours.is_empty() { Vec::new() } else { self.used_ports() };
        for (port, container) in &ours {
            let mut chosen = port.number;
            let is_known = |holder: &Holder| port.protocol.is_some() && matches!(holder, Holder::Name(_));
            if let Some((_, holder)) = used.iter().find(|(used, holder)| used.meets(port) && !is_known(holder)) {
                let about = format!("port {chosen} of container {container:?}, used by {holder}");
                let how = match self.injection.conflicts.port {
                    PortConflict::Deny => OnConflict::Deny,
                    PortConflict::Skip => OnConflict::Skip,
                    PortConflict::Warn | PortConflict::Remap => OnConflict::Warn,
                };
                let is_free = |number: &u16| {
                    let is = |other: &u16| other == number;
                    !used.iter().any(|(used, _)| is(&used.number))
                        && !ours.iter().any(|(ours, _)| is(&ours.number))
                        && !self.ports.values().any(is)
                };
                match (chosen..=u16::MAX).skip(1).find(is_free) {
                    Some(free) if self.injection.conflicts.port == PortConflict::Remap => {
                        self.ports.insert(chosen, free);
                        chosen = free;
                    }
                    _ => self.conflict(how, Reason::PortTaken, about)?,
                }
            }
            self.reserved.ports.insert(chosen, format!("container {container:?}"));
        }
        Ok(())
    }

    /// Every port that the pod's own containers are known to listen on, or that another document has; with its holder.
    fn used_ports(&self) -> Vec<(Port, Holder)> {
        let of_anything = |(number, holder): (&u16, &String)| {
            (Port { number: *number, protocol: None }, Holder::Text(holder.clone()))
        };
        let mut used: Vec<(Port, Holder)> = self.plan.reserved.ports.iter().map(of_anything).collect();
        for (_, _, container) in self.foreign() {
            let name = container.string_at("name").unwrap_or_default();
            for port in container.list("ports") {
                let protocol = port.string_at("protocol").unwrap_or("TCP".into()).into_owned();
                for number in ["containerPort", "hostPort"].into_iter().filter_map(|field| number(port.get(field))) {
                    used.push((
                        Port { number, protocol: Some(protocol.clone()) },
                        Holder::Text(format!("container {name:?}")),
                    ));
                }
            }
            let tcp = |number| Port { number, protocol: Some("TCP".to_owned()) };
            used.extend(others::ports(&name).iter().map(|port| (tcp(*port), Holder::Name(name.clone().into_owned()))));
            for handler in HANDLERS.iter().filter_map(|path| container.at(path)) {
                if let Some(number) = self.probed_port(&name, handler) {
                    used.push((tcp(number), Holder::Text(format!("a probe of container {name:?}"))));
                }
            }
        }
        used
    }

    /// The numeric port that a probe asks. One that a document of ours has rewritten still asks, through the sidecar, the port that it
    /// asked before.
    fn probed_port(&self, container: &str, handler: &Node<'_>) -> Option<u16> {
        let (kind, asked) = action(handler)?;
        let path = asked.string_at("path").filter(|_| kind == "httpGet");
        match path.and_then(|path| self.original_at(&path)) {
            Some(original) => number(action(&Node::new(original))?.1.get("port")),
            None if self.is_rewritten(container, kind, asked) => None,
            None => number(asked.get("port")),
        }
    }

    /// What a probe with this path was, as a variable of one of our containers says, whichever document's.
    fn original_at(&self, path: &str) -> Option<String> {
        if let Some((_, original)) = self.known_originals().into_iter().find(|(known, _)| known == path) {
            return Some(original);
        }
        let is_ours = |container: &&Node<'_>| container.string_at("name").is_some_and(|name| self.plan.is_ours(&name));
        let ours = containers(&self.plan.pod).filter(is_ours);
        let values =
            ours.flat_map(|container| container.list("env")).filter_map(|variable| variable.string_at("value"));
        let mut originals = values.filter(|value| value.starts_with('{')).map(|value| as_expanded(&value));
        originals.find_map(|text| Some(Node::new(text).get(path)?.to_json().into_owned()))
    }
}

/// A port may be written as a number in quotes, where it may be a name, too.
fn number(node: Option<&Node<'_>>) -> Option<u16> {
    let node = node?;
    let number = node.integer().or_else(|| node.string()?.parse().ok())?;
    u16::try_from(number).ok().filter(|number| *number != 0)
}
