//! What roles grant and what the audit log says was asked, in the same terms.

use crate::harness::AuditLog;
use crate::stage::Objects;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{collections::BTreeSet, fmt};

/// Something that may be done, or was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    pub verb: String,
    /// With its group, and a subresource: `pods`, `events.events.k8s.io`, `pods/status`. A path where it is no resource: `/version`.
    pub resource: String,
    /// None: in all of them, and of objects that are in none.
    namespace: Option<String>,
    /// None: of any name.
    name: Option<String>,
}

impl Right {
    /// Whether who has this right may do that.
    pub fn covers(&self, request: &Self) -> bool {
        let limits = |granted: &Option<String>, asked: &Option<String>| granted.is_none() || granted == asked;
        self.verb == request.verb
            && self.resource == request.resource
            && limits(&self.namespace, &request.namespace)
            && limits(&self.name, &request.name)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = || "*".to_owned();
        let (namespace, name) = (self.namespace.clone().unwrap_or_else(any), self.name.clone().unwrap_or_else(any));
        write!(to, "{} {} {namespace}/{name}", self.verb, self.resource)
    }
}

/// What the roles among these objects grant, one by one.
pub fn granted(objects: &Objects) -> Result<BTreeSet<Right>> {
    let mut granted = BTreeSet::new();
    for object in objects.values().filter(|object| object["kind"] == "Role" || object["kind"] == "ClusterRole") {
        let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
        for rule in object["rules"].as_array().context("no rules")? {
            let texts = |key: &str| texts(&rule[key]);
            let names = match texts("resourceNames").as_slice() {
                [] => vec![None],
                names => names.iter().cloned().map(Some).collect(),
            };
            for path in texts("nonResourceURLs") {
                let right = |verb| Right { verb, resource: path.clone(), namespace: None, name: None };
                granted.extend(texts("verbs").into_iter().map(right));
            }
            for group in texts("apiGroups") {
                for resource in texts("resources") {
                    for verb in texts("verbs") {
                        ensure!(
                            [&group, &resource, &verb].iter().all(|text| !text.contains('*')),
                            "everything: {rule}"
                        );
                        let resource = in_group(&resource, &group);
                        let right = |name: &Option<String>| Right {
                            verb: verb.clone(),
                            resource: resource.clone(),
                            namespace: namespace.clone(),
                            name: name.clone(),
                        };
                        granted.extend(names.iter().map(right));
                    }
                }
            }
        }
    }
    ensure!(granted.len() > 5, "the roles are read wrong: {granted:?}");
    Ok(granted)
}

/// What the service accounts of this namespace have asked so far; a refusal is an error.
pub fn asked(log: &AuditLog, namespace: &str) -> Result<BTreeSet<Right>> {
    let user = format!("system:serviceaccount:{namespace}:");
    let mut asked = BTreeSet::new();
    for event in log.events()? {
        if !event["user"]["username"].as_str().is_some_and(|name| name.starts_with(&user)) {
            continue;
        }
        let code = event["responseStatus"]["code"].as_u64().unwrap_or_default();
        ensure!(code != 401 && code != 403, "refused: {event}");
        let target = &event["objectRef"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if target.is_null() {
            let resource = text(&event["requestURI"]).context("no path")?;
            asked.insert(Right {
                verb: text(&event["verb"]).context("no verb")?,
                resource,
                namespace: None,
                name: None,
            });
            continue;
        }
        let resource = text(&target["resource"]).with_context(|| format!("asked for no resource: {event}"))?;
        let group = text(&target["apiGroup"]).unwrap_or_default();
        let resource = match target["subresource"].as_str() {
            Some(subresource) => format!("{}/{subresource}", in_group(&resource, &group)),
            None => in_group(&resource, &group),
        };
        let verb = text(&event["verb"]).context("no verb")?;
        let right = Right { verb, resource, namespace: text(&target["namespace"]), name: text(&target["name"]) };
        // Applying what is not there asks for the right to create it as well, by its name.
        if right.verb == "patch" && code == 201 {
            asked.insert(Right { verb: "create".to_owned(), ..right.clone() });
        }
        asked.insert(right);
    }
    Ok(asked)
}

fn in_group(resource: &str, group: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
