//! Somebody else's mutating webhook: a small server in this process, called after ours, that changes pods as a test says.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use anyhow::Result;
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;

use crate::harness::{Api, ControlPlane};

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
/// Webhooks are called in the order of their configurations' names.
const NAME: &str = "zz-other";

/// Gives the operations of RFC 6902 by which a pod is changed; none leave it as it is.
pub trait Change: Fn(&Value) -> Vec<Value> + Send + Sync + 'static {}

impl<F: Fn(&Value) -> Vec<Value> + Send + Sync + 'static> Change for F {}

/// The server and its registration, until dropped.
pub struct Other {
    api: Api,
    _runtime: Runtime,
}

impl Other {
    /// Starts it and registers it for the pods of these namespaces, to be called again whenever somebody changes them after it.
    pub fn start(plane: &ControlPlane, namespaces: &[&str], change: impl Change) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let ip = plane.addresses.service(9).to_string();
        let pair = plane.sign_for_host(&ip)?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(
            vec![CertificateDer::from_pem_file(&pair.certificate)?],
            PrivateKeyDer::from_pem_file(&pair.key)?,
        )?;
        let listener = runtime.block_on(TcpListener::bind(format!("{ip}:0")))?;
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), Arc::new(change)));
        let authority = std::fs::read_to_string(plane.authority())?;
        let mut api = plane.connect()?;
        api.post(CONFIGURATIONS, &configuration(address, &authority, namespaces))?.done()?;
        Ok(Self { api, _runtime: runtime })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.api.delete(&format!("{CONFIGURATIONS}/{NAME}"));
    }
}

fn configuration(address: SocketAddr, authority: &str, namespaces: &[&str]) -> Value {
    let named = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces});
    json!({
        "metadata": {"name": NAME},
        "webhooks": [{
            "name": "other.example.com",
            "clientConfig": {"url": format!("https://{address}/"), "caBundle": BASE64_STANDARD.encode(authority)},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
            "namespaceSelector": {"matchExpressions": [named]},
            "reinvocationPolicy": "IfNeeded",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    })
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, change: Arc<impl Change>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, change) = (acceptor.clone(), Arc::clone(&change));
        tokio::spawn(async move { serve(stream, acceptor, change).await });
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, change: Arc<impl Change>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, Arc::clone(&change)));
    // A connection that breaks off is the API server's to tell of.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, change: Arc<impl Change>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let patch = json!(change(&review["request"]["object"])).to_string();
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {
            "uid": review["request"]["uid"], "allowed": true,
            "patchType": "JSONPatch", "patch": BASE64_STANDARD.encode(patch),
        },
    });
    Ok(Response::new(Full::from(answer.to_string())))
}
