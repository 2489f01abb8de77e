//! One random admission review, in a cluster of its own, under a configuration of its own.
//!
//! Most are such as an API server sends; some have what only a faulty client would send, because the answer to those is
//! part of the behaviour too.

mod cluster;
mod config;
mod envelope;
pub mod labels;
mod object;
mod scenario;

use super::random::Random;
use serde_json::{Value, json};

/// The namespaces that requests name and that may or may not be there.
pub const NAMESPACES: &[&str] = &["team-a", "team-a", "team-a", "team-b", "kube-system"];
pub const USERS: &[&str] = &["alice", "bob", "system:serviceaccount:kube-system:replicaset-controller"];
pub const RUNTIME_CLASSES: &[&str] = &["gvisor", "kata", "runc.v2"];

/// The question that the judge answers and `decide` too: `{op: "review", config, namespaces, pods, review}`.
pub fn question(seed: u64, index: u64) -> Value {
    // Reviews draw from another stream than the pods of the same seed.
    let mut random = Random::of_case(!seed, index);
    let config = config::config(&mut random);
    let target = object::target(&mut random);
    let namespace = random.word(NAMESPACES);
    let pods = if target.resource == "namespaces" { cluster::pods(namespace, &mut random) } else { Vec::new() };
    let namespaces = cluster::namespaces(&mut random);
    let review = envelope::review(target, namespace, &mut random);
    let mut question =
        json!({"op": "review", "config": config, "namespaces": namespaces, "pods": pods, "review": review});
    if random.percent(2) {
        scenario::stage(&mut question, &mut random);
    }
    question
}

#[cfg(test)]
mod tests {
    use super::question;

    #[test]
    fn makes_the_same_review_from_the_same_seed_and_index() {
        assert_eq!(question(1, 42), question(1, 42));
    }
}
