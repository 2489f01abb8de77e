//! A single object that we keep or heed: where it lives in the API, and what we ask about it.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use kube::core::Request;
use kube::core::params::{GetParams, PostParams, WatchParams};

use super::error::ClusterError;

/// How long a watch of a single object lasts, in seconds. It begins with what the object is, so nothing is lost between two.
const WATCH_SECONDS: u32 = 60;

/// Who we are to server-side apply: what we own of an object is what we last applied.
pub(super) const FIELD_MANAGER: &str = "portcullis";

/// Where an object lives.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Such as `/api/v1/namespaces/portcullis-system/secrets`.
    collection: String,
    name: String,
}

/// What is done with an object; bodies are JSON.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed<'d> {
    Read,
    /// Refused with 409 if it is there.
    Create(&'d [u8]),
    /// Refused with 409 if the body's `resourceVersion` is not the current one.
    Replace(&'d [u8]),
    /// Server-side apply by force: our fields become what the body says, whoever owned them. A `resourceVersion` in the body is a
    /// precondition. Answered with 201 if it was created.
    Apply(&'d [u8]),
    /// With DeleteOptions.
    Remove(&'d [u8]),
    /// What it is now, then what happens to it, for a minute.
    Watch,
}

impl Place {
    /// `name` must be a name, see [`super::question::is_name`].
    pub(super) fn new(collection: impl Into<String>, name: impl Into<String>) -> Self {
        Self { collection: collection.into(), name: name.into() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn request(&self, deed: Deed<'_>) -> Result<http::Request<Vec<u8>>, ClusterError> {
        let collection = Request::new(&self.collection);
        let manager = || PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        Ok(match deed {
            Deed::Read => collection.get(&self.name, &GetParams::default())?,
            Deed::Create(body) => collection.create(&manager(), body.to_vec())?,
            Deed::Replace(body) => collection.replace(&self.name, &manager(), body.to_vec())?,
            Deed::Apply(body) => self.apply(body)?,
            Deed::Remove(options) => {
                let mut request = collection.get(&self.name, &GetParams::default())?.map(|_| options.to_vec());
                *request.method_mut() = Method::DELETE;
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                request
            }
            Deed::Watch => {
                let parameters = WatchParams {
                    timeout: Some(WATCH_SECONDS),
                    field_selector: Some(format!("metadata.name={}", self.name)),
                    bookmarks: false,
                    ..WatchParams::default()
                };
                collection.watch(&parameters, "")?
            }
        })
    }

    /// kube's own apply takes typed values; ours are bytes already. JSON is YAML.
    fn apply(&self, body: &[u8]) -> Result<http::Request<Vec<u8>>, ClusterError> {
        let target = format!("{}/{}?fieldManager={FIELD_MANAGER}&force=true", self.collection, self.name);
        http::Request::builder()
            .method(Method::PATCH)
            .uri(target)
            .header(CONTENT_TYPE, "application/apply-patch+yaml")
            .body(body.to_vec())
            .map_err(|error| ClusterError::Question(kube::core::request::Error::BuildRequest(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(deed: Deed<'_>) -> (Method, String, Vec<u8>) {
        let place = Place::new("/api/v1/namespaces/p/secrets", "s");
        let request = place.request(deed).expect("a request");
        (request.method().clone(), request.uri().to_string().replace("?&", "?"), request.into_body())
    }

    #[test]
    fn every_deed_is_a_request_at_the_place() {
        let path = "/api/v1/namespaces/p/secrets";
        assert_eq!(asked(Deed::Read), (Method::GET, format!("{path}/s"), Vec::new()));
        let (method, uri, body) = asked(Deed::Create(b"{}"));
        assert_eq!(
            (method, uri.as_str(), body),
            (Method::POST, &*format!("{path}?fieldManager=portcullis"), b"{}".into())
        );
        let (method, uri, _) = asked(Deed::Replace(b"{}"));
        assert_eq!((method, uri.as_str()), (Method::PUT, &*format!("{path}/s?fieldManager=portcullis")));
        let (method, uri, _) = asked(Deed::Apply(b"{}"));
        assert_eq!((method, uri.as_str()), (Method::PATCH, &*format!("{path}/s?fieldManager=portcullis&force=true")));
        let (method, uri, body) = asked(Deed::Remove(b"{}"));
        assert_eq!((method, uri.as_str(), body), (Method::DELETE, &*format!("{path}/s"), b"{}".into()));
        let (method, uri, _) = asked(Deed::Watch);
        assert_eq!(method, Method::GET);
        for part in ["watch=true", "fieldSelector=metadata.name%3Ds", "timeoutSeconds=60"] {
            assert!(uri.contains(part), "{part} is missing from {uri}");
        }
    }
}
