//! What `PodDefaults` do to a pod: fields that nobody set get a value.
//!
//! Kept true: nothing that the pod says is changed or contradicted; what is added is a pod that the API takes; and what went through once
//! gives nothing the next time, whatever the API server has filled in between. Containers that are ours are left alone.

mod automount;
mod dns;
mod fields;
mod probes;
mod resources;
mod scheduling;
mod security;
mod writable;

use super::document::{Flaw, Names, OnConflict, OperatingSystem, PodDefaults};
use super::plan::{Conflict, Plan, Reason, Weight};
use super::schema;
use super::selection::operating_system;
use super::tree::Node;

/// A compiled document.
#[derive(Debug)]
pub(super) struct Defaults {
    /// Its kind and name.
    title: String,
    on_conflict: OnConflict,
    resources: Option<Box<resources::ResourceDefaults>>,
    security: Option<Box<security::SecurityDefaults>>,
    has_readiness_from_liveness: bool,
    scheduling: Option<scheduling::SchedulingDefaults>,
    dns: dns::DnsDefaults,
    fields: fields::FieldDefaults,
}

impl Defaults {
    /// Compiles a document; `title` is its kind and name.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the path of the field.
    pub(super) fn compile(title: &str, document: &PodDefaults) -> Result<Self, Vec<Flaw>> {
        let mut flaws = schema::of_defaults(document);
        let is_scheduling = |flaw: &Flaw| flaw.path.starts_with("spec.scheduling.");
        // What things mean is only looked at where they have the shape to mean it.
        let scheduling = document.scheduling.as_ref().filter(|_| !flaws.iter().any(is_scheduling));
        let compiled = Self {
            title: title.to_owned(),
            on_conflict: document.on_conflict,
            resources: document
                .resources
                .as_ref()
                .map(|resources| Box::new(resources::ResourceDefaults::compile(resources, &mut flaws))),
            security: document
                .security
                .as_ref()
                .map(|security| Box::new(security::SecurityDefaults::compile(security, &mut flaws))),
            has_readiness_from_liveness: document.probes.is_some_and(|probes| probes.readiness_from_liveness),
            scheduling: scheduling.map(|scheduling| scheduling::SchedulingDefaults::compile(scheduling, &mut flaws)),
            dns: dns::DnsDefaults::compile(document.dns.as_ref(), &mut flaws),
            fields: fields::FieldDefaults::compile(&document.pod),
        };
        if flaws.is_empty() { Ok(compiled) } else { Err(flaws) }
    }

    /// The keys of the labels of service accounts on which it depends what is filled in.
    pub(super) fn service_account_labels(&self) -> impl Iterator<Item = Box<str>> {
        self.security.iter().flat_map(|security| security.service_account_labels()).map(Into::into)
    }

    /// Whether it sets resources, which can follow from what another document sets.
    pub(super) fn has_resources(&self) -> bool {
        self.resources.is_some()
    }

    /// Fills in what is not set.
    ///
    /// # Errors
    /// A default cannot be set as it should be, and the document's word for that is not `Warn`.
    pub(super) fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Conflict> {
        let mut part = Part { plan, title: &self.title, on_conflict: self.on_conflict };
        if let Some(resources) = &self.resources {
            resources.apply(&mut part)?;
        }
        if let Some(security) = &self.security {
            security.apply(&mut part)?;
        }
        if self.has_readiness_from_liveness {
            probes::copy_liveness(&mut part);
        }
        if let Some(scheduling) = &self.scheduling {
            scheduling.apply(&mut part)?;
        }
        self.dns.apply(&mut part);
        self.fields.apply(&mut part);
        Ok(())
    }
}

/// A plan, with what is needed to speak for the document.
struct Part<'p, 'a> {
    plan: &'p mut Plan<'a>,
    title: &'p str,
    on_conflict: OnConflict,
}

/// A container of a pod by its list and its index there.
#[derive(Debug, Clone)]
struct Target {
    list: &'static str,
    index: usize,
    name: String,
}

const INIT_CONTAINERS: &str = "initContainers";
const CONTAINERS: &str = "containers";

impl<'a> Part<'_, 'a> {
    fn pod(&self) -> &Node<'a> {
        &self.plan.pod
    }

    fn spec(&self) -> Option<&Node<'a>> {
        self.plan.pod.get("spec")
    }

    fn note(&mut self, reason: Reason, weight: Weight, about: impl Into<String>) {
        self.plan.note(self.title, reason, weight, about);
    }

    /// A default that cannot be set: a conflict, or a warning where the document wants no more.
    fn conflict(&mut self, reason: Reason, about: impl Into<String>) -> Result<(), Conflict> {
        self.plan.conflict(self.title, self.on_conflict, reason, about)
    }

    fn is_windows(&self) -> bool {
        operating_system(self.pod()) == OperatingSystem::Windows
    }

    /// The containers of a list that are not ours and that the document names.
    fn targets(&self, list: &'static str, names: &Names) -> Vec<Target> {
        let containers = self.spec().into_iter().flat_map(|spec| spec.list(list)).enumerate();
        let named = containers.map(|(index, container)| {
            let name = container.string_at("name").unwrap_or_default().into_owned();
            Target { list, index, name }
        });
        named.filter(|target| names.has(&target.name) && !self.plan.is_ours(&target.name)).collect()
    }

    /// The same of both lists, init containers first.
    fn all_targets(&self, names: &Names) -> Vec<Target> {
        let mut targets = self.targets(INIT_CONTAINERS, names);
        targets.extend(self.targets(CONTAINERS, names));
        targets
    }

    fn container(&self, target: &Target) -> Option<&Node<'a>> {
        self.spec()?.list(target.list).nth(target.index)
    }

    fn edit(&mut self, target: &Target) -> Option<&mut Node<'a>> {
        self.plan.pod.within(&["spec", target.list])?.item(target.index)
    }

    /// What is found in the pod by going down from member to member, to be edited.
    fn within(&mut self, path: &[&str]) -> Option<&mut Node<'a>> {
        self.plan.pod.within(path)
    }
}

impl Target {
    fn about(&self) -> String {
        format!("container {:?}", self.name)
    }

    fn with(&self, what: &str) -> String {
        format!("container {:?}, {what}", self.name)
    }
}

fn flaw(path: impl Into<String>, problem: impl Into<String>) -> Flaw {
    Flaw { path: path.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests;
