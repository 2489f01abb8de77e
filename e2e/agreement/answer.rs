//! What one server said to a request, as far as the two have to agree, and where they do not.

use crate::harness::Answer;
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    time::{Duration, Instant},
};

/// What the API server puts before a webhook's refusal.
const PREFIX: &str = "admission webhook \"portcullis.portcullis.dev\" denied the request: ";
/// What the two put before the keys of their annotations.
const KEYS: [&str; 2] = ["pod-security.kubernetes.io/", "portcullis.portcullis.dev/"];
/// How much of a generated name is random.
const RANDOM_NAME: usize = 5;
const GENERATED: &str = "generated-";

/// A side's answer. The annotations come later, from its audit log.
pub struct Said {
    pub status: u16,
    pub audit_id: String,
    /// A refusal by whoever judges Pod Security.
    pub is_denied: bool,
    /// Admission had its say: everything that the API server itself checks was in order.
    pub was_judged: bool,
    text: Value,
}

/// How two answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    Verdict,
    Text,
}

impl Said {
    pub fn new(answer: &Answer) -> Self {
        let succeeded = (200..300).contains(&answer.status);
        let message = answer.message();
        let is_ours = message.starts_with(PREFIX);
        let is_denied = !succeeded
            && (is_ours || message.contains("violates PodSecurity") || message.contains("pod-security.kubernetes.io/"));
        let refusal = if succeeded { Value::Null } else { refusal(&answer.body, is_denied) };
        Self {
            status: answer.status,
            audit_id: answer.audit_id.clone(),
            is_denied,
            was_judged: succeeded || is_denied,
            text: json!({"refusal": refusal, "warnings": answer.warnings}),
        }
    }

    /// Adds what the audit log has about it.
    pub fn annotate(&mut self, log: &HashMap<String, Value>) -> Result<()> {
        let annotations = log.get(&self.audit_id).context("the audit log has no such request")?;
        self.text["annotations"] =
            Value::Object(annotations.as_object().into_iter().flatten().filter_map(ours).collect());
        Ok(())
    }

    /// Whether there is an annotation with this key.
    pub fn is_annotated(&self, key: &str) -> bool {
        self.text["annotations"].get(key).is_some()
    }

    /// Whether a warning begins with this text.
    pub fn has_warning(&self, beginning: &str) -> bool {
        let warnings = self.text["warnings"].as_array().into_iter().flatten();
        warnings.filter_map(Value::as_str).any(|warning| warning.starts_with(beginning))
    }

    /// How the other one differs from this.
    pub fn differs(&self, other: &Self) -> Option<Difference> {
        if self.status != other.status {
            return Some(Difference::Verdict);
        }
        (self.text != other.text).then_some(Difference::Text)
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.status, self.text)
    }
}

/// What a `Status` says. What the API server's own validation finds while it walks a map comes in any order.
fn refusal(status: &Value, is_denied: bool) -> Value {
    let message = status["message"].as_str().unwrap_or_default();
    let mut message = without_random_names(message.strip_prefix(PREFIX).unwrap_or(message));
    let mut details = status["details"].clone();
    if let Some(causes) = details["causes"].as_array_mut().filter(|causes| !is_denied && causes.len() > 1) {
        causes.sort_by_key(Value::to_string);
        // The message is these causes once more.
        message.truncate(message.find(" is invalid: ").unwrap_or(message.len()));
    }
    json!({"message": message, "reason": status["reason"], "details": without_random_names(&details.to_string())})
}

fn ours((key, value): (&String, &Value)) -> Option<(String, Value)> {
    let key = KEYS.iter().find_map(|prefix| key.strip_prefix(prefix))?;
    Some((key.to_owned(), json!(without_random_names(value.as_str().unwrap_or_default()))))
}

/// Each server makes up the end of a generated name for itself.
fn without_random_names(text: &str) -> String {
    let mut parts = text.split(GENERATED);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(GENERATED);
        kept.push_str(part.get(RANDOM_NAME..).unwrap_or_default());
    }
    kept
}

/// An audit log that is read on from where the last reading ended.
pub struct Log {
    file: PathBuf,
    offset: u64,
    rest: Vec<u8>,
}

impl Log {
    pub fn new(file: PathBuf) -> Self {
        Self { file, offset: 0, rest: Vec::new() }
    }

    /// The annotations of all that has been written since, by audit ID, once those of `awaited` are there.
    pub fn read_on<'a>(&mut self, awaited: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Value>> {
        let mut missing: std::collections::HashSet<&str> = awaited.collect();
        let mut found = HashMap::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !missing.is_empty() {
            ensure!(Instant::now() < deadline, "{} requests are not in {}", missing.len(), self.file.display());
            for event in self.events()? {
                let id = event["auditID"].as_str().unwrap_or_default();
                if missing.remove(id) {
                    found.insert(id.to_owned(), event.get("annotations").cloned().unwrap_or(Value::Object(Map::new())));
                }
            }
        }
        Ok(found)
    }

    fn events(&mut self) -> Result<Vec<Value>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += file.read_to_end(&mut self.rest)? as u64;
        // The last line may be half-written.
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).context("a line of the audit log")).collect()
    }
}
