//! What the API server asks, parsed and borrowed from its body; built by `review::decode`, or offline by the command line.

use std::borrow::Cow;

use super::json;
use super::object::{GroupVersionKind, Object, Text};

/// One admission request. Field names follow `admission.k8s.io/v1`.
#[derive(Debug)]
pub struct Request<'a> {
    pub phase: Phase,
    pub uid: Text<'a>,
    pub operation: Operation,
    /// The kind of the object as the request names it.
    pub kind: ObjectKind<'a>,
    pub resource: Resource<'a>,
    pub subresource: Text<'a>,
    pub name: Text<'a>,
    pub namespace: Text<'a>,
    pub username: Text<'a>,
    pub dry_run: bool,
    pub object: Carried<'a>,
    pub old_object: Carried<'a>,
    /// The AdmissionReview itself; empty if there is none. Read again by the few who need of the object what is not decoded.
    pub review: &'a [u8],
}

impl<'a> Request<'a> {
    /// What the object is called; of one that the API server is about to name, such as a pod of a ReplicaSet, what the name begins
    /// with: `web-*`. Empty if it says neither.
    pub fn called(&self) -> Cow<'_, str> {
        if !self.name.is_empty() {
            return Cow::Borrowed(&self.name);
        }
        let beginning: Text<'_> = json::from_str(member(self.metadata(), "generateName")).unwrap_or_default();
        if beginning.is_empty() { Cow::Borrowed("") } else { Cow::Owned(format!("{}*", &*beginning)) }
    }

    /// The JSON of the object's metadata; empty if there is none.
    pub fn metadata(&self) -> &'a str {
        if let Carried::Unread(object) = &self.object {
            return object.metadata;
        }
        let review = str::from_utf8(self.review).unwrap_or_default();
        ["request", "object", "metadata"].into_iter().fold(review, member)
    }
}

/// Which of the two calls this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The object may still be changed by us and by others.
    Mutate,
    /// The object is as it will be stored.
    Validate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// A resource with its group; the version plays no part in any decision.
#[derive(Debug, Clone, Default)]
pub struct Resource<'a> {
    pub group: Text<'a>,
    pub resource: Text<'a>,
}

impl Resource<'_> {
    pub fn is_pods(&self) -> bool {
        self.group.is_empty() && &*self.resource == "pods"
    }

    pub fn is_namespaces(&self) -> bool {
        self.group.is_empty() && &*self.resource == "namespaces"
    }
}

/// A kind with its group.
#[derive(Debug, Clone, Default)]
pub struct ObjectKind<'a> {
    pub group: Text<'a>,
    pub kind: Text<'a>,
}

/// An object of a request. One that does not decode is a value here, not an error: whether that matters is for decide to say.
#[derive(Debug)]
pub enum Carried<'a> {
    Absent,
    /// An object that may be mutated.
    Unread(Unread<'a>),
    /// Boxed, since most requests carry one object at most.
    Object(Box<Object<'a>>),
    /// Why it could not be decoded.
    Undecodable(String),
}

/// The JSON of an object, and where in it stands what is large or what decides whether somebody looks into it. What is not there is
/// empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread<'a> {
    pub text: &'a str,
    pub metadata: &'a str,
    pub labels: &'a str,
    pub annotations: &'a str,
    pub managed_fields: &'a str,
    pub spec: &'a str,
}

impl<'a> Unread<'a> {
    /// Finds them.
    pub fn of(text: &'a str) -> Self {
        let (metadata, spec) = (member(text, "metadata"), member(text, "spec"));
        let [labels, annotations, managed_fields] =
            ["labels", "annotations", "managedFields"].map(|name| member(metadata, name));
        Self { text, metadata, labels, annotations, managed_fields, spec }
    }
}

/// The text of an object's member; empty if there is none.
fn member<'a>(object: &'a str, name: &str) -> &'a str {
    json::member(object, name).unwrap_or_default()
}

/// Why a request's object is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It does not decode as anything that upstream's webhook knows.
    Undecodable(String),
    /// There is none.
    Absent,
}

impl<'a> Carried<'a> {
    /// The object, if it decodes and its kind is one that upstream's webhook knows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn object(&self) -> Result<&Object<'a>, Unusable> {
        match self {
            Self::Absent => Err(Unusable::Absent),
            Self::Unread(_) => Err(Unusable::Undecodable("the object has not been decoded".to_owned())),
            Self::Undecodable(why) => Err(Unusable::Undecodable(why.clone())),
            Self::Object(object) => {
                let kind = object.group_version_kind();
                if super::object::is_registered(kind) { Ok(object) } else { Err(Unusable::Undecodable(unknown(kind))) }
            }
        }
    }
}

fn unknown(kind: GroupVersionKind<'_>) -> String {
    if kind.kind.is_empty() {
        return "the object has no kind".to_owned();
    }
    format!(
        "no kind {:?} is known in {:?}",
        kind.kind,
        format!("{}/{}", kind.group, kind.version).trim_start_matches('/')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(name: &'a str, object: Carried<'a>, review: &'a [u8]) -> Request<'a> {
        Request {
            phase: Phase::Mutate,
            uid: "u".into(),
            operation: Operation::Create,
            kind: ObjectKind::default(),
            resource: Resource::default(),
            subresource: "".into(),
            name: name.into(),
            namespace: "shop".into(),
            username: "".into(),
            dry_run: false,
            object,
            old_object: Carried::Absent,
            review,
        }
    }

    /// What an object is called, as it tells itself and as the review tells that carries it.
    fn called(name: &str, metadata: &str) -> [String; 2] {
        let object = format!(r#"{{"metadata":{metadata},"spec":{{"metadata":{{"generateName":"other-"}}}}}}"#);
        let old = r#"{"metadata":{"generateName":"old-"}}"#;
        let review = format!(r#"{{"request":{{"object":{object},"oldObject":{old}}}}}"#);
        let unread = Carried::Unread(Unread::of(&object));
        let requests = [request(name, unread, b""), request(name, Carried::Absent, review.as_bytes())];
        requests.map(|request| request.called().into_owned())
    }

    #[test]
    fn an_object_is_called_by_its_name_or_by_what_its_name_begins_with() {
        assert_eq!(called("web-1", r#"{"name":"web-1","generateName":"web-"}"#), ["web-1"; 2]);
        assert_eq!(called("", r#"{"labels":{"generateName":"x"},"generateName":"w\u0065b-"}"#), ["web-*"; 2]);
        for silent in ["{}", "null", "7", r#"{"generateName":""}"#, r#"{"generateName":null}"#, r#"{"generateName":7}"#]
        {
            assert_eq!(called("", silent), [""; 2], "{silent}");
        }
    }

    #[test]
    fn an_object_is_called_nothing_where_the_review_does_not_tell() {
        for review in [&b""[..], b"{", b"\xff", b"[]", br#"{"request":{"object":null}}"#, br#"{"request":7}"#] {
            let request = request("", Carried::Undecodable("broken".to_owned()), review);
            assert_eq!(request.called(), "", "{}", String::from_utf8_lossy(review));
        }
    }
}
