//! Agreement in the cluster: two API servers on one etcd, one with its own PodSecurity plugin, one with Portcullis.
//!
//! Both get the same requests; status, text, warnings and audit annotations have to be equal. `N` (requests) and `SEED`
//! come from the environment.

#[path = "oracle/generate/mod.rs"]
#[allow(dead_code, reason = "the oracle uses the rest of it")]
mod generate;
mod harness;
mod settings;
mod workers;

#[path = "agreement/answer.rs"]
mod answer;
#[path = "agreement/order.rs"]
mod order;
#[path = "agreement/request.rs"]
mod request;
#[path = "agreement/run.rs"]
mod run;
#[path = "agreement/stage.rs"]
mod stage;
#[path = "agreement/valid.rs"]
mod valid;

#[test]
fn portcullis_says_what_the_built_in_plugin_says() {
    let complaints = run::run().unwrap();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
