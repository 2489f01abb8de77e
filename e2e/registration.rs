//! Portcullis keeping itself registered with a real API server: what is registered, what is repaired, what is never refused.
//!
//! Two replicas, with a service account that has the rights of manifests/base/access.yaml and no more, keep the configurations of one
//! control plane. The tests change what all share, so they take turns.

mod harness;

#[path = "registration/departure.rs"]
mod departure;
#[path = "registration/lockout.rs"]
mod lockout;
#[path = "registration/repair.rs"]
mod repair;
#[path = "registration/rights.rs"]
mod rights;
#[path = "registration/slipped.rs"]
mod slipped;
#[path = "registration/stage.rs"]
mod stage;
#[path = "registration/switch.rs"]
mod switch;
