//! Tells of decided reviews: upstream's counters for all, a log line for denials and errors, and for every Nth that is allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Metrics;
use crate::engine::{Annotation, Phase, Request, Verdict};

/// A review and what was decided on it.
#[derive(Debug)]
pub struct Decided<'d> {
    pub request: &'d Request<'d>,
    pub verdict: &'d Verdict,
    /// From the request's head to the decision, reading the body included.
    pub took: Duration,
}

pub struct Recorder {
    pub metrics: Arc<Metrics>,
    /// Every how many allowed reviews one is logged; never if 0.
    pub log_allowed_every: u64,
    allowed: AtomicU64,
}

impl Recorder {
    pub fn new(metrics: Arc<Metrics>, log_allowed_every: u64) -> Self {
        Self { metrics, log_allowed_every, allowed: AtomicU64::new(0) }
    }

    pub fn record(&self, decided: &Decided<'_>) {
        self.metrics.judged(decided.request, decided.verdict.events());
        let error = error(decided.verdict);
        if !decided.verdict.is_allowed() || error.is_some() {
            denied(decided, error);
        } else if self.is_sampled() {
            allowed(decided);
        }
    }

    fn is_sampled(&self) -> bool {
        self.log_allowed_every > 0
            && self.allowed.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.log_allowed_every)
    }
}

fn error(verdict: &Verdict) -> Option<&str> {
    verdict.annotations().iter().find_map(|annotation| match annotation {
        Annotation::Error(text) => Some(text.as_str()),
        _ => None,
    })
}

fn denied(decided: &Decided<'_>, error: Option<&str>) {
    let Decided { request, verdict, took } = decided;
    let denial = verdict.denial();
    tracing::warn!(
        uid = &*request.uid,
        phase = phase(request.phase),
        operation = request.operation.name(),
        kind = &*request.kind.kind,
        subresource = &*request.subresource,
        namespace = &*request.namespace,
        name = &*request.name,
        user = &*request.username,
        dry_run = request.dry_run,
        verdict = if denial.is_some() { "denied" } else { "allowed" },
        code = denial.map_or(200, |status| status.code),
        denial = denial.map(|status| status.message.as_str()),
        error,
        micros = micros(*took),
        "{}",
        if denial.is_some() { "denied" } else { "allowed in spite of an error" },
    );
}

fn allowed(decided: &Decided<'_>) {
    let Decided { request, took, .. } = decided;
    tracing::info!(
        uid = &*request.uid,
        phase = phase(request.phase),
        operation = request.operation.name(),
        kind = &*request.kind.kind,
        subresource = &*request.subresource,
        namespace = &*request.namespace,
        name = &*request.name,
        user = &*request.username,
        dry_run = request.dry_run,
        verdict = "allowed",
        code = 200,
        micros = micros(*took),
        "allowed",
    );
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Mutate => "mutate",
        Phase::Validate => "validate",
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
