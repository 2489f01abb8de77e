//! What the way in which a pod ends forbids its containers: which a document cannot know, as it is the pod's.
//!
//! Source: `validateSleepAction` and `validateResizePolicy` of `k8s.io/kubernetes/pkg/apis/core/validation`.

use super::tree::Node;

/// The grace period of a pod that names none, in seconds.
const DEFAULT_GRACE_PERIOD: i64 = 30;

/// How a pod ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// In seconds.
    grace: i64,
    is_for_good: bool,
}

impl Ending {
    pub(super) fn of(pod: &Node<'_>) -> Self {
        let spec = |field: &str| pod.at(&["spec", field]);
        let policy = spec("restartPolicy").and_then(Node::string);
        Self {
            grace: spec("terminationGracePeriodSeconds").and_then(Node::integer).unwrap_or(DEFAULT_GRACE_PERIOD),
            is_for_good: policy.is_some_and(|policy| policy == "Never"),
        }
    }

    /// Whether it matters to a container how its pod ends.
    pub(super) fn concerns(container: &Node<'_>) -> bool {
        ["lifecycle", "resizePolicy"].iter().any(|field| container.get(field).is_some())
    }

    /// What the API server would refuse of a container in a pod that ends so.
    pub(super) fn flaws(self, container: &Node<'_>) -> Vec<String> {
        let name = container.string_at("name").unwrap_or_default();
        let mut flaws = Vec::new();
        for hook in ["postStart", "preStop"] {
            let seconds = container.at(&["lifecycle", hook, "sleep", "seconds"]).and_then(Node::integer);
            if let Some(seconds) = seconds.filter(|seconds| *seconds > self.grace) {
                let grace = self.grace;
                flaws.push(format!("container {name:?} sleeps for {seconds} s, and the pod has {grace} s to end in"));
            }
        }
        let mut policies = container.list("resizePolicy").filter_map(|policy| policy.string_at("restartPolicy"));
        if self.is_for_good && policies.any(|policy| policy == "RestartContainer") {
            flaws.push(format!("container {name:?} is to be restarted when it is resized, and the pod restarts none"));
        }
        flaws
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws_of(container: &str, further: &str) -> usize {
        let container = format!(r#"{{"name":"c","image":"i",{container}}}"#);
        let pod = Node::new(format!(r#"{{"spec":{{"containers":[]{further}}}}}"#));
        Ending::of(&pod).flaws(&Node::new(container)).len()
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
