//! What we read of the API server's JSON: names, labels and versions, borrowed; never whole objects.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::ClusterError;
use crate::engine::object::{List, StringMap, Text};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Namespace<'a> {
    #[serde(borrow)]
    pub(super) metadata: Metadata<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) labels: StringMap<'a>,
    #[serde(borrow)]
    pub(super) annotations: StringMap<'a>,
    #[serde(borrow)]
    pub(super) resource_version: Text<'a>,
}

/// A page of namespaces.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Namespaces<'a> {
    #[serde(borrow)]
    pub(super) metadata: PageMetadata<'a>,
    #[serde(borrow)]
    pub(super) items: List<Namespace<'a>>,
}

/// A page of objects that are left as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unread<'a> {
    #[serde(borrow)]
    pub(super) metadata: PageMetadata<'a>,
    #[serde(borrow)]
    pub(super) items: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PageMetadata<'a> {
    #[serde(borrow)]
    pub(super) resource_version: Text<'a>,
    /// Where the next page begins; empty at the end.
    #[serde(borrow)]
    pub(super) r#continue: Text<'a>,
    /// How many objects later pages hold; the API server may leave it out.
    pub(super) remaining_item_count: Option<u64>,
}

/// What a watch tells.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A namespace is there, or is another than before.
    Put(Namespace<'a>),
    Gone(Namespace<'a>),
    /// All up to this version has been told.
    Reached(Text<'a>),
}

impl<'a> Event<'a> {
    /// Reads a line of a watch.
    ///
    /// # Errors
    /// An ERROR, by which the API server ends a watch that cannot go on; and what is no event.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, ClusterError> {
        Ok(match Told::read(line)? {
            Told::Put(object) => Self::Put(serde_json::from_str(object)?),
            Told::Gone(object) => Self::Gone(serde_json::from_str(object)?),
            Told::Reached(bookmark) => {
                let bookmark: Namespace<'a> = serde_json::from_str(bookmark)?;
                Self::Reached(bookmark.metadata.resource_version)
            }
        })
    }
}

/// What a watch of any kind tells: the JSON of its object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told<'a> {
    Put(&'a str),
    Gone(&'a str),
    Reached(&'a str),
}

impl<'a> Told<'a> {
    /// Reads a line of a watch.
    ///
    /// # Errors
    /// An ERROR, by which the API server ends a watch that cannot go on; and what is no event.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, ClusterError> {
        let Typed { r#type, object } = serde_json::from_slice(line)?;
        match &*r#type {
            "ADDED" | "MODIFIED" => Ok(Self::Put(object.get())),
            "DELETED" => Ok(Self::Gone(object.get())),
            "BOOKMARK" => Ok(Self::Reached(object.get())),
            _ => {
                let Failure { code, message } = serde_json::from_str(object.get())?;
                Err(ClusterError::Refused { code, message })
            }
        }
    }

    /// The version that it reaches.
    ///
    /// # Errors
    /// What is no object.
    pub(super) fn version(self) -> Result<String, ClusterError> {
        let (Self::Put(object) | Self::Gone(object) | Self::Reached(object)) = self;
        let Named { metadata } = serde_json::from_str(object)?;
        Ok(metadata.resource_version.to_string())
    }
}

/// What an object of any kind is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named<'a> {
    #[serde(borrow)]
    pub(super) metadata: Name<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Name<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    /// Empty for what belongs to no namespace.
    #[serde(borrow)]
    pub(super) namespace: Text<'a>,
    /// With the version it tells an object from all others that were ever there.
    #[serde(borrow)]
    pub(super) uid: Text<'a>,
    #[serde(borrow)]
    pub(super) resource_version: Text<'a>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    code: u16,
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_watch_tells() {
        let put = br#"{"type":"ADDED","object":{"kind":"Namespace","metadata":{"name":"a","labels":{"k":"v"},"resourceVersion":"7"}}}"#;
        let Ok(Event::Put(namespace)) = Event::read(put) else { panic!("not put") };
        assert_eq!((&*namespace.metadata.name, namespace.metadata.labels.get("k")), ("a", Some("v")));
        assert_eq!(&*namespace.metadata.resource_version, "7");
        let gone = br#"{"type":"DELETED","object":{"metadata":{"name":"a","labels":null,"resourceVersion":"8"}}}"#;
        assert!(matches!(Event::read(gone), Ok(Event::Gone(namespace)) if &*namespace.metadata.name == "a"));
        let bookmark = br#"{"type":"BOOKMARK","object":{"kind":"Namespace","metadata":{"resourceVersion":"9"}}}"#;
        assert!(matches!(Event::read(bookmark), Ok(Event::Reached(version)) if &*version == "9"));
    }

    #[test]
    fn an_error_of_a_watch_keeps_its_code() {
        let expired = br#"{"type":"ERROR","object":{"kind":"Status","metadata":{},"code":410,"message":"too old"}}"#;
        assert!(Event::read(expired).is_err_and(|error| error.is_from_nowhere()));
        assert!(matches!(Event::read(b"nonsense"), Err(ClusterError::Unreadable(_))));
    }

    #[test]
    fn reads_the_head_of_a_page_and_leaves_its_items() {
        let page: Unread<'_> = serde_json::from_slice(
            br#"{"metadata":{"resourceVersion":"5","continue":"t","remainingItemCount":3},"items":[{"a": 1},{}]}"#,
        )
        .expect("a page");
        let items: Vec<&str> = page.items.unwrap_or_default().iter().map(|item| item.get()).collect();
        assert_eq!((&*page.metadata.r#continue, page.metadata.remaining_item_count), ("t", Some(3)));
        assert_eq!(items, [r#"{"a": 1}"#, "{}"]);
    }
}
