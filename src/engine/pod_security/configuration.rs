//! Upstream's `PodSecurityConfiguration`: defaults for what labels leave open, and exemptions. Read strictly, as upstream
//! reads it: an unknown field is an error, and every error says where.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::level::{LevelVersion, Policy};
use super::quote::quote;

/// What the administrator configures for all namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    pub defaults: Policy,
    pub exemptions: Exemptions,
}

/// Who is not judged. Nobody is by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exemptions {
    usernames: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    runtime_classes: BTreeSet<String>,
}

impl Exemptions {
    /// Whether this exact user is exempt; groups are not looked at.
    pub fn has_username(&self, name: &str) -> bool {
        !name.is_empty() && self.usernames.contains(name)
    }

    pub fn has_namespace(&self, name: &str) -> bool {
        !name.is_empty() && self.namespaces.contains(name)
    }

    pub fn has_runtime_class(&self, name: Option<&str>) -> bool {
        name.is_some_and(|name| !name.is_empty() && self.runtime_classes.contains(name))
    }
}

/// What is wrong with a configuration, and at which field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigurationError {
    /// The path of the field, such as `exemptions.namespaces[0]`.
    pub path: String,
    pub problem: String,
}

/// The versions of upstream's API group, all of the same shape.
const API_VERSIONS: [&str; 3] = [
    "pod-security.admission.config.k8s.io/v1",
    "pod-security.admission.config.k8s.io/v1beta1",
    "pod-security.admission.config.k8s.io/v1alpha1",
];

impl Configuration {
    /// The same policy for all modes wherever labels say nothing, and nobody exempt.
    pub fn uniform(all: LevelVersion) -> Self {
        Self { defaults: Policy::uniform(all), exemptions: Exemptions::default() }
    }

    /// Reads a document as upstream's loader and validation do (`admission/api/load`, `admission/api/validation`).
    ///
    /// # Errors
    /// Every flaw of the document, each with its field.
    pub fn read(document: &Value) -> Result<Self, Vec<ConfigurationError>> {
        let mut reader = Reader { errors: Vec::new() };
        let configuration = reader.document(document);
        if reader.errors.is_empty() { Ok(configuration) } else { Err(reader.errors) }
    }
}

/// Reads on after an error, so that all of them are shown at once.
struct Reader {
    errors: Vec<ConfigurationError>,
}

impl Reader {
    fn refuse(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.errors.push(ConfigurationError { path: path.into(), problem: problem.into() });
    }

    fn document(&mut self, document: &Value) -> Configuration {
        let Some(fields) = document.as_object() else {
            self.refuse("", "must be a PodSecurityConfiguration object");
            return Configuration::default();
        };
        self.only(fields, "", &["apiVersion", "kind", "defaults", "exemptions"]);
        let api_version = fields.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if !API_VERSIONS.contains(&api_version) {
            self.refuse("apiVersion", format!("must be {}, not {}", API_VERSIONS.join(" or "), quote(api_version)));
        }
        let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind != "PodSecurityConfiguration" {
            self.refuse("kind", format!("must be PodSecurityConfiguration, not {}", quote(kind)));
        }
        let defaults = self.section(fields, "defaults");
        let exemptions = self.section(fields, "exemptions");
        Configuration { defaults: self.defaults(&defaults), exemptions: self.exemptions(&exemptions) }
    }

    fn only(&mut self, fields: &Map<String, Value>, prefix: &str, known: &[&str]) {
        for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
            self.refuse(format!("{prefix}{key}"), format!("unknown field; known here: {}", known.join(", ")));
        }
    }

    fn section(&mut self, fields: &Map<String, Value>, name: &str) -> Map<String, Value> {
        match fields.get(name) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(section)) => section.clone(),
            Some(_) => {
                self.refuse(name, "must be an object");
                Map::new()
            }
        }
    }

    fn defaults(&mut self, fields: &Map<String, Value>) -> Policy {
        self.only(
            fields,
            "defaults.",
            &["enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version"],
        );
        Policy {
            enforce: self.mode(fields, "enforce"),
            audit: self.mode(fields, "audit"),
            warn: self.mode(fields, "warn"),
        }
    }

    fn mode(&mut self, fields: &Map<String, Value>, name: &str) -> LevelVersion {
        LevelVersion { level: self.parsed(fields, name), version: self.parsed(fields, &format!("{name}-version")) }
    }

    /// A level or version; upstream's default (privileged, latest) where it is missing or empty.
    fn parsed<T: std::str::FromStr<Err: std::fmt::Display> + Default>(
        &mut self,
        fields: &Map<String, Value>,
        key: &str,
    ) -> T {
        let path = format!("defaults.{key}");
        match fields.get(key) {
            None | Some(Value::Null) => T::default(),
            Some(Value::String(text)) if text.is_empty() => T::default(),
            Some(Value::String(text)) => match text.parse() {
                Ok(value) => value,
                Err(problem) => {
                    self.refuse(path, format!("Invalid value: {}: {problem}", quote(text)));
                    T::default()
                }
            },
            Some(_) => {
                self.refuse(path, "must be a string");
                T::default()
            }
        }
    }

    fn exemptions(&mut self, fields: &Map<String, Value>) -> Exemptions {
        self.only(fields, "exemptions.", &["usernames", "namespaces", "runtimeClasses"]);
        Exemptions {
            usernames: self.names(fields, "usernames", |name| {
                if name.is_empty() { Err("username must not be empty") } else { Ok(()) }
            }),
            namespaces: self.names(fields, "namespaces", dns_label),
            runtime_classes: self.names(fields, "runtimeClasses", dns_subdomain),
        }
    }

    fn names(
        &mut self,
        fields: &Map<String, Value>,
        key: &str,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let elements = match fields.get(key) {
            None | Some(Value::Null) => return names,
            Some(Value::Array(elements)) => elements,
            Some(_) => {
                self.refuse(format!("exemptions.{key}"), "must be a list of strings");
                return names;
            }
        };
        for (index, element) in elements.iter().enumerate() {
            let path = format!("exemptions.{key}[{index}]");
            let name = match element {
                Value::Null => "",
                Value::String(name) => name,
                _ => {
                    self.refuse(path, "must be a string");
                    continue;
                }
            };
            if let Err(problem) = check(name) {
                self.refuse(path, format!("Invalid value: {}: {problem}", quote(name)));
            } else if !names.insert(name.to_owned()) {
                self.refuse(path, format!("Duplicate value: {}", quote(name)));
            }
        }
        names
    }
}

fn dns_label(name: &str) -> Result<(), &'static str> {
    if name.len() <= 63 && is_dns_label(name) {
        Ok(())
    } else {
        Err(
            "must be a DNS label: lower case letters, digits and '-', beginning and ending with a letter or digit, at most 63",
        )
    }
}

fn dns_subdomain(name: &str) -> Result<(), &'static str> {
    if name.len() <= 253 && name.split('.').all(is_dns_label) {
        Ok(())
    } else {
        Err(
            "must be a DNS subdomain: labels of lower case letters, digits and '-' joined by '.', at most 253 characters",
        )
    }
}

fn is_dns_label(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(is_inner) && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(mut section: Value) -> Value {
        section["apiVersion"] = json!("pod-security.admission.config.k8s.io/v1");
        section["kind"] = json!("PodSecurityConfiguration");
        section
    }

    #[test]
    fn reads_defaults_and_exemptions() {
        let read = Configuration::read(&with(json!({
            "defaults": {"enforce": "baseline", "enforce-version": "v1.30", "warn": "restricted"},
            "exemptions": {"usernames": ["system:admin"], "namespaces": ["kube-system"], "runtimeClasses": ["gvisor.io"]},
        })))
        .unwrap();
        assert_eq!(read.defaults.enforce.to_string(), "baseline:v1.30");
        assert_eq!(read.defaults.audit, LevelVersion::PRIVILEGED);
        assert!(read.exemptions.has_namespace("kube-system") && !read.exemptions.has_namespace(""));
        assert!(read.exemptions.has_username("system:admin"));
        assert!(read.exemptions.has_runtime_class(Some("gvisor.io")) && !read.exemptions.has_runtime_class(None));
    }

    #[test]
    fn refuses_what_upstream_refuses_and_says_where() {
        for (section, path) in [
            (json!({"default": {}}), "default"),
            (json!({"exemptions": {"runtimeClassNames": []}}), "exemptions.runtimeClassNames"),
            (json!({"defaults": {"enforce": "Restricted"}}), "defaults.enforce"),
            (json!({"defaults": {"warn-version": "1.30"}}), "defaults.warn-version"),
            (json!({"exemptions": {"namespaces": ["a", "a"]}}), "exemptions.namespaces[1]"),
            (json!({"exemptions": {"namespaces": ["a.b"]}}), "exemptions.namespaces[0]"),
            (json!({"exemptions": {"runtimeClasses": ["-a"]}}), "exemptions.runtimeClasses[0]"),
            (json!({"exemptions": {"usernames": [""]}}), "exemptions.usernames[0]"),
            (json!({"exemptions": {"usernames": 5}}), "exemptions.usernames"),
        ] {
            let errors = Configuration::read(&with(section)).unwrap_err();
            assert_eq!(errors.iter().map(|error| &*error.path).collect::<Vec<_>>(), [path]);
        }
        assert!(Configuration::read(&json!({"apiVersion": "v1", "kind": "ConfigMap"})).is_err());
    }
}
