//! The names that an installation goes by, and their place in the manifests.
//!
//! In the files the namespace is `portcullis-system`, and everything else is called `portcullis`, or that with an ending
//! behind a hyphen or a dot. Kept true: nothing else is touched, least of all the label that says what application this is, and
//! what all releases share: the group of the documents and their definitions.

use serde_json::Value;

use crate::engine::mutation::document::GROUP;

const NAMESPACE: &str = "portcullis-system";
pub(super) const RELEASE: &str = "portcullis";
const GIVEN_SECRET: &str = "portcullis-tls";
const APPLICATION_LABEL: &str = "app.kubernetes.io/name";

/// The longest that is derived from a release has 14 bytes more, and names of Services have 63.
const LONGEST_RELEASE: usize = 45;

/// What an installation is called.
pub(super) struct Names<'a> {
    pub(super) release: &'a str,
    pub(super) namespace: &'a str,
    /// The Secret of a given certificate, if it is not to be called after the release.
    pub(super) certificate_secret: Option<&'a str>,
}

impl Names<'_> {
    /// Puts the names into an object, unless it is a definition.
    pub(super) fn apply(&self, object: &mut Value) {
        if object.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
            self.put(object);
        }
    }

    fn put(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.named(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.put(item)),
            Value::Object(map) => {
                map.iter_mut().filter(|(key, _)| *key != APPLICATION_LABEL).for_each(|(_, value)| self.put(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The value of a flag counts as a text of its own.
    fn named(&self, text: &str) -> String {
        let (flag, name) = match text.split_once('=') {
            Some((flag, name)) if flag.starts_with("--") => (format!("{flag}="), name),
            _ => (String::new(), text),
        };
        match (name, self.certificate_secret) {
            (NAMESPACE, _) => return format!("{flag}{}", self.namespace),
            (GROUP, _) => return text.to_owned(),
            (GIVEN_SECRET, Some(secret)) => return format!("{flag}{secret}"),
            _ => {}
        }
        match name.strip_prefix(RELEASE) {
            Some(ending) if ending.is_empty() || ending.starts_with(['-', '.']) => {
                let ending = ending.replace(&format!(".{NAMESPACE}"), &format!(".{}", self.namespace));
                format!("{flag}{}{ending}", self.release)
            }
            _ => text.to_owned(),
        }
    }
}

/// Reads the name of a release: what is derived from it names Services and labels.
pub(super) fn release(text: &str) -> Result<String, String> {
    label(text, LONGEST_RELEASE)?;
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err("begin with a letter: it names a Service".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads the name of a namespace that is to be ours alone.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    label(text, 63)?;
    if text == "default" || text.starts_with("kube-") {
        return Err(
            "choose a namespace of its own: this one is the system's, and its labels would be changed".to_owned()
        );
    }
    Ok(text.to_owned())
}

/// Reads the name of a Secret.
pub(super) fn secret(text: &str) -> Result<String, String> {
    text.split('.').try_for_each(|part| label(part, 63))?;
    Ok(text.to_owned())
}

/// RFC 1123: lower-case letters, digits and hyphens, these not at the ends.
fn label(text: &str, longest: usize) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || !text.bytes().all(is_allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err("write lower-case letters, digits and hyphens, with no hyphen at either end".to_owned());
    }
    if text.len() > longest {
        return Err(format!("{} characters; at most {longest} are allowed", text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_put_where_names_stand() {
        let names = Names { release: "gate", namespace: "portcullis-prod", certificate_secret: None };
        let mut value = json!({
            "a": ["portcullis", "portcullis-tls", "portcullis-system", "portcullis.portcullis-system.svc"],
            "b": {"app.kubernetes.io/name": "portcullis", "app.kubernetes.io/instance": "portcullis"},
            "c": ["portcullis:0.1.0", "portcullis_ready == 0", "serve", "--certificate-secret=portcullis-tls", "portcullis.dev", 3, true, null],
        });
        names.apply(&mut value);
        let expected = json!({
            "a": ["gate", "gate-tls", "portcullis-prod", "gate.portcullis-prod.svc"],
            "b": {"app.kubernetes.io/name": "portcullis", "app.kubernetes.io/instance": "gate"},
            "c": ["portcullis:0.1.0", "portcullis_ready == 0", "serve", "--certificate-secret=gate-tls", "portcullis.dev", 3, true, null],
        });
        assert_eq!(value, expected);

        let definition = json!({"kind": "CustomResourceDefinition", "spec": {"names": {"categories": ["portcullis"]}}});
        let mut named = definition.clone();
        names.apply(&mut named);
        assert_eq!(named, definition, "all releases share it");
    }

    #[test]
    fn names_that_kubernetes_would_refuse_are_refused_here() {
        for text in ["", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(namespace(text).is_err() && release(text).is_err(), "{text}");
        }
        assert!(release("1a").is_err() && namespace("1a").is_ok());
        assert!(release(&"a".repeat(45)).is_ok() && release(&"a".repeat(46)).is_err());
        for text in ["kube-system", "kube-public", "default"] {
            assert!(namespace(text).is_err_and(|problem| problem.contains("of its own")), "{text}");
        }
        assert!(secret("a.b").is_ok() && secret("a..b").is_err());
    }
}
