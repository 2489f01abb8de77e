//! A server under measurement: a child on a core of its own, killed when this value goes.

use super::client::{Client, Post};
use super::kernel::{self, Scheduled};
use super::stage::{Program, Stage};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{slice, thread};
use tokio_rustls::TlsConnector;

/// Enough for a server that valgrind slows down by fifty.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_micros(50);

pub struct Server {
    child: Child,
    log: PathBuf,
    pub port: u16,
    /// From just before the spawn to the first whole answer with status 200, over TLS.
    pub first_answer: Duration,
}

impl Server {
    /// Starts a program and returns when it has answered `post` once. What it logs goes to a file. The command line
    /// may begin with that of another program, such as valgrind; mostly `wrapper` is empty.
    pub async fn start(wrapper: &[OsString], stage: &Stage, program: &Program, post: &Post) -> Result<Self> {
        let (port, admin_port) = free_ports()?;
        let words = [wrapper, &stage.serve(program, port, admin_port)?].concat();
        let (name, arguments) = words.split_first().context("an empty command line")?;
        let log = stage.folder.join("server.log");
        let mut command = Command::new(name);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        kernel::place(&mut command, slice::from_ref(&stage.cores.server));
        let start = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", name.display()))?;
        let mut server = Self { child, log, port, first_answer: Duration::ZERO };
        server.wait_for_an_answer(start, &stage.tls, post).await?;
        server.first_answer = start.elapsed();
        Ok(server)
    }

    pub fn scheduled(&self) -> Result<Scheduled> {
        kernel::scheduled(self.child.id())
    }

    pub fn resident(&self) -> Result<u64> {
        kernel::resident(self.child.id())
    }

    /// Asks the server to stop and waits until it has, so that what it writes at its end is there.
    pub fn stop(mut self) -> Result<()> {
        kernel::terminate(self.child.id())?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > PATIENCE {
                bail!("the server did not end within {PATIENCE:?} of SIGTERM: {}", self.last_words());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Tries without pause: nothing else runs on the client's core meanwhile, and a refused connection costs little.
    async fn wait_for_an_answer(&mut self, start: Instant, tls: &TlsConnector, post: &Post) -> Result<()> {
        loop {
            let failure = match first_status(self.port, tls, post).await {
                Ok(200) => return Ok(()),
                Ok(status) => format!("status {status}"),
                Err(error) => error.to_string(),
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it answered: {}", self.last_words());
            }
            if start.elapsed() > PATIENCE {
                bail!("no answer within {PATIENCE:?}, at last: {failure}; {}", self.last_words());
            }
            thread::sleep(BETWEEN_TRIES);
        }
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        if lines.is_empty() {
            return "it logged nothing".to_owned();
        }
        format!("its log ends with\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only where the child has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn first_status(port: u16, tls: &TlsConnector, post: &Post) -> Result<u16> {
    let mut client = Client::connect(port, tls).await?;
    Ok(client.ask(post).await?.status)
}

/// Two ports that nobody listens on now. Both are held until both are known, so that they differ.
fn free_ports() -> Result<(u16, u16)> {
    let first = TcpListener::bind(("127.0.0.1", 0))?;
    let second = TcpListener::bind(("127.0.0.1", 0))?;
    Ok((first.local_addr()?.port(), second.local_addr()?.port()))
}
