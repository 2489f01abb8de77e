//! The pods that exist in a namespace, for the dry run when its policy tightens.
//!
//! They are bounded in number, in bytes and in time. What is left out is counted, and decide says how many were looked at.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::value::RawValue;
use tokio::time::timeout_at;

use super::access::Access;
use super::error::ClusterError;
use super::objects::Unread;
use super::pages::Pages;
use super::question::Listing;

/// The most pods that are listed. Upstream looks at 3,000 after leaving out exempt runtime classes.
const MOST: usize = 5_000;

/// The most bytes of pods that are kept.
const MOST_KEPT: usize = 16 << 20;

/// The most bytes of a page.
const MOST_OF_A_PAGE: usize = 8 << 20;

/// Pods as JSON, in the order of the list.
#[derive(Debug, Default)]
pub struct ExistingPodsFound {
    pub pods: Vec<Box<[u8]>>,
    /// How many more there are, as the API server estimates it; at least one if there are more.
    pub unlisted: usize,
    kept: usize,
}

/// Lists the pods of a namespace until a bound or the time is reached.
///
/// # Errors
/// If not even the first page could be had.
pub(super) async fn list(access: &Access, name: &str, until: Instant) -> Result<ExistingPodsFound, ClusterError> {
    let mut pages = Pages::new(access, Listing::PodsOf(name));
    let mut found = ExistingPodsFound::default();
    loop {
        let answer = timeout_at(until.into(), pages.read(MOST_OF_A_PAGE)).await.unwrap_or(Err(ClusterError::Late));
        let text = match answer {
            Ok(text) => text,
            Err(_) if !found.pods.is_empty() => return Ok(found),
            Err(error) => return Err(error),
        };
        let page: Unread<'_> = serde_json::from_slice(&text)?;
        let token = &page.metadata.r#continue;
        let beyond = beyond(token, page.metadata.remaining_item_count);
        let is_full = found.add(page.items.as_deref().unwrap_or_default(), beyond);
        if !pages.turn(token) || is_full {
            return Ok(found);
        }
    }
}

/// How many pods come after a page.
fn beyond(token: &str, remaining: Option<u64>) -> usize {
    if token.is_empty() { 0 } else { remaining.map_or(1, |count| usize::try_from(count).unwrap_or(usize::MAX)).max(1) }
}

impl ExistingPodsFound {
    /// Takes in a page, after which there are `beyond` more; true if there is no room for another.
    fn add(&mut self, items: &[&RawValue], beyond: usize) -> bool {
        let mut left_out = 0;
        for item in items {
            let pod = slim(item.get());
            if left_out > 0 || self.pods.len() >= MOST || self.kept + pod.len() > MOST_KEPT {
                left_out += 1;
                continue;
            }
            self.kept += pod.len();
            self.pods.push(pod);
        }
        self.unlisted = beyond.saturating_add(left_out);
        left_out > 0 || self.pods.len() >= MOST
    }
}

/// The pod without its status and its managed fields: nobody judges them, and they are half of it.
fn slim(pod: &str) -> Box<[u8]> {
    let slimmed = || {
        let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(pod)?;
        fields.remove("status");
        let mut metadata: BTreeMap<&str, &RawValue> = fields
            .get("metadata")
            .map(|metadata| serde_json::from_str(metadata.get()))
            .transpose()?
            .unwrap_or_default();
        metadata.remove("managedFields");
        let metadata = serde_json::value::to_raw_value(&metadata)?;
        fields.insert("metadata", &metadata);
        serde_json::to_vec(&fields)
    };
    slimmed().map_or_else(|_| pod.as_bytes().into(), Vec::into_boxed_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("JSON")
    }

    #[test]
    fn slimming_leaves_out_what_nobody_judges_and_keeps_the_rest_to_the_letter() {
        let pod =
            r#"{"metadata":{"name":"a","managedFields":[{"x":1}]},"spec":{"hostUsers": 1.50},"status":{"phase":"x"}}"#;
        let slimmed = slim(pod);
        let expected = br#"{"metadata":{"name":"a"},"spec":{"hostUsers": 1.50}}"#;
        assert_eq!(String::from_utf8_lossy(&slimmed), String::from_utf8_lossy(expected));
        assert_eq!(&*slim("[1]"), b"[1]");
    }

    #[test]
    fn what_is_beyond_the_bounds_is_counted() {
        let pod = raw(&format!(r#"{{"metadata":{{"name":"{}"}}}}"#, "x".repeat(6 << 20)));
        let mut found = ExistingPodsFound::default();
        assert!(found.add(&[&pod, &pod, &pod, &pod], 10));
        assert_eq!((found.pods.len(), found.unlisted), (2, 12));
        let small = raw("{}");
        let mut found = ExistingPodsFound::default();
        assert!(!found.add(&vec![&*small; MOST - 1], 7));
        assert!(found.add(&[&small, &small], 7));
        assert_eq!((found.pods.len(), found.unlisted), (MOST, 8));
    }

    #[test]
    fn a_further_page_is_at_least_one_pod() {
        assert_eq!((beyond("", Some(5)), beyond("t", None), beyond("t", Some(0)), beyond("t", Some(9))), (0, 1, 1, 9));
    }
}
