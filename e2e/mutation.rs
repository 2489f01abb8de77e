//! Documents in a real cluster: what pods come out with, whatever makes them and whoever else changes them.
//!
//! One replica, with a service account that has the rights of manifests/base/access.yaml and no more, keeps the registration of one control
//! plane. The tests change the documents that all share, so they take turns.

mod harness;

#[path = "mutation/applying.rs"]
mod applying;
#[path = "mutation/copies.rs"]
mod copies;
#[path = "mutation/corpus.rs"]
mod corpus;
#[path = "mutation/defaults.rs"]
mod defaults;
#[path = "mutation/documents.rs"]
mod documents;
#[path = "mutation/facts.rs"]
mod facts;
#[path = "mutation/flaws.rs"]
mod flaws;
#[path = "mutation/limits.rs"]
mod limits;
#[path = "mutation/mesh.rs"]
mod mesh;
#[path = "mutation/newcomer.rs"]
mod newcomer;
#[path = "mutation/odd.rs"]
mod odd;
#[path = "mutation/other.rs"]
mod other;
#[path = "mutation/reinvocation.rs"]
mod reinvocation;
#[path = "mutation/rich.rs"]
mod rich;
#[path = "registration/rights.rs"]
mod rights;
#[path = "mutation/schema.rs"]
mod schema;
#[path = "mutation/stage.rs"]
mod stage;
#[path = "mutation/told.rs"]
mod told;
#[path = "mutation/updates.rs"]
mod updates;
#[path = "mutation/validity.rs"]
mod validity;
#[path = "mutation/workloads.rs"]
mod workloads;
