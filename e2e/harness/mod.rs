//! A real control plane for tests: etcd, kube-apiservers, controllers and Portcullis as processes on loopback addresses.
//!
//! Whatever a test does, and however it ends, no process outlives it and nothing waits without a bound.
//!
//! Read in this order: `plane` puts the parts together, `api`, `pool` and `kubectl` speak to it, `portcullis` and `webhook`
//! stand in front of it, `replicas` and `balancer` do so several at a time. The rest is what a part needs: its flags, its certificates, its addresses.
#![allow(dead_code, unused_imports, reason = "each test target uses the part of it that it needs")]

mod addresses;
mod admission;
mod api;
mod api_server;
mod audit;
mod balancer;
mod certificates;
mod controllers;
mod etcd;
mod helm;
mod kernel;
mod kubeconfig;
mod kubectl;
mod plane;
mod pool;
mod portcullis;
mod process;
mod programs;
mod replicas;
mod rights;
mod shared;
mod state;
mod webhook;

pub use addresses::{Addresses, free_port};
pub use admission::{Admission, CLIENT_NAME};
pub use api::{Answer, Api};
pub use api_server::{ApiServer, ApiServerSettings};
pub use audit::AuditLog;
pub use balancer::Balancer;
pub use etcd::answers_200;
pub use helm::Helm;
pub use kernel::Signal;
pub use kubectl::{Kubectl, Said};
pub use plane::{ControlPlane, Settings};
pub use pool::{Ask, Pool};
pub use portcullis::Portcullis;
pub use process::{Process, until};
pub use replicas::Replicas;
pub use rights::to_watch;
pub use shared::Shared;
pub use webhook::{Registration, Service};
