//! Portcullis in front of a real API server, once through everything that it promises: registered, called, believed.
//!
//! The API server runs without its own PodSecurity plugin, so every refusal, warning and annotation here is ours. All tests
//! share one control plane, and keep to namespaces or names of their own.

mod harness;

#[path = "gate/clients.rs"]
mod clients;
#[path = "gate/exemptions.rs"]
mod exemptions;
#[path = "gate/modes.rs"]
mod modes;
#[path = "gate/namespaces.rs"]
mod namespaces;
#[path = "gate/objects.rs"]
mod objects;
#[path = "gate/pods.rs"]
mod pods;
#[path = "gate/recipe.rs"]
mod recipe;
#[path = "gate/stage.rs"]
mod stage;
#[path = "gate/updates.rs"]
mod updates;
#[path = "gate/workloads.rs"]
mod workloads;
