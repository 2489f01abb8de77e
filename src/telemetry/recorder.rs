//! Tells of decided reviews: upstream's counters for all, a log line for denials and errors, and for every Nth that is allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{Metrics, log};
use crate::engine::{Annotation, Phase, Request, Verdict};

/// Bytes of a text in a log line.
const MOST_TEXT: usize = 4096;

/// A review and what was decided on it.
#[derive(Debug)]
pub struct Decided<'d> {
    pub request: &'d Request<'d>,
    pub verdict: &'d Verdict,
    /// When the request's head had been read.
    pub since: Instant,
}

pub struct Recorder {
    pub metrics: Arc<Metrics>,
    /// Every how many allowed reviews one is logged; never if 0.
    pub log_allowed_every: u64,
    allowed: AtomicU64,
}

/// One line about a review: the fields that all have, then those of this outcome.
macro_rules! tell {
    ($level:ident, $decided:expr, $message:expr, $($field:tt)*) => {{
        let Decided { request, since, .. } = $decided;
        tracing::$level!(
            uid = clipped(&request.uid),
            phase = phase(request.phase),
            operation = request.operation.name(),
            kind = clipped(&request.kind.kind),
            subresource = clipped(&request.subresource),
            namespace = clipped(&request.namespace),
            name = clipped(&request.called()),
            user = clipped(&request.username),
            dry_run = request.dry_run,
            $($field)*
            micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX),
            "{}", $message,
        )
    }};
}

impl Recorder {
    pub fn new(metrics: Arc<Metrics>, log_allowed_every: u64) -> Self {
        Self { metrics, log_allowed_every, allowed: AtomicU64::new(0) }
    }

    pub fn record(&self, decided: &Decided<'_>) {
        self.metrics.judged(decided.request, decided.verdict);
        let error = error(decided.verdict);
        if !decided.verdict.is_allowed() || error.is_some() {
            denied(decided, error);
        } else if let Some(denial) = would_deny(decided.verdict) {
            let denial = clipped(denial);
            tell!(warn, decided, "would be denied", verdict = "would-deny", code = 200, denial,);
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

/// In audit mode: the denial that was not carried out.
fn would_deny(verdict: &Verdict) -> Option<&str> {
    verdict.annotations().iter().find_map(|annotation| match annotation {
        Annotation::WouldDeny(text) => Some(text.as_str()),
        _ => None,
    })
}

fn denied(decided: &Decided<'_>, error: Option<&str>) {
    let error = error.map(clipped);
    match decided.verdict.denial() {
        None => {
            let denial = would_deny(decided.verdict).map(clipped);
            let verdict = if denial.is_some() { "would-deny" } else { "allowed" };
            tell!(warn, decided, "allowed in spite of an error", verdict, code = 200, denial, error,);
        }
        Some(status) => {
            let denial = clipped(&status.message);
            tell!(warn, decided, "denied", verdict = "denied", code = status.code, denial, error,);
        }
    }
}

fn allowed(decided: &Decided<'_>) {
    tell!(info, decided, "allowed", verdict = "allowed", code = 200,);
}

fn clipped(text: &str) -> &str {
    log::clipped(text, MOST_TEXT)
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Mutate => "mutate",
        Phase::Validate => "validate",
    }
}
