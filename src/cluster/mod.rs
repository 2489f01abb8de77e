//! All that talks to the API server: what is known of the cluster, kept current, and what single reviews need beside it.
//!
//! A cluster is ready once its namespaces have been listed and while what is known of them is proven fresh. Every read has a
//! deadline, every answer a bound in bytes, and no object's body is ever logged.

mod access;
mod certificates;
mod clock;
mod collection;
mod documents;
mod error;
mod event;
mod follow;
mod freshness;
mod held;
mod lines;
mod live;
mod namespaces;
mod objects;
mod owners;
mod pages;
mod place;
mod pods;
mod question;
mod registration;
mod release;
mod runtime_classes;
mod service_accounts;
mod single;
mod state;
mod store;
mod surroundings;

pub use access::Access;
pub use certificates::{Certificates, Origin, Published};
pub use error::ClusterError;
pub use live::Cluster;
pub use owners::Owners;
pub use pods::ExistingPodsFound;
pub use registration::{Disabled, Enabled, LONGEST_DISABLED, Marker, Registration, disable, enable};
pub use release::Release;
