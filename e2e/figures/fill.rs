//! Fills etcd directly, by the JSON gateway of its API: a hundred thousand pods in a minute, where the API server needs ten.
//!
//! The API server reads objects that are kept as JSON as well as those that it writes itself.

use super::{pod, report::progress};
use anyhow::{Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Objects of one transaction; etcd takes 128.
const AT_ONCE: usize = 100;

/// The name of a namespace.
pub fn namespace(number: usize) -> String {
    format!("team-{number:05}")
}

/// Writes this many namespaces; the first has `crowd` pods, and all others share the rest of `pods`.
pub fn fill(etcd: SocketAddr, namespaces: usize, pods: usize, crowd: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut etcd = Etcd::connect(etcd).await?;
        let all = (0..namespaces).map(|number| {
            let name = namespace(number);
            (format!("/registry/namespaces/{name}"), pod::stored_namespace(&name, number))
        });
        etcd.put(all, "namespaces", namespaces).await?;
        let others = namespaces.saturating_sub(1).max(1);
        let all = (0..pods).map(|number| {
            let name = namespace(if number < crowd { 0 } else { 1 + number % others });
            (format!("/registry/pods/{name}/{}", pod::name(number)), pod::stored(&name, number))
        });
        etcd.put(all, "pods", pods).await
    })
}

struct Etcd {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

impl Etcd {
    async fn connect(address: SocketAddr) -> Result<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    async fn put(&mut self, objects: impl Iterator<Item = (String, Value)>, what: &str, count: usize) -> Result<()> {
        let mut batch = Vec::with_capacity(AT_ONCE);
        for (index, (key, object)) in objects.enumerate() {
            let encode = |text: String| BASE64_STANDARD.encode(text);
            batch.push(json!({"requestPut": {"key": encode(key), "value": encode(object.to_string())}}));
            if batch.len() == AT_ONCE || index + 1 == count {
                self.commit(std::mem::take(&mut batch)).await?;
            }
            if (index + 1) % 10_000 == 0 {
                progress(&format!("etcd with {} of {count} {what}", index + 1));
            }
        }
        Ok(())
    }

    async fn commit(&mut self, puts: Vec<Value>) -> Result<()> {
        let body = json!({ "success": puts }).to_string();
        let request =
            Request::post("/v3/kv/txn").header("host", self.address.to_string()).body(Full::from(body.into_bytes()))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let text = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "etcd answered {status}: {}", String::from_utf8_lossy(&text));
        Ok(())
    }
}
