//! Sends the kubelet's probes and hooks through a sidecar, and remembers in a variable of that sidecar what they were.
//!
//! Every probe gets a path of its own, so that none is taken for another; timeouts and thresholds stay. A probe that was rewritten
//! in an earlier pass is known by its path and by what the variable says of it, and stays as it is. So does one that another injector
//! or another document has rewritten: two that rewrite each other's probes end up asking each other.

use super::super::document::{HandlerKind, HandlerName};
use super::super::others::{is_meant, is_of_another};
use super::super::plan::{Reason, Weight};
use super::super::selection;
use super::super::tree::Node;
use super::super::written::quoted;
use super::environment::as_expanded;
use super::parts::ProbeRewrite;
use super::work::{List, Work};

/// One probe that is to be rewritten.
struct Rewrite {
    list: List,
    index: usize,
    handler: HandlerName,
    kind: &'static str,
    path: String,
}

impl Work<'_, '_> {
    pub(super) fn rewrite_probes(&mut self) {
        let parts = self.parts;
        let Some(rule) = &parts.probes else { return };
        let known = self.known_originals();
        let mut originals: Vec<(String, String)> = Vec::new();
        let mut rewrites = Vec::new();
        let mut lost = Vec::new();
        let mut left = Vec::new();
        let port = self.ports.get(&rule.port).copied().unwrap_or(rule.port);
        let first_answered = self.first_answered(rule);
        for (list, index, container) in self.foreign().filter(|(list, _, container)| rule.is_for(*list, container)) {
            let name = container.string_at("name").unwrap_or_default();
            for handler in &rule.handlers {
                let Some((kind, action)) = container.at(place(*handler)).and_then(action) else { continue };
                let path = rule.path_for(&name, *handler);
                let former = action.string_at("path").filter(|_| kind == "httpGet");
                let former = former.and_then(|path| known.iter().find(|(known, _)| *known == path));
                let about = || format!("{} of container {name:?}", word(*handler));
                let original = match former {
                    Some((_, original)) => original.clone(),
                    // Of two documents that write the same paths, the second would take the first one's for its own.
                    None if self.is_answered(action) => {
                        if rule.is_about(*handler, kind) {
                            // Whoever answers it may be asking us in turn.
                            originals.extend(known.iter().find(|(known, _)| *known == path).cloned());
                            left.push((Reason::ProbeOfAnother, about()));
                        }
                        continue;
                    }
                    None if self.is_orphan(&name, *handler, kind, action) => {
                        lost.push((list, index, *handler));
                        left.push((Reason::ProbeLost, about()));
                        continue;
                    }
                    None if !rule.is_about(*handler, kind) => continue,
                    None if list == List::Init && index < first_answered && holds_up(*handler) => {
                        left.push((Reason::ProbeTooEarly, about()));
                        continue;
                    }
                    None => match original(container, *handler, kind, action) {
                        Some(original) => original,
                        None => {
                            left.push((Reason::NamedPortMissing, about()));
                            continue;
                        }
                    },
                };
                let is_done = former.is_some_and(|(known, _)| *known == path) && has_port(action, port);
                if !is_done {
                    rewrites.push(Rewrite { list, index, handler: *handler, kind, path: path.clone() });
                }
                originals.push((path, original));
            }
        }
        for rewrite in rewrites {
            self.rewrite(&rewrite, port);
        }
        for (list, index, handler) in lost {
            if let Some(container) = self.list(list).and_then(|list| list.item(index)) {
                remove_handler(container, place(handler));
            }
        }
        for (reason, about) in left {
            self.note(reason, Weight::Warning, about);
        }
        if !originals.is_empty() {
            let members: Vec<_> = originals.iter().map(|(path, json)| format!("{}:{json}", quoted(path))).collect();
            self.probes = Some(format!("{{{}}}", members.join(",")));
        }
    }

    /// The first init container that starts after the sidecar that answers; those before it start before it, too.
    fn first_answered(&self, rule: &ProbeRewrite) -> usize {
        let answering =
            self.items().into_iter().find(|(item, list)| item.name == rule.container && *list == List::Init);
        let Some((item, list)) = answering else { return usize::MAX };
        let now = self.place_of(list, &item.name);
        match (now, self.places(item, list)) {
            (Some(now), Some(places)) if !places.hold(now) => places.best,
            (Some(now), _) => now,
            (None, places) => places.map_or(usize::MAX, |places| places.best),
        }
    }

    fn rewrite(&mut self, rewrite: &Rewrite, port: u16) {
        let Some(container) = self.list(rewrite.list).and_then(|list| list.item(rewrite.index)) else { return };
        let Some(handler) = container.within(place(rewrite.handler)) else { return };
        if rewrite.kind != "httpGet" {
            handler.remove(rewrite.kind);
        }
        handler.set("httpGet", format!(r#"{{"path":{},"port":{port}}}"#, quoted(&rewrite.path)));
    }

    /// What the sidecar's variable says that probes were, by path; in any revision's way.
    pub(super) fn known_originals(&self) -> Vec<(String, String)> {
        let rules = self.injection.revisions.iter().filter_map(|revision| revision.parts.probes.as_ref());
        rules.flat_map(|rule| rule.originals(&self.plan.pod)).collect()
    }

    /// Whether a probe of this container is one that we rewrote.
    pub(super) fn is_rewritten(&self, container: &str, kind: &str, action: &Node<'_>) -> bool {
        let path = action.string_at("path").filter(|_| kind == "httpGet");
        let is_known = |path: &str| self.known_originals().iter().any(|(known, _)| known == path);
        let handlers = [HandlerName::LivenessProbe, HandlerName::ReadinessProbe, HandlerName::StartupProbe];
        let handlers = handlers.into_iter().chain([HandlerName::PostStart, HandlerName::PreStop]);
        path.is_some_and(|path| is_known(&path))
            || handlers.into_iter().any(|handler| self.is_orphan(container, handler, kind, action))
    }

    /// Whether a probe is one that we rewrote in the pod that this one is a copy of.
    fn is_orphan(&self, container: &str, handler: HandlerName, kind: &str, action: &Node<'_>) -> bool {
        let is_copy = !self.claim.digest.is_empty();
        let mut rules = self.injection.revisions.iter().filter_map(|revision| revision.parts.probes.as_ref());
        rules.any(|rule| rule.has_rewritten(container, handler, (kind, action), is_copy))
    }

    /// Whether a container of somebody else is told by its variables that it has to answer this probe: by the probe's path, as istio's
    /// and those of our other documents are, or by its port, as kuma's is.
    pub(super) fn is_answered(&self, action: &Node<'_>) -> bool {
        // As a key: the same text may be the path of another probe.
        let path = action.string_at("path").map(|path| format!("{}:", quoted(&path)));
        let names_path = |value: &str| value.starts_with('{') && path.as_ref().is_some_and(|path| value.contains(path));
        let port = action.get("port").and_then(Node::integer).map(|port| port.to_string());
        let names_port = |value: &str| port.as_ref().is_some_and(|port| port == value);
        selection::containers(&self.plan.pod).any(|container| {
            let name = container.string_at("name").unwrap_or_default();
            let is_of_document = self.plan.is_ours(&name) && self.parts.item(&name).is_none();
            let is_of_another = is_of_another(&name);
            container.list("env").any(|variable| {
                let value = variable.string_at("value").unwrap_or_default();
                let is_about_probes = variable.string_at("name").is_some_and(|name| name.contains("PROBE"));
                (is_of_document && names_path(&value))
                    || (is_of_another && is_about_probes && (names_path(&value) || names_port(&value)))
            })
        })
    }
}

impl ProbeRewrite {
    /// What the variable of the sidecar in this pod says, if both are there.
    pub(super) fn originals(&self, pod: &Node<'_>) -> Vec<(String, String)> {
        let Some(spec) = pod.get("spec") else { return Vec::new() };
        let containers = List::BOTH.into_iter().flat_map(|list| spec.list(list.field()));
        let mut sidecars = containers.filter(|container| is(container, "name", &self.container));
        let variable = sidecars.find_map(|container| container.list("env").find(|env| is(env, "name", &self.variable)));
        let text = variable.and_then(|variable| variable.string_at("value")).unwrap_or_default();
        let text = as_expanded(&text);
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            return Vec::new();
        }
        let node = Node::new(text);
        node.members().map(|(path, original)| (path.to_owned(), original.to_json().into_owned())).collect()
    }

    /// Whether a probe looks as this rule leaves it. `is_copy` says whether the pod claims that the rule was applied to it: another one
    /// may have a probe of its own with this path, though not on this port.
    pub(super) fn has_rewritten(
        &self,
        container: &str,
        handler: HandlerName,
        (kind, action): (&str, &Node<'_>),
        is_copy: bool,
    ) -> bool {
        kind == "httpGet"
            && is(action, "path", &self.path_for(container, handler))
            && (is_copy || has_port(action, self.port))
    }

    fn is_for(&self, list: List, container: &Node<'_>) -> bool {
        let name = container.string_at("name").unwrap_or_default();
        let may_have_probes = list == List::Plain || is(container, "restartPolicy", "Always");
        may_have_probes && is_meant(&self.containers, &name)
    }

    fn is_about(&self, handler: HandlerName, kind: &str) -> bool {
        let is_hook = matches!(handler, HandlerName::PostStart | HandlerName::PreStop);
        match kind {
            "httpGet" => self.kinds.contains(&HandlerKind::HttpGet),
            // The kubelet carries out no other hooks.
            "tcpSocket" => !is_hook && self.kinds.contains(&HandlerKind::TcpSocket),
            _ => !is_hook && self.kinds.contains(&HandlerKind::Grpc),
        }
    }

    pub(super) fn path_for(&self, container: &str, handler: HandlerName) -> String {
        self.path.replace("{container}", container).replace("{probe}", word(handler))
    }
}

fn is(object: &Node<'_>, key: &str, text: &str) -> bool {
    object.string_at(key).is_some_and(|found| found == text)
}

/// Where a handler is in its container.
pub(super) fn place(handler: HandlerName) -> &'static [&'static str] {
    match handler {
        HandlerName::LivenessProbe => &["livenessProbe"],
        HandlerName::ReadinessProbe => &["readinessProbe"],
        HandlerName::StartupProbe => &["startupProbe"],
        HandlerName::PostStart => &["lifecycle", "postStart"],
        HandlerName::PreStop => &["lifecycle", "preStop"],
    }
}

/// Whether the next init container is not started before it has succeeded.
fn holds_up(handler: HandlerName) -> bool {
    matches!(handler, HandlerName::StartupProbe | HandlerName::PostStart)
}

/// What stands in the path for it.
pub(super) fn word(handler: HandlerName) -> &'static str {
    place(handler).last().copied().unwrap_or_default()
}

/// What a handler does, if it is one of the kinds that can be rewritten.
pub(super) fn action<'n, 'a>(handler: &'n Node<'a>) -> Option<(&'static str, &'n Node<'a>)> {
    ["httpGet", "tcpSocket", "grpc"].into_iter().find_map(|kind| Some((kind, handler.get(kind)?)))
}

pub(super) fn remove_handler(container: &mut Node<'_>, place: &[&str]) {
    let Some((last, before)) = place.split_last() else { return };
    if let Some(parent) = container.within(before) {
        parent.remove(last);
    }
}

fn has_port(action: &Node<'_>, port: u16) -> bool {
    action.get("port").and_then(Node::integer) == Some(i64::from(port))
}

/// What the handler is, as JSON: to the letter, with the number of a named port and the timeout beside it. None if no port of the
/// container has the name.
fn original(container: &Node<'_>, handler: HandlerName, kind: &str, action: &Node<'_>) -> Option<String> {
    let port = action.get("port");
    let number = match port.and_then(Node::string) {
        Some(name) => Some(named_port(container, &name)?),
        None => None,
    };
    let mut json = format!("{{{}:{}", quoted(kind), action.to_json());
    if let Some(number) = number {
        json.push_str(&format!(r#","port":{number}"#));
    }
    let timeout = container.at(place(handler)).and_then(|probe| probe.get("timeoutSeconds")).and_then(Node::integer);
    if let Some(timeout) = timeout {
        json.push_str(&format!(r#","timeoutSeconds":{timeout}"#));
    }
    json.push('}');
    Some(json)
}

fn named_port(container: &Node<'_>, name: &str) -> Option<i64> {
    // A port may be written as a number in quotes.
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    container.list("ports").find(|port| is(port, "name", name))?.get("containerPort")?.integer()
}
