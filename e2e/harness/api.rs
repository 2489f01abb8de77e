//! A client of the API server: one kept-alive connection over HTTP/1.1, a request at a time.
//!
//! It is as raw as a test needs it: paths and JSON go in; status, warnings and the audit ID come out beside the body. For
//! many requests a second, give each thread its own.

use super::certificates::Pair;
use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
    header::{CONTENT_TYPE, HeaderMap},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{net::TcpStream, runtime::Runtime};
use tokio_rustls::TlsConnector;

/// The API server gives up after 60 s itself, unless it is asked to watch.
const ANSWER: Duration = Duration::from_secs(70);

/// Whom to believe, and who one is.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Reads the certificate of the authority and the user's own.
    pub fn read(authority: &Path, user: &Pair) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let certificate = CertificateDer::from_pem_file(&user.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&user.key)?;
        let config =
            ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(vec![certificate], key)?;
        Ok(Self(Arc::new(config)))
    }
}

/// What the API server answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The texts of the `Warning` headers, in order.
    pub warnings: Vec<String>,
    /// Under this ID the request is in the audit log.
    pub audit_id: String,
    /// The object, or the `Status` of a refusal; null if the body was no JSON.
    pub body: Value,
}

impl Answer {
    /// The message of a `Status`; empty for other objects.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// The body of an answer that must be a success; the error carries what was said instead.
    pub fn done(self) -> Result<Value> {
        ensure!((200..300).contains(&self.status), "the API server answered {}: {}", self.status, self.body);
        Ok(self.body)
    }
}

/// A connection.
pub struct Api {
    server: SocketAddr,
    trust: Trust,
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    user: Option<String>,
}

impl Api {
    /// Connects to `server`.
    pub fn connect(server: SocketAddr, trust: &Trust) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sender = runtime.block_on(connect(server, trust))?;
        Ok(Self { server, trust: trust.clone(), runtime, sender, user: None })
    }

    /// The same connection, but every request is made in the name of `user`.
    pub fn impersonate(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Reads what is at `path`.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.call("GET", path, "", None)
    }

    /// Creates `object` in the collection at `path`.
    pub fn post(&mut self, path: &str, object: &Value) -> Result<Answer> {
        self.call("POST", path, "application/json", Some(object))
    }

    /// Replaces what is at `path`.
    pub fn put(&mut self, path: &str, object: &Value) -> Result<Answer> {
        self.call("PUT", path, "application/json", Some(object))
    }

    /// Merges `change` (RFC 7396) into what is at `path`.
    pub fn merge(&mut self, path: &str, change: &Value) -> Result<Answer> {
        self.call("PATCH", path, "application/merge-patch+json", Some(change))
    }

    /// Merges `change` into what is at `path` as Kubernetes does: lists by the keys of their items.
    pub fn merge_lists(&mut self, path: &str, change: &Value) -> Result<Answer> {
        self.call("PATCH", path, "application/strategic-merge-patch+json", Some(change))
    }

    /// Deletes what is at `path`.
    pub fn delete(&mut self, path: &str) -> Result<Answer> {
        self.call("DELETE", path, "", None)
    }

    /// The same with these `DeleteOptions`.
    pub fn delete_with(&mut self, path: &str, options: &Value) -> Result<Answer> {
        self.call("DELETE", path, "application/json", Some(options))
    }

    fn call(&mut self, method: &str, path: &str, content_type: &str, body: Option<&Value>) -> Result<Answer> {
        let what = || format!("{method} {path}");
        if self.sender.is_closed() {
            self.sender = self.runtime.block_on(connect(self.server, &self.trust)).with_context(what)?;
        }
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.server.to_string())
            .header("accept", "application/json");
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(user) = &self.user {
            request = request.header("impersonate-user", user);
        }
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = request.body(Full::from(body))?;
        let answer = answer(&mut self.sender, request);
        self.runtime
            .block_on(async { tokio::time::timeout(ANSWER, answer).await })
            .with_context(|| format!("no answer after {ANSWER:?} to {}", what()))?
            .with_context(what)
    }
}

pub(super) async fn connect(server: SocketAddr, trust: &Trust) -> Result<SendRequest<Full<Bytes>>> {
    let connecting = async {
        let tcp = TcpStream::connect(server).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::IpAddress(server.ip().into());
        let tls = TlsConnector::from(trust.0.clone()).connect(name, tcp).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        // It is driven whenever an answer is waited for; when it ends, the sender is closed and says so.
        tokio::spawn(connection);
        sender.ready().await?;
        Ok(sender)
    };
    tokio::time::timeout(Duration::from_secs(10), connecting).await.context("no connection after 10 s")?
}

pub(super) async fn answer(sender: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Answer> {
    sender.ready().await?;
    let (head, body): (_, Incoming) = Response::into_parts(sender.send_request(request).await?);
    let body = body.collect().await?.to_bytes();
    Ok(Answer {
        status: head.status.as_u16(),
        warnings: warnings(&head.headers),
        audit_id: text(&head.headers, "audit-id"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// `299 - "text"`, where the text has its quotes and backslashes escaped (RFC 7234, 5.5).
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all("warning").iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values
        .filter_map(|value| {
            let quoted = value.strip_prefix("299 - \"")?.strip_suffix('"')?;
            Some(unescape(quoted))
        })
        .collect()
}

fn unescape(quoted: &str) -> String {
    let mut characters = quoted.chars();
    std::iter::from_fn(|| match characters.next()? {
        '\\' => characters.next(),
        other => Some(other),
    })
    .collect()
}
