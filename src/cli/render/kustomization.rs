//! Puts the base and components together as kustomize does, as far as our own files make use of it.
//!
//! Kept true: what is not understood is an error, never left out.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::embedded::FILES;
use super::patch::{Operation, apply};
use crate::manifest::{Documents, parse};

/// A kustomization or a component.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Kustomization {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    components: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    patches: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    path: String,
    target: Option<Target>,
}

/// Which objects a patch changes; by kind alone, or by kind and name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    kind: String,
    name: Option<String>,
}

impl Target {
    fn is(&self, object: &Value) -> bool {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        object.get("kind").and_then(Value::as_str) == Some(&self.kind)
            && self.name.as_deref().is_none_or(|wanted| name == Some(wanted))
    }
}

/// The objects of the base, changed by these components in their order.
pub(super) fn assemble(components: &[&str]) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    add("base", &mut objects)?;
    for component in components {
        add(&format!("components/{component}"), &mut objects)?;
    }
    Ok(objects)
}

/// As kustomize: resources first, then components, then patches.
fn add(folder: &str, objects: &mut Vec<Value>) -> Result<()> {
    let [kustomization] = <[Value; 1]>::try_from(documents(&format!("{folder}/kustomization.yaml"))?)
        .ok()
        .with_context(|| format!("{folder}/kustomization.yaml is not one document"))?;
    let kustomization: Kustomization = serde_json::from_value(kustomization).context(folder.to_owned())?;
    for file in &kustomization.resources {
        objects.extend(documents(&format!("{folder}/{file}"))?);
    }
    for component in &kustomization.components {
        let name = component.strip_prefix("../").with_context(|| format!("{component} is not beside {folder}"))?;
        add(&format!("components/{name}"), objects)?;
    }
    for patch in kustomization.patches {
        let path = format!("{folder}/{}", patch.path);
        change(objects, patch.target, &path).context(path)?;
    }
    Ok(())
}

fn change(objects: &mut Vec<Value>, target: Option<Target>, path: &str) -> Result<()> {
    let mut patches = documents(path)?;
    let patch = patches.pop().filter(|_| patches.is_empty()).context("not one document")?;
    let Some(target) = target else { return delete(objects, &patch) };
    let operations: Vec<Operation> = serde_json::from_value(patch)?;
    let mut targets = objects.iter_mut().filter(|object| target.is(object)).peekable();
    ensure!(targets.peek().is_some(), "no object is a {}", target.kind);
    for object in targets {
        for operation in &operations {
            apply(object, operation)?;
        }
    }
    Ok(())
}

/// The one patch without a target that is understood: the object itself, marked as to be deleted.
fn delete(objects: &mut Vec<Value>, patch: &Value) -> Result<()> {
    ensure!(patch.get("$patch").and_then(Value::as_str) == Some("delete"), "a patch without a target can only delete");
    let text = |pointer| patch.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let target = Target { kind: text("/kind").context("no kind")?, name: text("/metadata/name") };
    let before = objects.len();
    objects.retain(|object| !target.is(object));
    ensure!(objects.len() + 1 == before, "not one object is a {} of this name", target.kind);
    Ok(())
}

/// The documents of an embedded file.
fn documents(path: &str) -> Result<Vec<Value>> {
    let Some((_, text)) = FILES.iter().find(|(name, _)| *name == path) else { bail!("{path} is not embedded") };
    let mut found = Vec::new();
    for document in Documents::new(text.as_bytes()) {
        let node = parse(&document.with_context(|| path.to_owned())?).with_context(|| path.to_owned())?;
        if !node.is_null() {
            found.push(serde_json::from_str(&node.to_json()).with_context(|| path.to_owned())?);
        }
    }
    Ok(found)
}
