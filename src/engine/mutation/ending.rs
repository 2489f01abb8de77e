//! What the way in which a pod ends forbids its containers: which a document cannot know, as it is the pod's.
//!
//! Source: `validateSleepAction` and `validateResizePolicy` of `k8s.io/kubernetes/pkg/apis/core/validation`.

use super::selection::containers;
use super::tree::Node;

/// The grace period of a pod that names none, in seconds.
const DEFAULT_GRACE_PERIOD: i64 = 30;

/// What the API server would refuse.
pub(super) fn flaws(pod: &Node<'_>) -> Vec<String> {
    let grace = pod.at(&["spec", "terminationGracePeriodSeconds"]).and_then(Node::integer);
    let grace = grace.unwrap_or(DEFAULT_GRACE_PERIOD);
    let ends_for_good =
        pod.at(&["spec", "restartPolicy"]).and_then(Node::string).is_some_and(|policy| policy == "Never");
    let mut flaws = Vec::new();
    for container in containers(pod) {
        let name = container.string_at("name").unwrap_or_default();
        for hook in ["postStart", "preStop"] {
            let seconds = container.at(&["lifecycle", hook, "sleep", "seconds"]).and_then(Node::integer);
            if let Some(seconds) = seconds.filter(|seconds| *seconds > grace) {
                flaws.push(format!("container {name:?} sleeps for {seconds} s, and the pod has {grace} s to end in"));
            }
        }
        let mut policies = container.list("resizePolicy").filter_map(|policy| policy.string_at("restartPolicy"));
        if ends_for_good && policies.any(|policy| policy == "RestartContainer") {
            flaws.push(format!("container {name:?} is to be restarted when it is resized, and the pod restarts none"));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws_of(container: &str, further: &str) -> usize {
        let container = format!(r#"{{"name":"c","image":"i",{container}}}"#);
        flaws(&Node::new(format!(r#"{{"spec":{{"containers":[{container}]{further}}}}}"#))).len()
    }

    #[test]
    fn a_hook_sleeps_no_longer_than_the_pod_ends() {
        let sleep = r#""lifecycle":{"preStop":{"sleep":{"seconds":20}}}"#;
        assert_eq!(flaws_of(sleep, ""), 0);
        assert_eq!(flaws_of(sleep, r#","terminationGracePeriodSeconds":20"#), 0);
        assert_eq!(flaws_of(sleep, r#","terminationGracePeriodSeconds":0"#), 1);
    }

    #[test]
    fn nothing_is_restarted_in_a_pod_that_restarts_nothing() {
        let policy = r#""resizePolicy":[{"resourceName":"memory","restartPolicy":"RestartContainer"}]"#;
        assert_eq!(flaws_of(policy, r#","restartPolicy":"Always""#), 0);
        assert_eq!(flaws_of(policy, r#","restartPolicy":"Never""#), 1);
    }
}
