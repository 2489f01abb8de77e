//! The answers, as `docs/reference/http.md` lists them. Headers are static values; a review's answer is one buffer.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::route::Misdirected;
use crate::engine::Operation;
use crate::telemetry::Outcome;

pub(super) type HttpResponse = Response<Full<Bytes>>;

/// An answer and what it is counted as.
pub(super) struct Answered {
    pub(super) response: HttpResponse,
    pub(super) operation: Option<Operation>,
    pub(super) outcome: Outcome,
    pub(super) code: u16,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Seconds after which to try again. The API server's client does so within the webhook's timeout.
const SOON: HeaderValue = HeaderValue::from_static("1");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
const POST: HeaderValue = HeaderValue::from_static("POST");

/// A review's answer.
pub(super) fn review(json: Vec<u8>) -> HttpResponse {
    let mut response = Response::new(Full::new(Bytes::from(json)));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

pub(super) fn say_close(response: &mut HttpResponse) {
    response.headers_mut().insert(CONNECTION, CLOSE);
}

pub(super) fn misdirected(why: Misdirected) -> Answered {
    match why {
        Misdirected::Path => refused(StatusCode::NOT_FOUND, "there is nothing here but /validate and /mutate\n"),
        Misdirected::ContentType => refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "an AdmissionReview is sent as Content-Type: application/json\n",
        ),
        Misdirected::Method => {
            let mut answered = refused(StatusCode::METHOD_NOT_ALLOWED, "an AdmissionReview is sent with POST\n");
            answered.response.headers_mut().insert(ALLOW, POST);
            answered
        }
    }
}

pub(super) fn bad_review(why: &impl std::fmt::Display) -> Answered {
    refused(StatusCode::BAD_REQUEST, format!("{why}\n"))
}

pub(super) fn broken_body() -> Answered {
    closing(refused(StatusCode::BAD_REQUEST, "the body ended early or is not well-formed\n"))
}

pub(super) fn too_large(most: usize) -> Answered {
    closing(refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {most} bytes\n")))
}

pub(super) fn too_many_requests() -> Answered {
    again(refused(StatusCode::TOO_MANY_REQUESTS, "too many requests are under way; try again\n"))
}

/// The rest of the body was not read, so that the connection cannot go on.
pub(super) fn too_much_at_once() -> Answered {
    closing(again(refused(StatusCode::TOO_MANY_REQUESTS, "too many large bodies are under way; try again\n")))
}

pub(super) fn too_many_connections() -> Answered {
    closing(again(refused(StatusCode::SERVICE_UNAVAILABLE, "too many connections are open; try again\n")))
}

/// The time is over, and the body never came.
pub(super) fn body_timeout() -> Answered {
    closing(refused(StatusCode::REQUEST_TIMEOUT, "the body did not arrive within the request's time\n"))
}

/// The time is over, and there is no decision.
pub(super) fn late() -> Answered {
    again(refused(StatusCode::SERVICE_UNAVAILABLE, "no decision could be made within the request's time; try again\n"))
}

/// A fault before anything of the review was known.
pub(super) fn failed() -> Answered {
    let text = "the review could not be read because of a fault of Portcullis; please report it\n";
    Answered { outcome: Outcome::Failed, ..refused(StatusCode::INTERNAL_SERVER_ERROR, text) }
}

fn refused(status: StatusCode, text: impl Into<Bytes>) -> Answered {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    Answered { response, operation: None, outcome: Outcome::Refused, code: status.as_u16() }
}

fn again(mut answered: Answered) -> Answered {
    answered.response.headers_mut().insert(RETRY_AFTER, SOON);
    answered
}

fn closing(mut answered: Answered) -> Answered {
    say_close(&mut answered.response);
    answered
}
