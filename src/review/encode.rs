//! A verdict to the bytes of the answer, written directly.

use std::fmt::Write;

use base64_simd::STANDARD;

use crate::engine::{Annotation, Cause, Status, Verdict, json};

/// The AdmissionReview that answers the request with this uid.
pub fn encode(uid: &str, verdict: &Verdict) -> Vec<u8> {
    let patched = verdict.patch().map_or(0, |patch| 512 + patch.json().len() * 4 / 3);
    let mut answer = String::with_capacity(256 + patched);
    answer.push_str(r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"#);
    text(&mut answer, uid);
    answer.push_str(if verdict.is_allowed() { r#","allowed":true"# } else { r#","allowed":false"# });
    if let Some(denial) = verdict.denial() {
        answer.push_str(r#","status":"#);
        status(&mut answer, denial);
    }
    if let Some(patch) = verdict.patch() {
        answer.push_str(r#","patchType":"JSONPatch","patch":""#);
        base64(&mut answer, patch.json().as_bytes());
        answer.push('"');
    }
    if !verdict.annotations().is_empty() {
        answer.push_str(r#","auditAnnotations":"#);
        annotations(&mut answer, verdict.annotations());
    }
    if !verdict.warnings().is_empty() {
        answer.push_str(r#","warnings":"#);
        list(&mut answer, verdict.warnings(), |answer, warning| text(answer, warning));
    }
    answer.push_str("}}\n");
    answer.into_bytes()
}

fn base64(answer: &mut String, bytes: &[u8]) {
    STANDARD.encode_append(bytes, answer);
}

/// A `metav1.Status`, its fields in upstream's order.
fn status(answer: &mut String, status: &Status) {
    answer.push_str(r#"{"metadata":{},"status":"Failure","message":"#);
    text(answer, &status.message);
    answer.push_str(r#","reason":"#);
    text(answer, status.reason);
    let details = &status.details;
    if *details != Default::default() {
        answer.push_str(r#","details":{"#);
        let mut fields = Fields { answer, is_first: true };
        fields.text("name", &details.name);
        fields.text("group", &details.group);
        fields.text("kind", &details.kind);
        if !details.causes.is_empty() {
            fields.key("causes");
            list(fields.answer, &details.causes, cause);
        }
        answer.push('}');
    }
    let written = write!(answer, r#","code":{}}}"#, status.code);
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

fn cause(answer: &mut String, cause: &Cause) {
    answer.push('{');
    let mut fields = Fields { answer, is_first: true };
    fields.text("reason", cause.reason);
    fields.text("message", &cause.message);
    fields.text("field", &cause.field);
    answer.push('}');
}

fn annotations(answer: &mut String, annotations: &[Annotation]) {
    answer.push('{');
    let mut fields = Fields { answer, is_first: true };
    for annotation in annotations {
        fields.key(annotation.key());
        text(fields.answer, &annotation.value());
    }
    answer.push('}');
}

/// Writes the fields of an object, leaving out empty texts as Go's `omitempty` does.
struct Fields<'w> {
    answer: &'w mut String,
    is_first: bool,
}

impl Fields<'_> {
    fn key(&mut self, key: &str) {
        if !self.is_first {
            self.answer.push(',');
        }
        self.is_first = false;
        text(self.answer, key);
        self.answer.push(':');
    }

    fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.key(key);
            text(self.answer, value);
        }
    }
}

fn list<T>(answer: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    answer.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            answer.push(',');
        }
        write(answer, item);
    }
    answer.push(']');
}

fn text(answer: &mut String, text: &str) {
    json::quote(text, answer);
}
