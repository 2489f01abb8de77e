//! The null webhook: reads the whole body, answers that it is allowed. What every webhook on this stack costs at least.
//!
//! The same hyper, tokio, rustls and cryptography as the real server, HTTP/1.1 only, one thread, and nothing of ours:
//! no limits, no deadlines, no metrics, no logs. It looks at nothing but the uid, which every answer has to repeat.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What it shows to its clients.
enum Certificate {
    /// One that it makes itself, for `localhost`.
    SelfMade,
    /// PEM files.
    Files { certificate: PathBuf, key: PathBuf },
}

/// Serves until the process is killed. The arguments are an address and, perhaps, the files of a certificate and its key.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let address = arguments.next().context("the null webhook needs an address")?.parse()?;
    let certificate = match arguments.next().zip(arguments.next()) {
        Some((certificate, key)) => Certificate::Files { certificate: certificate.into(), key: key.into() },
        None => Certificate::SelfMade,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(address, &certificate))
}

async fn serve(address: SocketAddr, certificate: &Certificate) -> Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(tls(certificate)?));
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address} is taken"))?;
    loop {
        let (stream, _) = listener.accept().await?;
        // A connection that fails is the client's affair: there it shows as a failed run.
        tokio::spawn(connection(stream, acceptor.clone()));
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor) -> Result<()> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(reply)).await?;
    Ok(())
}

async fn reply(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let answer = [HEAD, uid(&body), TAIL].concat();
    let mut response = Response::new(Full::new(answer.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

const HEAD: &[u8] = br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":""#;
const TAIL: &[u8] = br#"","allowed":true}}"#;

/// The request's uid, which is the first in a review; nothing if there is none.
fn uid(body: &[u8]) -> &[u8] {
    let after = memchr::memmem::find(body, br#""uid":""#).and_then(|at| body.get(at + 7..)).unwrap_or_default();
    after.split(|byte| *byte == b'"').next().unwrap_or_default()
}

fn tls(certificate: &Certificate) -> Result<ServerConfig> {
    let (certificate, key) = match certificate {
        Certificate::Files { certificate, key } => {
            (CertificateDer::from_pem_file(certificate)?, PrivateKeyDer::from_pem_file(key)?)
        }
        Certificate::SelfMade => {
            let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
            let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
            (issued.cert.der().clone(), PrivateKeyDer::Pkcs8(key))
        }
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
