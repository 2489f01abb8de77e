//! Connections to an API server for many requests at a time: each takes one that is idle, or makes a new one.

use super::api::{Answer, Trust, answer, connect};
use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::{Request, body::Bytes, client::conn::http1::SendRequest, header::CONTENT_TYPE};
use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

type Connection = SendRequest<Full<Bytes>>;

/// An API server gives up after 60 s itself.
const ANSWER: Duration = Duration::from_secs(70);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// `POST`, `GET`, ….
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// Of the body; empty if there is none.
    pub content_type: &'static str,
    /// JSON.
    pub body: Bytes,
}

/// As many connections as there are requests under way at a time. They belong to the runtime on which they were made.
pub struct Pool {
    server: SocketAddr,
    trust: Trust,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(server: SocketAddr, trust: &Trust) -> Self {
        Self { server, trust: trust.clone(), idle: Mutex::default() }
    }

    /// Asks, and waits for the answer. Nothing is asked twice.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer> {
        let asked = async {
            let mut connection = self.connection().await?;
            let answer = answer(&mut connection, self.request(ask)?).await?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(answer)
        };
        tokio::time::timeout(ANSWER, asked).await.context("no answer in time")?
    }

    async fn connection(&self) -> Result<Connection> {
        loop {
            // The newest first, as in Go: those that are not needed any more grow old.
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some(connection) if connection.is_closed() => {}
                Some(connection) => return Ok(connection),
                None => return connect(self.server, &self.trust).await,
            }
        }
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(ask.method)
            .uri(&ask.path)
            .header("host", self.server.to_string())
            .header("accept", "application/json");
        if !ask.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, ask.content_type);
        }
        Ok(request.body(Full::from(ask.body.clone()))?)
    }
}
