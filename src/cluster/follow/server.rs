//! An API server for tests, on loopback, that answers each question as it is told to and closes the connection.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::access::Access;

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) is_watch: bool,
    /// The version after which changes are asked for; zero if none is named.
    pub(super) since: u64,
}

/// How it is answered.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// With this status and text, to its end.
    Whole(u16, String),
    /// With this text, and then the connection breaks.
    Broken(String),
    /// With this text, and then with nothing, for ever.
    Hanging(String),
}

impl Reply {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self::Whole(200, text.into())
    }

    pub(super) fn refused(code: u16) -> Self {
        Self::Whole(code, format!(r#"{{"kind":"Status","code":{code},"message":"no"}}"#))
    }
}

/// It ends with its runtime.
pub(super) struct Server {
    pub(super) access: Access,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, noted) = (answer.clone(), noted.clone());
                tokio::spawn(async move { serve(stream, &*answer, &noted).await });
            }
        });
        Self { access: Access::to(format!("http://{address}").parse().expect("a URI")), asked }
    }

    /// How many lists and how many watches were asked for.
    pub(super) fn counts(&self) -> (usize, usize) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let watches = asked.iter().filter(|asked| asked.is_watch).count();
        (asked.len() - watches, watches)
    }
}

async fn serve(mut stream: TcpStream, answer: &impl Fn(&Asked) -> Reply, noted: &Mutex<Vec<Asked>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let asked = read(&String::from_utf8_lossy(&head));
    noted.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
    let reply = answer(&asked);
    let (Reply::Whole(_, text) | Reply::Broken(text) | Reply::Hanging(text)) = &reply;
    let status = if let Reply::Whole(status, _) = &reply { *status } else { 200 };
    let mut bytes = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    if !text.is_empty() {
        bytes += &format!("{:x}\r\n{text}\r\n", text.len());
    }
    if matches!(reply, Reply::Whole(..)) {
        bytes += "0\r\n\r\n";
    }
    let _ = stream.write_all(bytes.as_bytes()).await;
    if matches!(reply, Reply::Hanging(_)) {
        std::future::pending::<()>().await;
    }
}

fn read(head: &str) -> Asked {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    Asked {
        is_watch: parameter("watch") == Some("true"),
        since: parameter("resourceVersion").and_then(|since| since.parse().ok()).unwrap_or_default(),
    }
}
