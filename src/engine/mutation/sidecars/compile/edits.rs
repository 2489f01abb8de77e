//! Checks the parts of a document that are no containers: volumes, edits to the pod's containers, probes, the pod itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::container::mount_makes_sense;
use super::flaws::Flaws;
use crate::engine::mutation::document::{
    AddedVolume, ContainerPatch, MountEdit, OnExisting, PodParts, ProbeRewrite as Written, VariableEdit,
};
use crate::engine::mutation::schema::Grammar;
use crate::engine::mutation::sidecars::parts::{
    Derived, Item, Kind, Mount, Patch, ProbeRewrite, Variable, VariableValue, Volume,
};

pub(super) fn volumes(
    written: &[AddedVolume],
    path: &str,
    names: &mut BTreeSet<String>,
    flaws: &mut Flaws,
) -> Vec<Volume> {
    let mut volumes = Vec::with_capacity(written.len());
    for (index, added) in written.iter().enumerate() {
        let at = format!("{path}[{index}].volume");
        let Some(name) = flaws.text(&at, &added.volume, "name") else { continue };
        flaws.name(&format!("{at}.name"), name, names);
        volumes.push(Volume {
            name: name.to_owned(),
            json: added.volume.to_string(),
            value: added.volume.clone(),
            is_safe_to_evict: added.safe_to_evict,
        });
    }
    volumes
}

pub(super) fn patch(written: &ContainerPatch, path: &str, volumes: &BTreeSet<String>, flaws: &mut Flaws) -> Patch {
    let mut names = BTreeSet::new();
    for (index, edit) in written.env.iter().enumerate() {
        variable_makes_sense(edit, &format!("{path}.env[{index}]"), &mut names, flaws);
    }
    let mut paths = BTreeSet::new();
    for (index, edit) in written.mounts.iter().enumerate() {
        let at = format!("{path}.mounts[{index}]");
        mount_makes_sense(&edit.mount, volumes, &format!("{at}.mount"), flaws);
        if !matches!(edit.on_existing, OnExisting::Keep | OnExisting::Fail) {
            flaws.add(format!("{at}.onExisting"), "must be Keep or Fail: what is mounted there is not ours to change");
        }
        if !paths.insert(Mount::of(edit).path) {
            flaws.add(format!("{at}.mount.mountPath"), "is there twice; only one thing can be mounted at a path");
        }
    }
    Patch {
        select: written.select.clone(),
        env: written.env.iter().map(variable).collect(),
        mounts: written.mounts.iter().map(|edit: &MountEdit| Mount::of(edit)).collect(),
    }
}

fn variable_makes_sense(edit: &VariableEdit, at: &str, names: &mut BTreeSet<String>, flaws: &mut Flaws) {
    if !Grammar::Variable.accepts(&edit.name) {
        let problem = format!("{:?} is no name of a variable: {}", edit.name, Grammar::Variable.wanted());
        flaws.add(format!("{at}.name"), problem);
    } else if !names.insert(edit.name.clone()) {
        flaws.add(format!("{at}.name"), format!("the variable {:?} is there twice; say once what it is", edit.name));
    }
    let given = [edit.value.is_some(), edit.value_from.is_some(), edit.from.is_some()];
    if given.iter().filter(|is_given| **is_given).count() != 1 {
        flaws.add(at, "must have one of `value`, `valueFrom` and `from`");
    }
    if edit.default.is_some() && edit.from.is_none() {
        flaws.add(format!("{at}.default"), "belongs to `from`");
    }
    if edit.on_existing == OnExisting::Append && edit.value_from.is_some() {
        flaws.add(format!("{at}.onExisting"), "only a text can be appended: write `value` or `from`");
    }
    if edit.unless_contains.is_some() && edit.on_existing != OnExisting::Append {
        flaws.add(format!("{at}.unlessContains"), "belongs to `onExisting: Append`");
    }
}

fn variable(edit: &VariableEdit) -> Variable {
    let derived = |from| Derived { name: edit.name.clone(), from, default: edit.default.clone() };
    let value = match (&edit.value_from, edit.from.clone()) {
        (Some(source), _) => VariableValue::Source(source.clone()),
        (None, Some(from)) => VariableValue::Derived(derived(from)),
        (None, None) => VariableValue::Literal(edit.value.clone().unwrap_or_default()),
    };
    Variable {
        name: edit.name.clone(),
        value,
        position: edit.position,
        on_existing: edit.on_existing,
        unless_contains: edit.unless_contains.clone(),
        separator: edit.separator.clone(),
    }
}

pub(super) fn probes(written: &Written, path: &str, items: &[Item], flaws: &mut Flaws) -> ProbeRewrite {
    match items.iter().find(|item| item.name == written.container) {
        None => flaws.add(
            format!("{path}.container"),
            format!(
                "{:?} is none of the containers that are added; name the one that answers probes",
                written.container
            ),
        ),
        Some(item) if item.kind == Kind::Init => {
            flaws.add(format!("{path}.container"), "an init container has ended when probes come; name a sidecar");
        }
        Some(item) => variable_is_free(item, written, path, flaws),
    }
    let has_places = ["{container}", "{probe}"].iter().all(|place| written.path.contains(place));
    if !has_places || !written.path.starts_with('/') {
        flaws.add(format!("{path}.path"), "must begin with `/` and hold both {container} and {probe}");
    }
    if written.port == 0 {
        flaws.add(format!("{path}.port"), "must be a number from 1 to 65535");
    }
    ProbeRewrite {
        container: written.container.clone(),
        port: written.port,
        path: written.path.clone(),
        variable: written.variable.clone(),
        kinds: written.kinds.clone(),
        handlers: written.handlers.clone(),
        containers: written.containers.clone(),
    }
}

fn variable_is_free(item: &Item, written: &Written, path: &str, flaws: &mut Flaws) {
    let literal = item.value.get("env").and_then(Value::as_array).into_iter().flatten();
    let mut names = literal
        .filter_map(|variable| variable.get("name")?.as_str())
        .chain(item.env.iter().map(|env| env.name.as_str()));
    if !Grammar::Variable.accepts(&written.variable) {
        flaws.add(format!("{path}.variable"), format!("{:?} is no name of a variable", written.variable));
    } else if names.any(|name| name == written.variable) {
        flaws.add(format!("{path}.variable"), "the container has this variable already; choose another name");
    }
}

pub(super) fn pod(written: &PodParts, path: &str, flaws: &mut Flaws) {
    if written.annotations.contains_key(crate::engine::mutation::sidecars::claim::KEY) {
        flaws.add(format!("{path}.annotations"), "this annotation is kept by Portcullis itself");
    }
}
