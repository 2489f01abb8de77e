//! A verdict to the bytes of the answer, written directly.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::engine::{Annotation, Cause, Status, Verdict};

/// The AdmissionReview that answers the request with this uid.
pub fn encode(uid: &str, verdict: &Verdict) -> Vec<u8> {
    let patched = verdict.patch().map_or(0, |patch| 512 + patch.json().len() * 4 / 3);
    let mut answer = Vec::with_capacity(256 + patched);
    answer.extend_from_slice(br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"#);
    text(&mut answer, uid);
    answer.extend_from_slice(if verdict.is_allowed() { br#","allowed":true"# } else { br#","allowed":false"# });
    if let Some(denial) = verdict.denial() {
        answer.extend_from_slice(br#","status":"#);
        status(&mut answer, denial);
    }
    if let Some(patch) = verdict.patch() {
        answer.extend_from_slice(br#","patchType":"JSONPatch","patch":""#);
        base64(&mut answer, patch.json().as_bytes());
        answer.push(b'"');
    }
    if !verdict.annotations().is_empty() {
        answer.extend_from_slice(br#","auditAnnotations":"#);
        annotations(&mut answer, verdict.annotations());
    }
    if !verdict.warnings().is_empty() {
        answer.extend_from_slice(br#","warnings":"#);
        list(&mut answer, verdict.warnings(), |answer, warning| text(answer, warning));
    }
    answer.extend_from_slice(b"}}\n");
    answer
}

fn base64(answer: &mut Vec<u8>, bytes: &[u8]) {
    let start = answer.len();
    answer.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let room = answer.get_mut(start..).unwrap_or_default();
    let written = BASE64_STANDARD.encode_slice(bytes, room);
    debug_assert_eq!(written, Ok(room.len()), "the room is what base64 takes");
}

/// A `metav1.Status`, its fields in upstream's order.
fn status(answer: &mut Vec<u8>, status: &Status) {
    answer.extend_from_slice(br#"{"metadata":{},"status":"Failure","message":"#);
    text(answer, &status.message);
    answer.extend_from_slice(br#","reason":"#);
    text(answer, status.reason);
    let details = &status.details;
    if *details != Default::default() {
        answer.extend_from_slice(br#","details":{"#);
        let mut fields = Fields { answer, is_first: true };
        fields.text("name", &details.name);
        fields.text("group", &details.group);
        fields.text("kind", &details.kind);
        if !details.causes.is_empty() {
            fields.key("causes");
            list(fields.answer, &details.causes, cause);
        }
        answer.push(b'}');
    }
    let written = write!(answer, r#","code":{}}}"#, status.code);
    debug_assert!(written.is_ok(), "writing to a Vec cannot fail");
}

fn cause(answer: &mut Vec<u8>, cause: &Cause) {
    answer.push(b'{');
    let mut fields = Fields { answer, is_first: true };
    fields.text("reason", cause.reason);
    fields.text("message", &cause.message);
    fields.text("field", &cause.field);
    answer.push(b'}');
}

fn annotations(answer: &mut Vec<u8>, annotations: &[Annotation]) {
    answer.push(b'{');
    let mut fields = Fields { answer, is_first: true };
    for annotation in annotations {
        fields.key(annotation.key());
        text(fields.answer, &annotation.value());
    }
    answer.push(b'}');
}

/// Writes the fields of an object, leaving out empty texts as Go's `omitempty` does.
struct Fields<'w> {
    answer: &'w mut Vec<u8>,
    is_first: bool,
}

impl Fields<'_> {
    fn key(&mut self, key: &str) {
        if !self.is_first {
            self.answer.push(b',');
        }
        self.is_first = false;
        text(self.answer, key);
        self.answer.push(b':');
    }

    fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.key(key);
            text(self.answer, value);
        }
    }
}

fn list<T>(answer: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    answer.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            answer.push(b',');
        }
        write(answer, item);
    }
    answer.push(b']');
}

fn text(answer: &mut Vec<u8>, text: &str) {
    let written = serde_json::to_writer(answer, text);
    debug_assert!(written.is_ok(), "a string always has a JSON form, and writing to a Vec cannot fail");
}
