//! The documents that ask for mutation, as they are written: `PodDefaults` and `SidecarInjection` of `portcullis.dev/v1`.
//!
//! Reading them is strict: an unknown field is an error with its path. What they mean is checked when they are compiled. Parts of
//! Kubernetes objects (containers, volumes, tolerations …) are kept as they are written; `schema` holds them against Kubernetes' types.

mod defaults;
mod definition;
mod misread;
mod overrides;
mod resources;
mod select;
mod sidecar;

pub use defaults::*;
pub use definition::definitions;
pub use overrides::*;
pub use resources::*;
pub use select::*;
pub use sidecar::*;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::schema::{Grammar, nearest};

/// The API group of all documents.
pub const GROUP: &str = "portcullis.dev";

/// The resources of the kinds.
pub const RESOURCES: [&str; 2] = ["poddefaults", "sidecarinjections"];

/// The API group and version of all documents.
pub const API_VERSION: &str = "portcullis.dev/v1";

/// A document with its name.
#[derive(Debug, Clone)]
pub struct Document {
    pub name: String,
    pub spec: Spec,
}

/// What a document asks for.
#[derive(Debug, Clone)]
pub enum Spec {
    PodDefaults(Box<PodDefaults>),
    SidecarInjection(Box<SidecarInjection>),
}

impl Spec {
    /// The `kind` of the document.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PodDefaults(_) => "PodDefaults",
            Self::SidecarInjection(_) => "SidecarInjection",
        }
    }
}

/// What is wrong with a document, and at which field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Flaw {
    /// The path of the field from the document's root, such as `spec.containers[0].container.name`.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl Document {
    /// Reads a document from its JSON.
    ///
    /// # Errors
    /// It is none of ours, or has fields that are unknown or of the wrong type: all of them, as far as they can be told.
    pub fn read(json: &str) -> Result<Self, Vec<Flaw>> {
        let head: Head = strictly(json).map_err(|flaw| vec![flaw])?;
        let flaw = |path: &str, problem: String| Err(vec![Flaw { path: path.to_owned(), problem }]);
        if head.api_version != API_VERSION {
            return flaw("apiVersion", format!("must be {API_VERSION}, not {:?}", head.api_version));
        }
        if head.metadata.name.is_empty() {
            return flaw("metadata.name", "must be given".to_owned());
        }
        if !Grammar::Subdomain.accepts(&head.metadata.name) {
            let wanted = Grammar::Subdomain.wanted();
            return flaw("metadata.name", format!("{:?} is no name of an object: {wanted}", head.metadata.name));
        }
        let spec = match head.kind.as_str() {
            "PodDefaults" => Spec::PodDefaults(Box::new(whole(json)?)),
            "SidecarInjection" => Spec::SidecarInjection(Box::new(whole(json)?)),
            other => return flaw("kind", format!("must be PodDefaults or SidecarInjection, not {other:?}")),
        };
        Ok(Self { name: head.metadata.name, spec })
    }
}

fn whole<'j, S: Deserialize<'j> + JsonSchema>(json: &'j str) -> Result<S, Vec<Flaw>> {
    strictly::<Whole<S>>(json).map(|whole| whole.spec).map_err(|flaw| {
        let document: Value = serde_json::from_str(json).unwrap_or_default();
        let spec = document.get("spec").filter(|spec| !spec.is_null());
        match spec.map(|spec| misread::flaws(spec, &definition::schema::<S>(), "spec")) {
            None => vec![Flaw { path: "spec".to_owned(), problem: "must be given".to_owned() }],
            Some(flaws) if flaws.is_empty() => vec![flaw],
            Some(flaws) => flaws,
        }
    })
}

fn strictly<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T, Flaw> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        // serde_json adds a line and a column of the JSON, which the user never sees.
        let text = error.into_inner().to_string();
        let problem = text.split(" at line ").next().unwrap_or_default();
        Flaw { path, problem: with_what_was_meant(problem) }
    })
}

/// What serde says of a name that it does not know, with the nearest of those that it names in place of them all.
fn with_what_was_meant(problem: &str) -> String {
    let mut names = problem.split('`').skip(1).step_by(2);
    let meant = names.next().filter(|_| problem.starts_with("unknown ")).and_then(|written| nearest(written, names));
    match (meant, problem.split_once(", expected")) {
        (Some(meant), Some((problem, _))) => format!("{problem}; did you mean `{meant}`?"),
        _ => problem.to_owned(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

/// A whole document, in which nothing but these is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "listed, so that they are known")]
struct Whole<S> {
    api_version: serde::de::IgnoredAny,
    kind: serde::de::IgnoredAny,
    metadata: serde::de::IgnoredAny,
    spec: S,
    #[serde(default)]
    status: serde::de::IgnoredAny,
}

#[cfg(test)]
mod tests;
