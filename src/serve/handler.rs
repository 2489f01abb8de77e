//! One request: the straight line from its head to its answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Instant;

use hyper::Request;
use hyper::body::Incoming;

use super::answer::{self, Answered, HttpResponse};
use super::backend::Backend;
use super::body::{self, BodyError};
use super::catch::{Panicked, caught, caught_async};
use super::connection::Connection;
use super::drain::Leaving;
use super::progress::{Progress, Stage};
use super::route;
use super::server::Shared;
use crate::engine::{Facts, Needed, Phase, Verdict, decide, needed};
use crate::review;
use crate::telemetry::{Answer, Decided, Metrics, Outcome, PhaseLabel};

/// Answers a request within its time, counts it, and says so if the connection is to end.
pub(super) async fn respond<B: Backend>(
    connection: Arc<Connection<B>>,
    request: Request<Incoming>,
) -> Result<HttpResponse, Infallible> {
    let start = Instant::now();
    let Connection { server, progress, .. } = &*connection;
    let patience = route::timeout(request.uri()).unwrap_or(server.limits.timeout);
    let time = Time { start, deadline: start + patience.min(server.limits.longest_timeout) };
    progress.begin(time.deadline);
    let in_flight = InFlight::enter(&server.metrics);
    let phase = route::phase(request.uri(), request.method(), request.headers());
    let label = phase.as_ref().map_or_else(|(phase, _)| *phase, |phase| Some(*phase));
    let answering = answer(&connection, phase, request.into_body(), time, &in_flight);
    let mut answered = within_time(progress, answering).await.unwrap_or_else(|stage| too_late(progress, stage));
    if connection.is_surplus || server.drain.has_reached(Leaving::Farewell) {
        answer::say_close(&mut answered.response);
    }
    let now = Instant::now();
    let Answered { response, operation, outcome, code } = answered;
    let phase = label.map_or(PhaseLabel::Other, PhaseLabel::from);
    server.metrics.answered(Answer { phase, operation, outcome, code }, now - start);
    progress.finish(now);
    Ok(response)
}

/// When a request came, and when it has to be answered.
#[derive(Clone, Copy)]
struct Time {
    start: Instant,
    deadline: Instant,
}

async fn answer<B: Backend>(
    connection: &Connection<B>,
    phase: Result<Phase, (Option<Phase>, route::Misdirected)>,
    body: Incoming,
    time: Time,
    in_flight: &InFlight<'_>,
) -> Answered {
    let Connection { server, progress, is_surplus } = connection;
    let most = server.limits.body;
    if body::is_declared_too_large(&body, most) {
        progress.leave_body();
        return answer::too_large(most);
    }
    let refusal = match phase {
        _ if *is_surplus => answer::too_many_connections(),
        _ if in_flight.before >= server.limits.in_flight => answer::too_many_requests(),
        Err((_, misdirected)) => answer::misdirected(misdirected),
        Ok(phase) => {
            return match body::read(body, most, &server.room).await {
                Ok(body) => {
                    progress.has_body();
                    review(server, phase, &body, time).await
                }
                Err(error) => without_body(progress, error, most),
            };
        }
    };
    match body::discard(body, most).await {
        Ok(()) => refusal,
        Err(error) => without_body(progress, error, most),
    }
}

fn without_body(progress: &Progress, error: BodyError, most: usize) -> Answered {
    progress.leave_body();
    match error {
        BodyError::TooLarge => answer::too_large(most),
        BodyError::NoRoom => answer::too_much_at_once(),
        BodyError::Broken => answer::broken_body(),
    }
}

/// Decode, snapshot, gather, decide, record, encode.
async fn review<B: Backend>(server: &Shared<B>, phase: Phase, body: &[u8], time: Time) -> Answered {
    let request = match caught(|| review::decode(phase, body)) {
        Ok(Ok(request)) => request,
        Ok(Err(bad)) => return answer::bad_review(&bad),
        Err(Panicked) => {
            server.metrics.panics.fetch_add(1, Ordering::Relaxed);
            return answer::failed();
        }
    };
    let mode = OnceLock::new();
    let judged = caught_async(async {
        let snapshot = server.backend.snapshot();
        let _ = mode.set(snapshot.mode);
        let facts = match needed(&request, &snapshot) {
            Needed::Nothing => Facts::default(),
            needed => server.backend.gather(needed, &snapshot, time.deadline).await,
        };
        let verdict = decide(&request, &snapshot, &facts);
        server.backend.record(&Decided { request: &request, verdict: &verdict, since: time.start });
        (review::encode(&request.uid, &verdict), outcome(&verdict))
    })
    .await;
    let (json, (outcome, code)) = judged.unwrap_or_else(|Panicked| {
        server.metrics.panics.fetch_add(1, Ordering::Relaxed);
        let verdict = Verdict::for_panic(mode.get().copied().unwrap_or_default());
        server.metrics.judged(&request, &verdict);
        (review::encode(&request.uid, &verdict), (Outcome::Failed, outcome(&verdict).1))
    });
    Answered { response: answer::review(json), operation: Some(request.operation), outcome, code }
}

fn outcome(verdict: &Verdict) -> (Outcome, u16) {
    verdict.denial().map_or((Outcome::Allowed, 200), |status| (Outcome::Denied, status.code))
}

/// The answer, or what the request was waiting for when its time was over.
async fn within_time(progress: &Progress, answering: impl Future<Output = Answered>) -> Result<Answered, Stage> {
    let mut answering = pin!(answering);
    std::future::poll_fn(|context| {
        if progress.is_over() {
            return Poll::Ready(Err(progress.stage()));
        }
        answering.as_mut().poll(context).map(Ok)
    })
    .await
}

fn too_late(progress: &Progress, stage: Stage) -> Answered {
    if stage == Stage::Decision {
        return answer::late();
    }
    progress.leave_body();
    answer::body_timeout()
}

/// Counted as under way while it lives.
struct InFlight<'m> {
    metrics: &'m Metrics,
    /// How many there were before.
    before: usize,
}

impl<'m> InFlight<'m> {
    fn enter(metrics: &'m Metrics) -> Self {
        let before = metrics.in_flight.fetch_add(1, Ordering::Relaxed);
        Self { metrics, before: usize::try_from(before).unwrap_or_default() }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
