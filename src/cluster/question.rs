//! What we ask of the API server: all of it. The role that is installed with us needs to allow this and no more.

use std::time::Duration;

use kube::core::Request;
use kube::core::params::{GetParams, ListParams, WatchParams};

use super::error::ClusterError;
use super::place::{Deed, Place};

/// How long a watch lasts, in seconds. The API server sends a bookmark two seconds before its end, so that a watch that is
/// this short proves often how far it is.
const WATCH_SECONDS: u32 = 10;

/// Longer than agreed: a watch that lasts for longer hangs.
pub(super) const LONGEST_WATCH: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 3);

#[derive(Debug, Clone, Copy)]
pub(super) enum Question<'q> {
    /// One namespace; the name must be one, see [`is_name`].
    Namespace(&'q str),
    /// One service account; the names must be such, see [`is_name`] and [`is_service_account_name`].
    ServiceAccount { namespace: &'q str, name: &'q str },
    /// A page of a list.
    List(Listing<'q>, Page<'q>),
    /// What happened to namespaces after this version.
    Changes { since: &'q str },
    /// What happened to the objects of a collection after this version.
    ChangesOf { path: &'q str, since: &'q str },
    /// The version of the API server itself.
    ServerVersion,
    /// The version that the cluster has reached, by a consistent list of a single namespace.
    Newest,
    /// Something about a single object that we keep or heed.
    Object(&'q Place, Deed<'q>),
}

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listing<'q> {
    Namespaces,
    /// The pods of this namespace; the name must be one, see [`is_name`].
    PodsOf(&'q str),
    /// The collection at this path.
    Collection(&'q str),
    /// The pods of all namespaces.
    AllPods,
}

/// A page of a list: at most `limit` objects, from the start or from where the last page ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'q> {
    pub(super) limit: u32,
    pub(super) token: Option<&'q str>,
}

impl Question<'_> {
    pub(super) fn request(&self) -> Result<http::Request<Vec<u8>>, ClusterError> {
        let namespaces = Request::new("/api/v1/namespaces");
        Ok(match self {
            Self::Namespace(name) => namespaces.get(name, &GetParams::default())?,
            Self::ServiceAccount { namespace, name } => {
                Request::new(format!("/api/v1/namespaces/{namespace}/serviceaccounts"))
                    .get(name, &GetParams::default())?
            }
            Self::List(Listing::Namespaces, page) => namespaces.list(&page.parameters())?,
            Self::List(Listing::PodsOf(name), page) => {
                Request::new(format!("/api/v1/namespaces/{name}/pods")).list(&page.parameters())?
            }
            Self::List(Listing::Collection(path), page) => Request::new(*path).list(&page.parameters())?,
            Self::Changes { since } => namespaces.watch(&changes(), since)?,
            Self::ChangesOf { path, since } => Request::new(*path).watch(&changes(), since)?,
            Self::ServerVersion => {
                let target = http::Request::get("/version").body(Vec::new());
                target.map_err(|error| ClusterError::Question(kube::core::request::Error::BuildRequest(error)))?
            }
            Self::List(Listing::AllPods, page) => Request::new("/api/v1/pods").list(&page.parameters())?,
            Self::Newest => namespaces.list(&ListParams::default().fields("metadata.name=kube-system"))?,
            Self::Object(place, deed) => place.request(*deed)?,
        })
    }
}

fn changes() -> WatchParams {
    WatchParams { timeout: Some(WATCH_SECONDS), bookmarks: true, ..WatchParams::default() }
}

impl Page<'_> {
    fn parameters(&self) -> ListParams {
        let parameters = ListParams::default().limit(self.limit);
        match self.token {
            Some(token) => parameters.continue_token(token),
            None => parameters,
        }
    }
}

/// Whether this can name a namespace (an RFC 1123 label). Names come from reviews and become part of a path.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 63 && is_label(name)
}

/// Whether this can name a service account (an RFC 1123 subdomain). Names come from reviews and become part of a path.
pub(super) fn is_service_account_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_namespaces_become_part_of_a_path() {
        for name in ["a", "team-7", "7", &"x".repeat(63)] {
            assert!(is_name(name), "{name:?}");
        }
        for name in ["", "..", "a/b", "a?watch=1", "-a", "a-", "A", "ä", "a.b", &"x".repeat(64)] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn only_names_of_service_accounts_become_part_of_a_path() {
        for name in ["default", "system.shop-7", &"x".repeat(253)] {
            assert!(is_service_account_name(name), "{name:?}");
        }
        for name in ["", ".", "..", "a..b", "a/b", "a?watch=1", "-a", "a-.b", "A", &"x".repeat(254)] {
            assert!(!is_service_account_name(name), "{name:?}");
        }
    }

    #[test]
    fn every_question_is_a_path_that_the_role_allows() {
        let page = Page { limit: 500, token: Some("a=b&c") };
        let uri = |question: Question<'_>| question.request().expect("a request").uri().to_string();
        assert_eq!(uri(Question::Namespace("shop")), "/api/v1/namespaces/shop");
        let account = Question::ServiceAccount { namespace: "shop", name: "web" };
        assert_eq!(uri(account), "/api/v1/namespaces/shop/serviceaccounts/web");
        assert_eq!(uri(Question::List(Listing::Namespaces, page)), "/api/v1/namespaces?&limit=500&continue=a%3Db%26c");
        let watch = uri(Question::Changes { since: "7" });
        for part in ["watch=true", "timeoutSeconds=10", "allowWatchBookmarks=true", "resourceVersion=7"] {
            assert!(watch.contains(part), "{part} is missing from {watch}");
        }
        assert_eq!(uri(Question::Newest), "/api/v1/namespaces?&fieldSelector=metadata.name%3Dkube-system");
        assert!(uri(Question::List(Listing::PodsOf("shop"), page)).starts_with("/api/v1/namespaces/shop/pods?"));
    }
}
