//! The grammar of upstream's texts, in one place: who (`pod and containers "a", "b"`), what (sorted sets, quoted but not
//! escaped), and how results are joined (`reason (detail), reason (detail)`).
//!
//! A check words its detail with these; it never formats a list itself.

use std::collections::BTreeSet;

use super::quote::quote;
use super::violation::{Site, Value, Violation};

/// The violations that one check found, as its wording sees them. Never empty.
#[derive(Debug, Clone)]
pub struct Sites<'v>(Vec<&'v Violation>);

impl<'v> Sites<'v> {
    pub(super) fn of(violations: &'v [Violation]) -> Self {
        Self(violations.iter().collect())
    }

    /// Those of one field.
    #[must_use]
    pub fn of_field(&self, field: &str) -> Self {
        self.keep(|violation| violation.field == field)
    }

    /// Those where a value is set, though a wrong one.
    #[must_use]
    pub fn explicit(&self) -> Self {
        self.keep(|violation| violation.value != Value::Missing)
    }

    /// Those where a value is missing.
    #[must_use]
    pub fn missing(&self) -> Self {
        self.keep(|violation| violation.value == Value::Missing)
    }

    fn keep(&self, predicate: impl Fn(&Violation) -> bool) -> Self {
        Self(self.0.iter().copied().filter(|violation| predicate(violation)).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the containers in the order of the visit, each container once.
    pub fn container_names(&self) -> Vec<&'v str> {
        let mut last = None;
        let mut names = Vec::new();
        for violation in &self.0 {
            if let Site::Container { list, index, name } = &violation.site
                && last != Some((list, index))
            {
                last = Some((list, index));
                names.push(name.as_str());
            }
        }
        names
    }

    /// `container "a"`, or `containers "a", "b"`.
    pub fn containers(&self) -> String {
        counted("container", "containers", &self.container_names())
    }

    /// `container "a" uses`, or `containers "a", "b" use`.
    pub fn containers_use(&self) -> String {
        let names = self.container_names();
        format!("{} {}", counted("container", "containers", &names), plural("uses", "use", names.len()))
    }

    /// `pod`, the containers, or both.
    pub fn setters(&self) -> String {
        self.setter_list().join(" and ")
    }

    /// `pod` first, then the containers; for a check that has more setters.
    pub fn setter_list(&self) -> Vec<String> {
        let mut setters = Vec::new();
        if self.0.iter().any(|violation| violation.site == Site::Pod) {
            setters.push("pod".to_owned());
        }
        if !self.container_names().is_empty() {
            setters.push(self.containers());
        }
        setters
    }

    /// The names of the volumes, in the order of the list.
    pub fn volume_names(&self) -> Vec<&'v str> {
        self.0
            .iter()
            .filter_map(|violation| match &violation.site {
                Site::Volume { name } => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The values at the pod, its containers and volumes: each once, sorted as text.
    pub fn value_set(&self) -> Vec<String> {
        let values = self.0.iter().filter(|violation| !matches!(violation.site, Site::Annotation { .. }));
        sorted(values.map(|violation| violation.value.to_string()))
    }

    /// The values in the order of the visit.
    pub fn value_list(&self) -> Vec<String> {
        self.0.iter().map(|violation| violation.value.to_string()).collect()
    }

    /// The annotations as `key="value"`: each once, sorted as text.
    pub fn annotations(&self) -> Vec<String> {
        sorted(self.0.iter().filter_map(|violation| match (&violation.site, &violation.value) {
            (Site::Annotation { key }, Value::Text(value)) => Some(format!("{key}={}", quote(value))),
            _ => None,
        }))
    }

    /// The fields in the order of the visit, each with its value: `hostNetwork=true`.
    pub fn assignments(&self) -> Vec<String> {
        self.0.iter().map(|violation| format!("{}={}", violation.field, violation.value)).collect()
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// `"a", "b"`: quoted, and as in upstream not escaped.
pub(super) fn join_quoted<T: AsRef<str>>(items: &[T]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    quoted.join(", ")
}

/// The form of a word for this many.
pub(super) fn plural(one: &'static str, many: &'static str, count: usize) -> &'static str {
    if count == 1 { one } else { many }
}

/// The word for this many items, then the items: `type "a"`, `types "a", "b"`.
pub(super) fn counted<T: AsRef<str>>(one: &'static str, many: &'static str, items: &[T]) -> String {
    format!("{} {}", plural(one, many, items.len()), join_quoted(items))
}
