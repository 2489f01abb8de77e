//! Edits to containers that are there: variables and mounts, each with a declared outcome where something is there already.

use super::super::document::{OnExisting, Position};
use super::super::others::is_meant;
use super::super::plan::{Conflict, Reason, Weight};
use super::super::tree::Node;
use super::super::written::quoted;
use super::claim::Part;
use super::environment::{is_same_variable, place_of, set_variable};
use super::obstacle::obstacle;
use super::parts::{Mount, Patch, Variable, VariableValue, normalised};
use super::revision::Revision;
use super::work::{List, Work};

/// A container that is edited.
struct Target {
    list: List,
    index: usize,
    name: String,
}

impl<'a> Work<'a, '_> {
    pub(super) fn patch_containers(&mut self) -> Result<(), Conflict> {
        let parts = self.parts;
        for patch in &parts.patches {
            for target in self.targets(patch) {
                let mut first = 0;
                for variable in &patch.env {
                    self.edit_variable(&target, variable, &mut first)?;
                }
                for mount in &patch.mounts {
                    self.edit_mount(&target, mount)?;
                }
            }
        }
        Ok(())
    }

    fn targets(&self, patch: &Patch) -> Vec<Target> {
        let Some(spec) = self.plan.pod.get("spec") else { return Vec::new() };
        let select = &patch.select;
        let mut targets = Vec::new();
        for list in List::BOTH.into_iter().filter(|list| *list == List::Plain || select.init_containers) {
            for (index, container) in spec.list(list.field()).enumerate() {
                let name = container.string_at("name").unwrap_or_default().into_owned();
                let is_ours = self.plan.is_ours(&name);
                let is_selected =
                    if is_ours { select.injected && select.names.has(&name) } else { is_meant(&select.names, &name) };
                if is_selected {
                    targets.push(Target { list, index, name });
                }
            }
        }
        targets
    }

    fn container(&mut self, target: &Target) -> Option<&mut Node<'a>> {
        self.list(target.list)?.item(target.index)
    }

    /// `first` counts the variables at the beginning that are ours.
    fn edit_variable(&mut self, target: &Target, edit: &Variable, first: &mut usize) -> Result<(), Conflict> {
        let Some(wanted) = self.variable(edit) else { return Ok(()) };
        let (is_replaced, is_appended) =
            (edit.on_existing == OnExisting::Replace, edit.on_existing == OnExisting::Append);
        let part = match (is_replaced, is_appended) {
            (true, _) => Part::Replaced(&target.name, &edit.name),
            (_, true) => Part::Appended(&target.name, &edit.name),
            _ => Part::Variable(&target.name, &edit.name),
        };
        self.keep_part(Part::Variable(&target.name, &edit.name));
        self.keep_part(part);
        let is_outdated = self.is_outdated(Part::Variable(&target.name, &edit.name));
        let Some(container) = self.container(target) else { return Ok(()) };
        let Some(place) = place_of(container, &edit.name) else {
            let end = container.list("env").count();
            if let Some(env) = container.member("env") {
                env.insert(if edit.position == Position::First { *first } else { end }, wanted);
            }
            *first += usize::from(edit.position == Position::First);
            self.record_part(Part::Variable(&target.name, &edit.name));
            return Ok(());
        };
        if edit.position == Position::First && place == *first {
            *first += 1;
        }
        let wanted = Node::new(wanted);
        let Some(found) = container.member("env").and_then(|env| env.item(place)) else { return Ok(()) };
        if is_same_variable(found, &wanted) {
            return Ok(());
        }
        let about = format!("variable {:?} of container {:?}", edit.name, target.name);
        match edit.on_existing {
            _ if is_outdated => {
                set_variable(found, &wanted);
                Ok(())
            }
            OnExisting::Keep => Ok(()),
            OnExisting::Fail => self.conflict(self.injection.conflicts.other, Reason::EnvironmentTaken, about),
            OnExisting::Replace => {
                set_variable(found, &wanted);
                self.record_part(part);
                Ok(())
            }
            OnExisting::Append => {
                match appended(found, &wanted, edit) {
                    None => self.note(Reason::EnvironmentFromElsewhere, Weight::Warning, about),
                    Some(None) => {}
                    Some(Some(text)) => {
                        found.set("value", quoted(&text));
                        self.record_part(part);
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether something is there as the document had it once: the pod is made from a copy, or is asked about again, and the document
    /// has changed since.
    pub(super) fn is_outdated(&self, part: Part<'_>) -> bool {
        self.claim.digest != self.record.digest && self.claim.has(part)
    }

    /// The variable as JSON; none if it has no value here.
    fn variable(&self, edit: &Variable) -> Option<String> {
        let name = quoted(&edit.name);
        let value = match &edit.value {
            VariableValue::Source(source) => return Some(format!(r#"{{"name":{name},"valueFrom":{source}}}"#)),
            VariableValue::Literal(text) => self.moved(text),
            VariableValue::Derived(derived) => self.derive(derived)?,
        };
        Some(format!(r#"{{"name":{name},"value":{}}}"#, quoted(&value)))
    }

    /// A value that is one of our ports follows that port.
    fn moved(&self, text: &str) -> String {
        let moved = |(from, to): (&u16, &u16)| {
            let stem = text.strip_suffix(&from.to_string())?;
            (stem.is_empty() || stem.ends_with(':')).then(|| format!("{stem}{to}"))
        };
        self.ports.iter().find_map(moved).unwrap_or_else(|| text.to_owned())
    }

    fn edit_mount(&mut self, target: &Target, mount: &Mount) -> Result<(), Conflict> {
        let volume = self.volume_name(&mount.volume).to_owned();
        let mut wanted = mount.value.clone();
        if let Some(name) = wanted.get_mut("name") {
            *name = serde_json::Value::String(volume.clone());
        }
        let written = wanted.get("mountPath").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        self.keep_part(Part::Mount(&target.name, &written));
        let is_outdated = self.is_outdated(Part::Mount(&target.name, &written));
        let containers = self.plan.pod.get("spec").into_iter().flat_map(|spec| spec.list(target.list.field()));
        let Some(container) = containers.into_iter().nth(target.index) else { return Ok(()) };
        let found = container.list("volumeMounts").enumerate().find(|(_, found)| is_mounted_at(found, &mount.path));
        let Some((place, found)) = found else {
            if let Some(obstacle) = obstacle(&self.plan.pod, container, mount) {
                let about = format!("{} in container {:?}, {obstacle}", mount.path, target.name);
                return self.refuse_mount(mount, about);
            }
            if let Some(mounts) = self.container(target).and_then(|container| container.member("volumeMounts")) {
                mounts.push(wanted.to_string());
            }
            self.record_part(Part::Mount(&target.name, &written));
            return Ok(());
        };
        if found.string_at("name").is_some_and(|name| name == volume) {
            return Ok(());
        }
        // The same path may lead to another volume in another revision.
        let renders = |revision: &Revision| revision.renders("volumeMounts", &written, found);
        let is_former =
            self.claim.has(Part::Mount(&target.name, &written)) && self.injection.revisions.iter().any(renders);
        if is_former || is_outdated {
            self.replace_mount(target, place, is_former.then_some(&wanted), &volume);
            return Ok(());
        }
        let about = format!("{} in container {:?}", mount.path, target.name);
        self.refuse_mount(mount, about)
    }

    fn refuse_mount(&mut self, mount: &Mount, about: String) -> Result<(), Conflict> {
        if mount.fails_if_taken {
            return self.conflict(self.injection.conflicts.other, Reason::MountPathTaken, about);
        }
        self.note(Reason::MountPathTaken, Weight::Warning, about);
        Ok(())
    }

    /// Puts ours in the place of the mount that a former revision put there, or at least our volume into it.
    fn replace_mount(&mut self, target: &Target, place: usize, whole: Option<&serde_json::Value>, volume: &str) {
        let Some(mounts) = self.container(target).and_then(|container| container.member("volumeMounts")) else {
            return;
        };
        if let Some(wanted) = whole {
            mounts.take_item(place);
            mounts.insert(place, wanted.to_string());
        } else if let Some(mount) = mounts.item(place) {
            mount.set("name", quoted(volume));
        }
    }
}

fn is_mounted_at(mount: &Node<'_>, path: &str) -> bool {
    normalised(&mount.string_at("mountPath").unwrap_or_default()) == path
}

/// The value with ours after it. None in the inner place if it holds ours already; none at all if it comes from elsewhere.
fn appended(found: &Node<'_>, wanted: &Node<'_>, edit: &Variable) -> Option<Option<String>> {
    if found.get("valueFrom").is_some() {
        return None;
    }
    let value = found.string_at("value").unwrap_or_default();
    let ours = wanted.string_at("value").unwrap_or_default();
    let separator = &edit.separator;
    let is_held = edit.unless_contains.as_ref().is_some_and(|text| value.contains(text.as_str()))
        || format!("{separator}{value}{separator}").contains(&format!("{separator}{ours}{separator}"));
    if is_held {
        return Some(None);
    }
    Some(Some(if value.is_empty() { ours.into_owned() } else { format!("{value}{separator}{ours}") }))
}
