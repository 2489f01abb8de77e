//! The metrics' values and their text. Counting is an addition at a position that is computed from enums, never from text.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::decisions::Decisions;
use super::pod_security::PodSecurity;
use super::table::{self, Metric};
use crate::engine::{Operation, Phase, Request, Verdict};

/// Which path a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseLabel {
    Mutate,
    Validate,
    /// Neither of the two that there are.
    Other,
}

impl From<Phase> for PhaseLabel {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Mutate => Self::Mutate,
            Phase::Validate => Self::Validate,
        }
    }
}

/// What a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    /// The code is that of the verdict's status.
    Denied,
    /// There is no verdict; the code is that of HTTP.
    Refused,
    /// A fault of ours.
    Failed,
}

/// A request that has been answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub phase: PhaseLabel,
    /// None if no review was decoded.
    pub operation: Option<Operation>,
    pub outcome: Outcome,
    pub code: u16,
}

const PHASES: [&str; 3] = ["mutate", "validate", "other"];
const OPERATIONS: [&str; 5] = ["create", "update", "delete", "connect", "none"];
const OUTCOMES: [&str; 4] = ["allowed", "denied", "refused", "failed"];
/// The codes that we give; any other is counted as the last.
const CODES: [&str; 14] =
    ["200", "400", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "503", "other"];
const CELLS: usize = PHASES.len() * OPERATIONS.len() * OUTCOMES.len() * CODES.len();

/// The upper bounds of the histogram's buckets in microseconds; a review takes tens of them, a dry run over pods a second.
const BOUNDS: [u64; 14] =
    [25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000, 10_000_000];

struct Histogram {
    /// By bucket, not cumulated; the last is beyond all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// Every value of [`table::TABLE`]. Shared by all threads; each count is one relaxed addition.
pub struct Metrics {
    pod_security: PodSecurity,
    requests: Box<[AtomicU64]>,
    durations: [Histogram; PHASES.len()],
    pub in_flight: AtomicI64,
    pub connections: AtomicI64,
    pub accepted: AtomicU64,
    pub accept_errors: AtomicU64,
    pub handshake_failures: AtomicU64,
    pub panics: AtomicU64,
    pub certificate_expiry: AtomicI64,
    pub certificate_reloads: AtomicU64,
    pub certificate_reload_failed: AtomicI64,
    pub client_authority_reload_failed: AtomicI64,
    /// In seconds since 1970; 0 if nobody knows.
    pub authority_expiry: AtomicI64,
    pub certificates_issued: Issued,
    pub certificate_repairs: AtomicU64,
    pub namespaces: AtomicU64,
    /// In microseconds after the origin, plus one; 0 if nothing is known yet.
    namespaces_as_of: AtomicU64,
    pub namespace_lists: AtomicU64,
    pub namespace_reads: LiveReads,
    pub cluster_errors: AtomicU64,
    pub documents: AtomicU64,
    /// Those whose last form does not compile.
    pub documents_flawed: AtomicU64,
    /// 1 once the API server has told its version.
    pub version_known: AtomicU64,
    pub service_accounts: AtomicU64,
    pub service_account_reads: LiveReads,
    pub registered: Registered,
    pub registration_repairs: AtomicU64,
    /// In seconds since 1970; 0 if not disabled.
    pub disabled_until: AtomicI64,
    pub slipped_pods: AtomicU64,
    pub decisions: Decisions,
    pub owner_events: OwnerEvents,
    origin: Instant,
}

/// Certificates that this process made.
#[derive(Default)]
pub struct Issued {
    pub authorities: AtomicU64,
    pub leaves: AtomicU64,
}

/// Live reads by what came of them.
#[derive(Default)]
pub struct LiveReads {
    pub found: AtomicU64,
    pub absent: AtomicU64,
    pub failed: AtomicU64,
}

/// Events for the owners of pods by what became of them.
#[derive(Default)]
pub struct OwnerEvents {
    pub told: AtomicU64,
    pub known: AtomicU64,
    pub dropped: AtomicU64,
    pub failed: AtomicU64,
}

/// Whether each webhook configuration was there when it was last looked at: 1 or 0.
#[derive(Default)]
pub struct Registered {
    pub mutating: AtomicU64,
    pub validating: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram =
            || Histogram { buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], micros: AtomicU64::new(0) };
        Self {
            pod_security: PodSecurity::new(),
            requests: (0..CELLS).map(|_| AtomicU64::new(0)).collect(),
            durations: [histogram(), histogram(), histogram()],
            in_flight: AtomicI64::new(0),
            connections: AtomicI64::new(0),
            accepted: AtomicU64::new(0),
            accept_errors: AtomicU64::new(0),
            handshake_failures: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            certificate_expiry: AtomicI64::new(0),
            certificate_reloads: AtomicU64::new(0),
            certificate_reload_failed: AtomicI64::new(0),
            client_authority_reload_failed: AtomicI64::new(0),
            authority_expiry: AtomicI64::new(0),
            certificates_issued: Issued::default(),
            certificate_repairs: AtomicU64::new(0),
            namespaces: AtomicU64::new(0),
            namespaces_as_of: AtomicU64::new(0),
            namespace_lists: AtomicU64::new(0),
            namespace_reads: LiveReads::default(),
            cluster_errors: AtomicU64::new(0),
            documents: AtomicU64::new(0),
            documents_flawed: AtomicU64::new(0),
            version_known: AtomicU64::new(0),
            service_accounts: AtomicU64::new(0),
            service_account_reads: LiveReads::default(),
            registered: Registered::default(),
            registration_repairs: AtomicU64::new(0),
            disabled_until: AtomicI64::new(0),
            slipped_pods: AtomicU64::new(0),
            decisions: Decisions::default(),
            owner_events: OwnerEvents::default(),
            origin: Instant::now(),
        }
    }
}

impl Metrics {
    /// Counts an answer and the time that it took.
    pub fn answered(&self, answer: Answer, took: Duration) {
        let phase = answer.phase as usize;
        let operation = answer.operation.map_or(OPERATIONS.len() - 1, |operation| operation as usize);
        let cell = ((phase * OPERATIONS.len() + operation) * OUTCOMES.len() + answer.outcome as usize) * CODES.len();
        add(self.requests.get(cell + code(answer.code)));
        let micros = micros(took);
        if let Some(histogram) = self.durations.get(phase) {
            let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
            add(histogram.buckets.get(bucket));
            histogram.micros.fetch_add(micros, Ordering::Relaxed);
        }
    }

    /// Counts what upstream would count for this request, and what documents came to.
    pub fn judged(&self, request: &Request<'_>, verdict: &Verdict) {
        self.pod_security.count(request, verdict.events());
        self.decisions.count(verdict.notes());
    }

    /// Notes since when namespaces may be out of date; None if they are not known yet.
    pub fn set_namespaces_as_of(&self, known: Option<Instant>) {
        let micros = known.map_or(0, |known| micros(known.saturating_duration_since(self.origin)).saturating_add(1));
        self.namespaces_as_of.store(micros, Ordering::Relaxed);
    }

    /// Everything in the text format that Prometheus reads, version 0.0.4.
    pub fn render(&self, is_ready: bool) -> String {
        let mut text = Text::default();
        self.pod_security.render(&mut text);
        self.render_requests(&mut text);
        self.render_durations(&mut text);
        text.single(&table::IN_FLIGHT, self.in_flight.load(Ordering::Relaxed));
        text.single(&table::CONNECTIONS, self.connections.load(Ordering::Relaxed));
        text.single(&table::ACCEPTED, sum(&self.accepted));
        text.single(&table::ACCEPT_ERRORS, sum(&self.accept_errors));
        text.single(&table::HANDSHAKE_FAILURES, sum(&self.handshake_failures));
        text.single(&table::PANICS, sum(&self.panics));
        self.render_certificates(&mut text);
        self.render_cluster(&mut text);
        self.decisions.render(&mut text);
        text.head(&table::OWNER_EVENTS);
        let OwnerEvents { told, known, dropped, failed } = &self.owner_events;
        for (outcome, count) in [("told", told), ("known", known), ("dropped", dropped), ("failed", failed)] {
            text.sample(&table::OWNER_EVENTS, &[outcome], sum(count));
        }
        text.single(&table::READY, u8::from(is_ready));
        text.head(&table::BUILD);
        text.sample(&table::BUILD, &[env!("CARGO_PKG_VERSION")], 1);
        text.0
    }

    fn render_certificates(&self, text: &mut Text) {
        let expiries = [(&table::EXPIRY, &self.certificate_expiry), (&table::AUTHORITY_EXPIRY, &self.authority_expiry)];
        for (metric, expiry) in expiries {
            text.head(metric);
            // An alert must not take what is not known for what has expired long ago.
            if let Some(expiry) = Some(expiry.load(Ordering::Relaxed)).filter(|expiry| *expiry > 0) {
                text.line(format_args!("{} {expiry}", metric.name));
            }
        }
        text.head(&table::ISSUED);
        text.sample(&table::ISSUED, &["authority"], sum(&self.certificates_issued.authorities));
        text.sample(&table::ISSUED, &["leaf"], sum(&self.certificates_issued.leaves));
        text.single(&table::REPAIRS, sum(&self.certificate_repairs));
        text.single(&table::RELOADS, sum(&self.certificate_reloads));
        text.single(&table::RELOAD_FAILED, self.certificate_reload_failed.load(Ordering::Relaxed));
        let failed = self.client_authority_reload_failed.load(Ordering::Relaxed);
        text.single(&table::CLIENT_AUTHORITY_FAILED, failed);
    }

    fn render_cluster(&self, text: &mut Text) {
        text.single(&table::NAMESPACES, sum(&self.namespaces));
        text.head(&table::NAMESPACES_AGE);
        if let Some(known) = sum(&self.namespaces_as_of).checked_sub(1) {
            let age = micros(self.origin.elapsed()).saturating_sub(known);
            text.line(format_args!("{} {}", table::NAMESPACES_AGE.name, seconds(age)));
        }
        text.single(&table::NAMESPACE_LISTS, sum(&self.namespace_lists));
        text.reads(&table::NAMESPACE_READS, &self.namespace_reads);
        text.single(&table::CLUSTER_ERRORS, sum(&self.cluster_errors));
        text.single(&table::DOCUMENTS, sum(&self.documents));
        text.single(&table::DOCUMENTS_FLAWED, sum(&self.documents_flawed));
        text.single(&table::VERSION_KNOWN, sum(&self.version_known));
        text.single(&table::SERVICE_ACCOUNTS, sum(&self.service_accounts));
        text.reads(&table::SERVICE_ACCOUNT_READS, &self.service_account_reads);
        text.head(&table::REGISTERED);
        let Registered { mutating, validating } = &self.registered;
        for (configuration, count) in [("mutating", mutating), ("validating", validating)] {
            text.sample(&table::REGISTERED, &[configuration], sum(count));
        }
        text.single(&table::REGISTRATION_REPAIRS, sum(&self.registration_repairs));
        text.single(&table::DISABLED_UNTIL, self.disabled_until.load(Ordering::Relaxed));
        text.single(&table::SLIPPED_PODS, sum(&self.slipped_pods));
    }

    fn render_requests(&self, text: &mut Text) {
        text.head(&table::REQUESTS);
        for (index, count) in self.requests.iter().enumerate().filter(|(_, count)| sum(count) > 0) {
            let of = |names: &[&'static str], index: usize| names.get(index % names.len()).copied().unwrap_or_default();
            let outcome = index / CODES.len();
            let operation = outcome / OUTCOMES.len();
            let labels = [
                of(&PHASES, operation / OPERATIONS.len()),
                of(&OPERATIONS, operation),
                of(&OUTCOMES, outcome),
                of(&CODES, index),
            ];
            text.sample(&table::REQUESTS, &labels, sum(count));
        }
    }

    fn render_durations(&self, text: &mut Text) {
        text.head(&table::DURATION);
        for (phase, histogram) in PHASES.iter().zip(&self.durations) {
            let name = table::DURATION.name;
            let mut count = 0;
            for (bound, bucket) in BOUNDS.iter().map(Some).chain([None]).zip(&histogram.buckets) {
                count += sum(bucket);
                let bound = bound.map_or_else(|| "+Inf".to_owned(), |micros| seconds(*micros));
                text.line(format_args!("{name}_bucket{{phase=\"{phase}\",le=\"{bound}\"}} {count}"));
            }
            text.line(format_args!("{name}_sum{{phase=\"{phase}\"}} {}", seconds(sum(&histogram.micros))));
            text.line(format_args!("{name}_count{{phase=\"{phase}\"}} {count}"));
        }
    }
}

fn add(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn sum(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn code(code: u16) -> usize {
    const KNOWN: [u16; CODES.len() - 1] = [200, 400, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503];
    KNOWN.iter().position(|known| *known == code).unwrap_or(KNOWN.len())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:06}").trim_end_matches('0').to_owned() }
}

/// The text that Prometheus reads, as it grows.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn head(&mut self, metric: &Metric) {
        self.line(format_args!("# HELP {} {}", metric.name, metric.help));
        self.line(format_args!("# TYPE {} {}", metric.name, metric.kind.name()));
    }

    pub(super) fn sample(&mut self, metric: &Metric, labels: &[&str], value: impl std::fmt::Display) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        let pairs: Vec<String> =
            metric.labels.iter().zip(labels).map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        self.line(format_args!("{}{{{}}} {value}", metric.name, pairs.join(",")));
    }

    pub(super) fn single(&mut self, metric: &Metric, value: impl std::fmt::Display) {
        self.head(metric);
        self.line(format_args!("{} {value}", metric.name));
    }

    fn reads(&mut self, metric: &Metric, LiveReads { found, absent, failed }: &LiveReads) {
        self.head(metric);
        for (outcome, count) in [("found", found), ("absent", absent), ("failed", failed)] {
            self.sample(metric, &[outcome], sum(count));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let written = writeln!(self.0, "{line}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
}

/// A label's value as the text format has it. Nearly all are ours; the name of a document from a file may be anything.
fn escaped(value: &str) -> Cow<'_, str> {
    if value.contains(['\\', '"', '\n']) {
        value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").into()
    } else {
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::TABLE;

    #[test]
    fn a_label_says_anything_in_one_line() {
        assert_eq!(escaped("PodDefaults/a"), "PodDefaults/a");
        assert_eq!(escaped("a\"\\\nb"), "a\\\"\\\\\\nb");
    }

    #[test]
    fn every_metric_of_the_table_is_rendered_once_and_in_its_order() {
        let text = Metrics::default().render(true);
        let types: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect();
        let expected: Vec<String> =
            TABLE.iter().map(|metric| format!("{} {}", metric.name, metric.kind.name())).collect();
        assert_eq!(types, expected);
    }

    #[test]
    fn counts_an_answer_under_its_labels_and_in_its_bucket() {
        let metrics = Metrics::default();
        let answer = Answer {
            phase: PhaseLabel::Validate,
            operation: Some(Operation::Create),
            outcome: Outcome::Denied,
            code: 403,
        };
        metrics.answered(answer, Duration::from_micros(30));
        metrics.answered(answer, Duration::from_secs(60));
        let text = metrics.render(false);
        let labels = "phase=\"validate\",operation=\"create\",outcome=\"denied\",code=\"403\"";
        assert!(text.contains(&format!("portcullis_requests_total{{{labels}}} 2\n")), "{text}");
        for line in ["_bucket{phase=\"validate\",le=\"0.000025\"} 0", "_bucket{phase=\"validate\",le=\"0.00005\"} 1"] {
            assert!(text.contains(line), "{line} is missing from {text}");
        }
        assert!(text.contains("_bucket{phase=\"validate\",le=\"+Inf\"} 2\n"));
        assert!(text.contains("_sum{phase=\"validate\"} 60.00003\n"));
    }

    #[test]
    fn the_age_of_namespaces_is_shown_once_they_are_known() {
        let metrics = Metrics::default();
        assert!(!metrics.render(false).contains("\nportcullis_namespaces_age_seconds "));
        metrics.set_namespaces_as_of(Some(Instant::now()));
        assert!(metrics.render(false).contains("\nportcullis_namespaces_age_seconds 0."));
    }

    #[test]
    fn a_code_that_is_not_ours_is_other() {
        let metrics = Metrics::default();
        let answer = Answer { phase: PhaseLabel::Other, operation: None, outcome: Outcome::Refused, code: 418 };
        metrics.answered(answer, Duration::ZERO);
        let labels = "phase=\"other\",operation=\"none\",outcome=\"refused\",code=\"other\"";
        assert!(metrics.render(true).contains(labels));
    }
}
