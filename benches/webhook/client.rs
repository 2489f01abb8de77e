//! One connection that behaves like the kube-apiserver's: TLS 1.3, HTTP/1.1 kept alive, Go's headers, Go's writes.
//!
//! Go's `net/http` puts the head and the first bytes of the body into a 4 KiB buffer and flushes it; the rest of the
//! body goes straight to the TLS connection, which cuts it into records of 16 KiB. Each record is one write to the
//! socket, and so one wake-up of a server that waits: 2 for a small review, 5 for a big one (seen with Go 1.26).

use anyhow::{Context, Result, bail, ensure};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CipherSuite, ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const FIRST_WRITE: usize = 4 << 10;
const LATER_WRITES: usize = 16 << 10;

/// A request, head and body, as it goes out, cut into Go's writes.
pub struct Post {
    writes: Vec<Vec<u8>>,
}

impl Post {
    /// `path` is `/validate` or `/mutate`; the API server appends the webhook's timeout to it.
    pub fn new(path: &str, body: &[u8]) -> Self {
        let mut bytes = format!(
            "POST {path}?timeout=5s HTTP/1.1\r\n\
             Host: portcullis.portcullis.svc:443\r\n\
             User-Agent: kube-apiserver-admission\r\n\
             Content-Length: {}\r\n\
             Accept: application/json, */*\r\n\
             Content-Type: application/json\r\n\
             Accept-Encoding: gzip\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        let (first, rest) = bytes.split_at(FIRST_WRITE.min(bytes.len()));
        let writes = [first].into_iter().chain(rest.chunks(LATER_WRITES)).map(<[u8]>::to_vec).collect();
        Self { writes }
    }
}

/// What came back.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

pub struct Client {
    stream: TlsStream<TcpStream>,
    received: Vec<u8>,
}

impl Client {
    /// Connects over the loopback. The server's certificate is not verified: whose it is does not change what it costs.
    pub async fn connect(port: u16, tls: &TlsConnector) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let stream = tls.connect(ServerName::try_from("localhost")?, stream).await?;
        Ok(Self { stream, received: Vec::with_capacity(8 << 10) })
    }

    /// Sends one request and waits for the whole answer.
    pub async fn ask(&mut self, post: &Post) -> Result<Answer<'_>> {
        for write in &post.writes {
            self.stream.write_all(write).await?;
            self.stream.flush().await?;
        }
        self.received.clear();
        let head = self.read_head().await?;
        while self.received.len() < head.length + head.body {
            self.read().await?;
        }
        let body = self.received.get(head.length..).context("an answer shorter than its head")?;
        ensure!(body.len() == head.body, "{} bytes after the end of the answer", body.len() - head.body);
        Ok(Answer { status: head.status, body })
    }

    async fn read_head(&mut self) -> Result<Head> {
        loop {
            self.read().await?;
            if let Some(end) = memchr::memmem::find(&self.received, b"\r\n\r\n") {
                let text = self.received.get(..end).context("a head that ends before it starts")?;
                return Head::parse(std::str::from_utf8(text)?, end + 4);
            }
        }
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            bail!("the server closed the connection before the answer was complete");
        }
        Ok(())
    }
}

/// Lengths in bytes: of the head itself, and of the body that it announces.
struct Head {
    status: u16,
    length: usize,
    body: usize,
}

impl Head {
    fn parse(text: &str, length: usize) -> Result<Self> {
        let mut lines = text.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?.parse()?;
        let body = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .with_context(|| format!("an answer without Content-Length: {text}"))?
            .1
            .trim()
            .parse()?;
        Ok(Self { status, length, body })
    }
}

/// A connector that offers what Go offers: HTTP/1.1, AES-128-GCM first, no session to resume.
pub fn connector() -> Result<TlsConnector> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    let provider = Arc::new(provider);
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
