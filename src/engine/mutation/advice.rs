//! What to do about each reason, for whoever wrote the pod or the document.
//!
//! It stands on the page of reasons, in what `portcullis explain CODE` prints and in the Events that owners of pods get. It names the
//! fields of documents as they are written.

use super::plan::Reason;

impl Reason {
    /// The reason of this code, in any case.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code().eq_ignore_ascii_case(code))
    }

    /// Whether it is about which pods a document is for.
    pub fn is_row(self) -> bool {
        self <= Self::InByDefault
    }

    /// What to do about it, in whole sentences.
    pub fn advice(self) -> &'static str {
        ADVICE.iter().find(|(reason, _)| *reason == self).map_or("", |(_, advice)| advice)
    }
}

const ADVICE: &[(Reason, &str)] = &[
    (Reason::MirrorPod, "Nothing: change the manifest on the node instead."),
    (
        Reason::HostNetwork,
        "If the document is meant for such pods, set guards.hostNetwork: Allow in it; what it adds then uses the \
         host's network too.",
    ),
    (Reason::HostPid, "If the document is meant for such pods, set guards.hostPID: Allow in it."),
    (Reason::OperatingSystem, "If the document is meant for such pods, list the operating system in its match.os."),
    (
        Reason::NoMatch,
        "If the document is meant for the pod, compare its match with the labels of the pod and of its namespace, \
         the kind of its owner, its containers, its volumes and the resources that it asks for.",
    ),
    (Reason::DocumentDisabled, "To have it carried out, set another mode in the document."),
    (
        Reason::OptOutIgnored,
        "Take the label or annotation away, as nobody heeds it; only the document can leave pods out, by match or \
         another mode.",
    ),
    (
        Reason::Always,
        "If it is not meant for the pod, narrow the document's match, or set mode: OptOut to let pods say no.",
    ),
    (Reason::PodLabel, "If it is not meant, set the pod's label to \"false\"."),
    (Reason::PodAnnotation, "If it is not meant, set the pod's annotation to \"false\"."),
    (Reason::PodOptOut, "If it is not meant, set the pod's label or annotation to \"true\", or take it away."),
    (Reason::LabelAnnotationDisagree, "Take one of the two away, or give both the same value."),
    (Reason::InvalidChoice, "Write \"true\" or \"false\", in quotes and in lower case."),
    (Reason::NamespaceLabel, "If it is not meant for the pod, label the pod \"false\"."),
    (Reason::NamespaceOptOut, "If it is meant for the pod, label the pod \"true\"."),
    (
        Reason::OptedOutByDefault,
        "If it is meant for the pod, set one of the labels of the document's enablement to \"true\", on the pod \
         template or the namespace.",
    ),
    (
        Reason::InByDefault,
        "If it is not meant for the pod, set one of the labels of the document's enablement to \"false\", on the pod \
         template or the namespace.",
    ),
    (
        Reason::ContainerNameTaken,
        "Rename the pod's container; or, in the document, choose another name, or say by conflicts.containerName \
         what is to happen.",
    ),
    (
        Reason::VolumeNameTaken,
        "Rename the pod's volume; or, in the document, choose another name, or set conflicts.volumeName: Rename.",
    ),
    (
        Reason::PortTaken,
        "Have the pod's container listen on another port; or set conflicts.port in the document: Remap moves the \
         sidecar's.",
    ),
    (
        Reason::UidTaken,
        "Run the pod's container as another user: what the sidecar's user sends is treated as the sidecar's own. \
         conflicts.uid in the document says what is to happen.",
    ),
    (Reason::MountPathTaken, "Mount one of the two elsewhere."),
    (
        Reason::EnvironmentTaken,
        "Take the variable out of the container, or choose another onExisting for it in the document: Keep, Replace \
         or Append.",
    ),
    (
        Reason::EnvironmentFromElsewhere,
        "Write the variable's value into the container, or append what the document says where the value comes from.",
    ),
    (
        Reason::OrderConflict,
        "Loosen the placement of the container in the document, or rename the pod's containers that it names; \
         conflicts.order says what is to happen.",
    ),
    (
        Reason::OrderContested,
        "Agree on one order: loosen the placement in the document, or have the other injector loosen its own.",
    ),
    (
        Reason::NativeUnsupported,
        "Upgrade the nodes to Kubernetes 1.29 or later, or set placement.fallback: Container in the document.",
    ),
    (
        Reason::BlocksJob,
        "Upgrade the nodes to Kubernetes 1.29 or later, so that the sidecar ends with the pod's own containers; or leave \
         Jobs out by match.ownerKinds. placement.allowBlockingJob is for pods that end the sidecar themselves.",
    ),
    (Reason::NeedsRoot, "Or, where the namespace allows root, let the pod's security context allow it."),
    (
        Reason::InheritsRoot,
        "Give the sidecar the user that its image is for in the document: container.securityContext.runAsUser.",
    ),
    (Reason::NamedPortMissing, "Declare the port in the container, or write its number into the probe."),
    (Reason::ProbeOfAnother, "Nothing: the other injector answers it."),
    (
        Reason::ProbeTooEarly,
        "Have the sidecar start first: name the container, or \"*\", in its placement.order.before in the document.",
    ),
    (Reason::TakenBack, "Nothing; if it is meant to stay, take the opt-out away."),
    (
        Reason::DefaultTakenBack,
        "Write the value into the manifest if it is its author's; or take the pod from kubectl get --show-managed-fields, \
         which tells.",
    ),
    (Reason::RuntimeClassMissing, "Create the runtime class, or name one that is there."),
    (
        Reason::RuntimeClassUnfit,
        "Take the node selector out of the pod that contradicts the runtime class, or name another class.",
    ),
    (Reason::TooLarge, "Make the pod smaller: move large annotations and variables into ConfigMaps."),
    (Reason::UnknownRevision, "Name a revision that the document has, or take the label away."),
    (Reason::UnknownOverride, "Write a key that the document lists in overrides.fields, or take the annotation away."),
    (Reason::InvalidOverride, "Write a value within the bounds of that key in the document's overrides.fields."),
    (Reason::ProbeLost, "Write the probe again as it is to be."),
    (Reason::ValueReplaced, "Write the value again as it is to be."),
    (
        Reason::StaleClaimIgnored,
        "Take what is left out of the pod template by hand, and its annotation portcullis.dev/applied with it: it \
         was copied from another pod, or was not written by Portcullis.",
    ),
    (Reason::GracePeriodIsZero, "Set terminationGracePeriodSeconds to at least what the sidecar needs."),
    (
        Reason::QosBestEffortToBurstable,
        "Nothing, mostly. If pods must stay BestEffort, set qos: Strict for the container in the document.",
    ),
    (
        Reason::QosWouldChange,
        "Give the sidecar requests for cpu and memory in the document, or choose another qos for it; or give the \
         pod's containers limits that are their requests.",
    ),
    (Reason::IntegralCpu, "Ask for a fraction more or less in the document, if the sidecar needs no cores of its own."),
    (
        Reason::LimitRangeInfeasible,
        "Bring the amounts of the pod and of the document within the namespace's LimitRange, or change that; kubectl \
         describe limitrange shows it.",
    ),
    (Reason::LimitRangeClamped, "Nothing, unless the amount is too small or too large for what runs there."),
    (
        Reason::PodLevelDoesNotFit,
        "Raise the pod's own resources (spec.resources), or set podLevel: Extend or Omit for the container in the \
         document.",
    ),
    (
        Reason::RequestAboveDefaultLimit,
        "Write a limit into the container, or say by resources.requestAboveDefaultLimit in the document what is to \
         happen.",
    ),
    (Reason::NoAmountKnown, "Give the pod's containers requests, or the document a proportion.onUnknown that fits."),
    (Reason::AmountTooLarge, "Write a smaller amount or percentage."),
    (Reason::EffectiveRequests, "Nothing; quotas count what is added."),
    (
        Reason::NotGuaranteed,
        "Write requests and limits that are equal into the containers, or leave one of the two out.",
    ),
    (
        Reason::RunsAsRoot,
        "Run the container as another user than 0, or leave it out by security.containers in the document.",
    ),
    (
        Reason::ServiceAccountUnknown,
        "Create the service account before its pods; or, where a default is left out over it, set \
         automountServiceAccountToken in the pod.",
    ),
    (Reason::UserUnknown, "Set runAsUser to the user that the image runs as, or runAsNonRoot to what holds for it."),
    (Reason::ImagePullSecretsInTemplate, "Nothing: in a cluster the pod gets them when it is created."),
    (Reason::PriorityClassMissing, "Create the priority class, or name one in the document that is there."),
    (Reason::SelectorUnknown, "Set the selector of the spread constraint in the pod template."),
    (
        Reason::WouldViolatePodSecurity,
        "Change what the document adds so that the namespace's standard allows it, leave the namespace out by \
         match.namespaceSelector, or relax the standard.",
    ),
    (
        Reason::SelfCheckFailed,
        "Keep the pod and the document for the report. Until it is mended, leave the pod out by the document's match.",
    ),
    (
        Reason::ItemMissing,
        "See which webhooks change the pod (kubectl get mutatingwebhookconfigurations), and whether Portcullis is \
         among them.",
    ),
    (
        Reason::ImageElsewhere,
        "If the registry is a mirror of yours, list it in the document's spec.imageMirrors. Otherwise see which webhook put \
         it there (kubectl get mutatingwebhookconfigurations).",
    ),
    (Reason::AnnotationsFull, "Take annotations out of the pod, which may have 256 KiB of them."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_something_to_do_about_every_reason() {
        for reason in Reason::ALL {
            let advice = reason.advice();
            assert!(advice.ends_with('.') && advice.len() < 300, "{reason:?}: {advice:?}");
            assert_eq!(Reason::of_code(&reason.code().to_uppercase()), Some(*reason));
        }
        assert_eq!(Reason::of_code("no_such_reason"), None);
    }
}
