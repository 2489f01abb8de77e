//! Random pods under random documents: what mutation promises, it keeps for each of ten thousand.
//!
//! A pod arrives as the API server completes it, `PodDefaults` and `SidecarInjection`s are carried out on it, and it comes back. The pods
//! are those that a real API server takes (`e2e/defaulting`). `N` (pods) and `SEED` come from the environment; what breaks a promise is
//! shrunk and shown.

mod case;
mod defaults;
mod found;
mod injections;
mod laws;
mod outcome;
mod run;

#[path = "../../e2e/oracle/generate/edit.rs"]
mod edit;
#[path = "../../e2e/defaulting/pod.rs"]
#[allow(dead_code, reason = "the run against the API server counts its choices")]
mod pod;
#[path = "../../e2e/oracle/generate/random.rs"]
mod random;
#[path = "../../e2e/settings.rs"]
mod settings;
#[path = "../../e2e/oracle/shrink.rs"]
mod shrink;
#[path = "../../e2e/defaulting/tables.rs"]
#[allow(dead_code, reason = "the run against the API server uses the rest of it")]
mod tables;
#[path = "../../e2e/defaulting/volumes.rs"]
mod volumes;
#[path = "../../e2e/workers.rs"]
mod workers;

#[test]
fn i5_ten_thousand_random_pods_come_out_as_is_promised() {
    let complaints = run::run().unwrap();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
