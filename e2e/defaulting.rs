//! Defaulting in the cluster: random pods are sent to a real API server, and what a webhook is shown of each is what our model of its
//! arrival says.
//!
//! The model is `engine::mutation::arrival`, on which every test of convergence rests; the defaults that `check` fills in are held too.
//! `N` (pods that are accepted) and `SEED` come from the environment.

mod harness;
mod settings;
mod workers;

#[path = "defaulting/difference.rs"]
mod difference;
#[path = "oracle/generate/edit.rs"]
mod edit;
#[path = "mutation/other.rs"]
mod other;
#[path = "defaulting/pod.rs"]
mod pod;
#[path = "oracle/generate/random.rs"]
mod random;
#[path = "defaulting/run.rs"]
mod run;
#[path = "defaulting/stage.rs"]
mod stage;
#[path = "defaulting/tables.rs"]
mod tables;
#[path = "defaulting/volumes.rs"]
mod volumes;

#[test]
fn a_webhook_sees_what_the_model_says() {
    let complaints = run::run().unwrap();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
