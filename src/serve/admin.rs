//! The admin port: `/livez`, `/readyz` and `/metrics` over plain HTTP, for the kubelet and for Prometheus.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::backend::Backend;
use super::drain::Leaving;
use super::server::Shared;

/// Connections at a time; probes and scrapers are few.
const MOST_CONNECTIONS: usize = 64;

/// For a request's head, and for what lies between two requests.
const HEAD: Duration = Duration::from_secs(30);

/// For a connection as a whole: a client that does not read its answer holds none for ever.
const LONGEST: Duration = Duration::from_secs(600);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) async fn serve<B: Backend>(shared: Arc<Shared<B>>, listener: TcpListener) {
    let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| std::future::ready(respond(&shared, &request)));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD);
            let _ = timeout(LONGEST, http.serve_connection(TokioIo::new(stream), service)).await;
            drop(permit);
        });
    }
}

fn respond<B: Backend>(shared: &Shared<B>, request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let missing = missing(shared);
    let (status, text) = match request.uri().path() {
        _ if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n".to_owned())
        }
        "/livez" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" if missing.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", missing.join("; "))),
        "/metrics" => (StatusCode::OK, shared.metrics.render(missing.is_empty())),
        _ => (StatusCode::NOT_FOUND, "there is nothing here but /livez, /readyz and /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let is_metrics = request.uri().path() == "/metrics" && status == StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, if is_metrics { PROMETHEUS } else { TEXT });
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    Ok(response)
}

/// Why reviews should not come here; nothing once they should.
fn missing<B: Backend>(shared: &Shared<B>) -> Vec<String> {
    let mut missing = shared.backend.missing();
    if shared.drain.has_reached(Leaving::Unready) {
        missing.push("the server is stopping".to_owned());
    }
    missing
}
