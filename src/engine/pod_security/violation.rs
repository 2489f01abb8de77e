//! Typed violations: what is wrong, at which site, by which path, and what to do instead.

use std::fmt;

use crate::engine::object::{ContainerAt, ContainerList, Pod};

/// One site that a check objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub site: Site,
    /// The field under the site, without indices, such as `securityContext.privileged`.
    pub field: &'static str,
    /// The whole path in Kubernetes' syntax, such as `spec.template.spec.containers[0].securityContext.privileged`.
    pub path: String,
    pub value: Value,
    /// What to write instead, one sentence.
    pub fix: &'static str,
}

/// Who set the field, or should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// The pod's own spec.
    Pod,
    Container {
        list: ContainerList,
        index: usize,
        name: String,
    },
    Volume {
        name: String,
    },
    /// An annotation, by its key.
    Annotation {
        key: String,
    },
}

/// The value that a check objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The field must be set, and is not.
    Missing,
    Bool(bool),
    Number(i64),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not set"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Where a check writes down what it finds. It knows the pod's place in its object, so that a check does not.
#[derive(Debug)]
pub struct Findings {
    prefix: &'static str,
    violations: Vec<Violation>,
}

impl Findings {
    pub(super) fn of(pod: &Pod<'_>) -> Self {
        Self { prefix: pod.prefix(), violations: Vec::new() }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// A field of the pod's spec.
    pub fn pod(&mut self, field: &'static str, value: Value, fix: &'static str) {
        let path = format!("{}spec.{field}", self.prefix);
        self.violations.push(Violation { site: Site::Pod, field, path, value, fix });
    }

    /// An element of a list of the pod's spec: `field` is the list, `rest` what comes after the index.
    pub fn pod_element(&mut self, field: &'static str, index: usize, rest: &str, value: Value, fix: &'static str) {
        let path = format!("{}spec.{field}[{index}]{rest}", self.prefix);
        self.violations.push(Violation { site: Site::Pod, field, path, value, fix });
    }

    /// A field of a container.
    pub fn container(&mut self, container: &ContainerAt<'_>, field: &'static str, value: Value, fix: &'static str) {
        self.at_container(container, field, "", value, fix);
    }

    /// An element of a list of a container: `rest` is what comes after the index.
    pub fn container_element(
        &mut self,
        container: &ContainerAt<'_>,
        (field, index, rest): (&'static str, usize, &str),
        value: Value,
        fix: &'static str,
    ) {
        self.at_container(container, field, &format!("[{index}]{rest}"), value, fix);
    }

    fn at_container(
        &mut self,
        container: &ContainerAt<'_>,
        field: &'static str,
        rest: &str,
        value: Value,
        fix: &'static str,
    ) {
        let ContainerAt { list, index, .. } = *container;
        let path = format!("{}spec.{}[{index}].{field}{rest}", self.prefix, list.field());
        let site = Site::Container { list, index, name: container.name.to_string() };
        self.violations.push(Violation { site, field, path, value, fix });
    }

    /// A source of the volume at `index`.
    pub fn volume(&mut self, index: usize, name: &str, source: &'static str, fix: &'static str) {
        let suffix = if source == "unknown" { String::new() } else { format!(".{source}") };
        let path = format!("{}spec.volumes[{index}]{suffix}", self.prefix);
        let site = Site::Volume { name: name.to_owned() };
        self.violations.push(Violation { site, field: "volumes", path, value: source.into(), fix });
    }

    /// The value of an annotation.
    pub fn annotation(&mut self, key: &str, value: &str, fix: &'static str) {
        let path = format!("{}metadata.annotations[{key}]", self.prefix);
        let site = Site::Annotation { key: key.to_owned() };
        self.violations.push(Violation { site, field: "annotations", path, value: value.into(), fix });
    }
}
