//! The one table of metrics: what `/metrics` renders and what `docs/reference/metrics.md` describes.

/// A metric as Prometheus knows it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, labels, help }
}

pub(super) const EVALUATIONS: Metric = metric(
    "pod_security_evaluations_total",
    Kind::Counter,
    &["decision", "policy_level", "policy_version", "mode", "request_operation", "resource", "subresource"],
    "Number of policy evaluations that occurred, not counting ignored or exempt requests.",
);
pub(super) const EXEMPTIONS: Metric = metric(
    "pod_security_exemptions_total",
    Kind::Counter,
    &["request_operation", "resource", "subresource"],
    "Number of exempt requests, not counting ignored or out of scope requests.",
);
pub(super) const ERRORS: Metric = metric(
    "pod_security_errors_total",
    Kind::Counter,
    &["fatal", "request_operation", "resource", "subresource"],
    "Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being \
     used for evaluation.",
);
pub(super) const REQUESTS: Metric = metric(
    "portcullis_requests_total",
    Kind::Counter,
    &["phase", "operation", "outcome", "code"],
    "Requests answered. outcome: allowed, denied (code is the verdict's), refused (no verdict; code is the HTTP status) or \
     failed (a fault of ours).",
);
pub(super) const DURATION: Metric = metric(
    "portcullis_request_duration_seconds",
    Kind::Histogram,
    &["phase"],
    "Time from a request's head to its answer, reading the body included.",
);
pub(super) const IN_FLIGHT: Metric = metric(
    "portcullis_requests_in_flight",
    Kind::Gauge,
    &[],
    "Requests whose head has been read and that are not answered yet.",
);
pub(super) const CONNECTIONS: Metric = metric(
    "portcullis_connections",
    Kind::Gauge,
    &[],
    "Connections that are open, those in their TLS handshake included.",
);
pub(super) const ACCEPTED: Metric =
    metric("portcullis_connections_total", Kind::Counter, &[], "Connections that were accepted.");
pub(super) const ACCEPT_ERRORS: Metric = metric(
    "portcullis_accept_errors_total",
    Kind::Counter,
    &[],
    "Failures to accept a connection, such as a lack of file descriptors.",
);
pub(super) const HANDSHAKE_FAILURES: Metric = metric(
    "portcullis_tls_handshake_failures_total",
    Kind::Counter,
    &[],
    "TLS handshakes that failed or took too long, refused client certificates included.",
);
pub(super) const PANICS: Metric = metric(
    "portcullis_panics_total",
    Kind::Counter,
    &[],
    "Faults that were caught; each cost one request its verdict.",
);
pub(super) const EXPIRY: Metric = metric(
    "portcullis_certificate_expiry_timestamp_seconds",
    Kind::Gauge,
    &[],
    "When the serving certificate expires, in seconds since 1970; no sample while there is none.",
);
pub(super) const AUTHORITY_EXPIRY: Metric = metric(
    "portcullis_certificate_authority_expiry_timestamp_seconds",
    Kind::Gauge,
    &[],
    "When the authority expires that clients trust the serving certificate for, in seconds since 1970; no sample if it is not \
     known, as with files.",
);
pub(super) const ISSUED: Metric = metric(
    "portcullis_certificates_issued_total",
    Kind::Counter,
    &["kind"],
    "Certificates that this replica made and all replicas use. kind: authority or leaf.",
);
pub(super) const REPAIRS: Metric = metric(
    "portcullis_certificate_repairs_total",
    Kind::Counter,
    &[],
    "Times that this replica found the Secret of the kept certificates missing or unusable, and wrote it.",
);
pub(super) const RELOADS: Metric = metric(
    "portcullis_certificate_reloads_total",
    Kind::Counter,
    &[],
    "Serving certificates that were taken into use in place of others, from files or from a Secret.",
);
pub(super) const RELOAD_FAILED: Metric = metric(
    "portcullis_certificate_reload_failed",
    Kind::Gauge,
    &[],
    "1 while the files or the Secret of the serving certificate cannot be used or kept, and what was there before is in use, else 0.",
);
pub(super) const CLIENT_AUTHORITY_FAILED: Metric = metric(
    "portcullis_client_authority_reload_failed",
    Kind::Gauge,
    &[],
    "1 while the client CA file is unusable and what it held before is kept in use, else 0.",
);
pub(super) const NAMESPACES: Metric =
    metric("portcullis_namespaces", Kind::Gauge, &[], "Namespaces of the cluster that are known; 0 without a cluster.");
pub(super) const NAMESPACES_AGE: Metric = metric(
    "portcullis_namespaces_age_seconds",
    Kind::Gauge,
    &[],
    "How long ago everything about namespaces was known for sure, by a heartbeat; no sample before the first full list.",
);
pub(super) const NAMESPACE_LISTS: Metric = metric(
    "portcullis_namespace_lists_total",
    Kind::Counter,
    &[],
    "Full lists of the cluster's namespaces: one at the start, and one whenever the watch could not go on.",
);
pub(super) const NAMESPACE_READS: Metric = metric(
    "portcullis_namespace_reads_total",
    Kind::Counter,
    &["outcome"],
    "Namespaces that were read live because the watch had not told of them. outcome: found, absent or failed.",
);
pub(super) const CLUSTER_ERRORS: Metric = metric(
    "portcullis_cluster_errors_total",
    Kind::Counter,
    &[],
    "Lists, watches, heartbeats and writes that failed; each is tried again.",
);
pub(super) const DOCUMENTS: Metric = metric(
    "portcullis_documents",
    Kind::Gauge,
    &[],
    "Documents of portcullis.dev in force, from files and from the cluster.",
);
pub(super) const DOCUMENTS_FLAWED: Metric = metric(
    "portcullis_documents_flawed",
    Kind::Gauge,
    &[],
    "Documents of the cluster that do not compile: their last good form stays in force, where there was one.",
);
pub(super) const VERSION_KNOWN: Metric = metric(
    "portcullis_api_server_version_known",
    Kind::Gauge,
    &[],
    "1 once the API server has told its version; while 0, no kubelet is taken to know native sidecars.",
);
pub(super) const SERVICE_ACCOUNTS: Metric = metric(
    "portcullis_service_accounts",
    Kind::Gauge,
    &[],
    "Service accounts of the cluster that are known; 0 while no document asks for their labels.",
);
pub(super) const SERVICE_ACCOUNT_READS: Metric = metric(
    "portcullis_service_account_reads_total",
    Kind::Counter,
    &["outcome"],
    "Service accounts that were read live because the watch had not told of them. outcome: found, absent or failed.",
);
pub(super) const REGISTERED: Metric = metric(
    "portcullis_registered",
    Kind::Gauge,
    &["configuration"],
    "1 while the webhook configuration is there, as this replica last saw it; 0 while it is not, or is not ours to keep.",
);
pub(super) const REGISTRATION_REPAIRS: Metric = metric(
    "portcullis_registration_repairs_total",
    Kind::Counter,
    &[],
    "Times that this replica found a webhook configuration deleted or changed and put it right.",
);
pub(super) const DISABLED_UNTIL: Metric = metric(
    "portcullis_disabled_until_timestamp_seconds",
    Kind::Gauge,
    &[],
    "Until when Portcullis is disabled, in seconds since 1970; 0 if it is not.",
);
pub(super) const SLIPPED_PODS: Metric = metric(
    "portcullis_slipped_pods_total",
    Kind::Counter,
    &[],
    "Pods that were admitted while the registration was not as it should be, and would have been refused.",
);
pub(super) const DECISIONS: Metric = metric(
    "portcullis_mutation_decisions_total",
    Kind::Counter,
    &["document", "reason", "outcome"],
    "What documents came to for pods. document: its kind and name, or other; reason: its code, see the page of reasons; outcome: \
     noted, warned, skipped (the document was left out of the pod) or denied. What is about several containers counts for each.",
);
pub(super) const SELF_CHECK_FAILURES: Metric = metric(
    "portcullis_self_check_failures_total",
    Kind::Counter,
    &[],
    "Documents that were left out of a pod, or refused it, as the result would not have been a pod: a fault of Portcullis.",
);
pub(super) const OWNER_EVENTS: Metric = metric(
    "portcullis_owner_events_total",
    Kind::Counter,
    &["outcome"],
    "Events for the owners of pods. outcome: told, known (there already, from another replica), dropped (more than may wait or be \
     written) or failed.",
);
pub(super) const READY: Metric = metric("portcullis_ready", Kind::Gauge, &[], "1 while /readyz says so, else 0.");
pub(super) const BUILD: Metric =
    metric("portcullis_build_info", Kind::Gauge, &["version"], "Always 1; its label says which version this is.");

/// Every metric, in the order in which it is rendered.
pub const TABLE: [Metric; 37] = [
    EVALUATIONS,
    EXEMPTIONS,
    ERRORS,
    REQUESTS,
    DURATION,
    IN_FLIGHT,
    CONNECTIONS,
    ACCEPTED,
    ACCEPT_ERRORS,
    HANDSHAKE_FAILURES,
    PANICS,
    EXPIRY,
    AUTHORITY_EXPIRY,
    ISSUED,
    REPAIRS,
    RELOADS,
    RELOAD_FAILED,
    CLIENT_AUTHORITY_FAILED,
    NAMESPACES,
    NAMESPACES_AGE,
    NAMESPACE_LISTS,
    NAMESPACE_READS,
    CLUSTER_ERRORS,
    DOCUMENTS,
    DOCUMENTS_FLAWED,
    VERSION_KNOWN,
    SERVICE_ACCOUNTS,
    SERVICE_ACCOUNT_READS,
    REGISTERED,
    REGISTRATION_REPAIRS,
    DISABLED_UNTIL,
    SLIPPED_PODS,
    DECISIONS,
    SELF_CHECK_FAILURES,
    OWNER_EVENTS,
    READY,
    BUILD,
];
