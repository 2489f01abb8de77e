//! The installation that a process belongs to: what its objects are called and where they live.

use super::place::Place;
use super::question::is_name;

/// An installation. All its objects are found by its name; several may be in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    name: String,
    namespace: String,
    service_port: u16,
}

impl Release {
    /// None unless both are RFC 1123 labels: they become parts of paths and of a DNS name.
    pub fn new(name: &str, namespace: &str, service_port: u16) -> Option<Self> {
        let are_names = is_name(name) && is_name(namespace);
        are_names.then(|| Self { name: name.to_owned(), namespace: namespace.to_owned(), service_port })
    }

    /// What its Service, its ClusterRole and its webhook configurations are called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its Service, its pods and its Secret are.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The port of its Service.
    pub fn service_port(&self) -> u16 {
        self.service_port
    }

    /// The DNS name under which the API server calls its Service.
    pub fn host(&self) -> String {
        format!("{}.{}.svc", self.name, self.namespace)
    }

    /// The Secret with the certificates that it keeps for itself.
    pub(super) fn kept_certificates(&self) -> Place {
        self.secret(&format!("{}-certificates", self.name))
    }

    /// A Secret in its namespace.
    pub(super) fn secret(&self, name: &str) -> Place {
        Place::new(format!("/api/v1/namespaces/{}/secrets", self.namespace), name)
    }

    /// The ConfigMap that says that it is disabled, by whom, why and until when.
    pub(super) fn disabled(&self) -> Place {
        let name = format!("{}-disabled", self.name);
        Place::new(format!("/api/v1/namespaces/{}/configmaps", self.namespace), name)
    }

    /// The cluster-scoped object with which everything of it goes: the owner of its webhook configurations.
    pub(super) fn owner(&self) -> Place {
        Place::new("/apis/rbac.authorization.k8s.io/v1/clusterroles", &self.name)
    }
}
