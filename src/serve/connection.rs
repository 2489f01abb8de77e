//! One connection from its handshake to its end, and the timer that watches all its waits.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::backend::Backend;
use super::drain::Leaving;
use super::handler::respond;
use super::progress::{Progress, Stage};
use super::server::Shared;

/// A connection as its requests see it.
pub(super) struct Connection<B> {
    pub(super) server: Arc<Shared<B>>,
    pub(super) progress: Progress,
    /// One too many: told so, then closed.
    pub(super) is_surplus: bool,
}

/// Serves a connection that was just accepted, to its end.
pub(super) async fn serve<B: Backend>(server: Arc<Shared<B>>, stream: TcpStream, is_surplus: bool) {
    // Answers are small and written whole; waiting to fill a segment would only delay them.
    let _ = stream.set_nodelay(true);
    let handshake = async {
        // Without a certificate we are not ready, and nobody should have come.
        let config = server.tls.config()?;
        timeout(server.limits.handshake, TlsAcceptor::from(config).accept(stream)).await.ok()?.ok()
    };
    let Some(stream) = handshake.await else {
        server.metrics.handshake_failures.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let connection = Arc::new(Connection { server, progress: Progress::new(Instant::now()), is_surplus });
    if let Some(unread) = exchange(&connection, stream).await {
        linger(unread, connection.server.limits.linger).await;
    }
}

/// Answers requests until the connection ends. Gives the stream back if it holds the rest of a body that nobody read.
async fn exchange<B: Backend>(
    connection: &Arc<Connection<B>>,
    stream: TlsStream<TcpStream>,
) -> Option<TlsStream<TcpStream>> {
    let io = Watched { io: TokioIo::new(stream), connection: connection.clone() };
    let service = connection.clone();
    // Heads are timed by our own timer, which tells a slow head from an idle connection.
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_header_size(MOST_HEAD).max_buf_size(MOST_BUFFERED);
    let mut exchange = http.serve_connection(io, service_fn(move |request| respond(service.clone(), request)));
    let mut timer = pin!(sleep_until((Instant::now() + connection.server.limits.head).into()));
    let mut member = connection.server.drain.join();
    let mut is_leaving = false;
    let ended = std::future::poll_fn(|context| {
        member.listen(context.waker());
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut exchange).poll(context) {
                return Poll::Ready(ended.is_ok());
            }
            // Only after reading what had come: a request that has begun to arrive is still answered.
            let is_gone = connection.server.drain.has_reached(Leaving::Gone);
            if is_gone && !is_leaving && connection.progress.stage() != Stage::Head {
                is_leaving = true;
                Pin::new(&mut exchange).graceful_shutdown();
                continue;
            }
            match watch(connection, timer.as_mut(), context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Patience::Over) => return Poll::Ready(false),
                Poll::Ready(Patience::Left) => {}
            }
        }
    })
    .await;
    (ended && connection.progress.has_left_body()).then(|| exchange.into_parts().io.io.into_inner())
}

/// Bytes of a request's head: the API server's have some hundreds.
const MOST_HEAD: usize = 16 << 10;

/// Bytes that a connection holds beside a body that is being collected: most reviews fit, and are then read without a copy.
const MOST_BUFFERED: usize = 128 << 10;

enum Patience {
    /// The connection is to be polled again.
    Left,
    /// The connection is to be closed.
    Over,
}

/// Looks whether the present wait has lasted too long; pending while it has not.
fn watch<B>(connection: &Connection<B>, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<Patience> {
    let Connection { progress, server, .. } = connection;
    let idle = if connection.is_surplus { server.limits.head } else { server.limits.idle };
    let next = progress.next(idle, server.limits.head);
    if next < timer.deadline().into_std() {
        timer.as_mut().reset(next.into());
    }
    while timer.as_mut().poll(context).is_ready() {
        let now = Instant::now();
        if now < next {
            timer.as_mut().reset(next.into());
            continue;
        }
        if matches!(progress.stage(), Stage::Idle | Stage::Head) || progress.is_over() {
            return Poll::Ready(Patience::Over);
        }
        progress.expire(now + server.limits.head);
        return Poll::Ready(Patience::Left);
    }
    Poll::Pending
}

/// Reads off what is still coming: closing a socket with unread bytes makes the kernel reset it, and the answer is lost.
async fn linger(mut stream: TlsStream<TcpStream>, patience: Duration) {
    let mut buffer = vec![0; 16 << 10];
    let reading = async { while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(patience, reading).await;
}

/// The stream, telling of bytes that come.
struct Watched<B> {
    io: TokioIo<TlsStream<TcpStream>>,
    connection: Arc<Connection<B>>,
}

impl<B: Backend> Read for Watched<B> {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.connection.progress.received();
        }
        read
    }
}

impl<B: Backend> Write for Watched<B> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }
}
