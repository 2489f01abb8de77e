//! A process of the control plane: its log, its readiness, its end.
//!
//! It ends when it is dropped, and by the kernel's hand when this program is killed. It is in a process group of its own:
//! Ctrl-C reaches the program that started it and not itself, so that the order of ending stays ours.

use super::kernel::{self, Signal};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

/// How often something is asked again that is not there yet.
const PAUSE: Duration = Duration::from_millis(50);
/// How much of a log is shown when something went wrong.
const LINES_SHOWN: usize = 15;

/// A running process.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with both outputs appended to `log`.
    pub fn start(name: &str, log: &Path, mut command: Command) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        kernel::die_with_parent(&mut command);
        let child = start_from_a_thread_that_stays(command).with_context(|| format!("{name} does not start"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Waits until `is_ready`; an error with the end of its log if that takes longer than `within`, or if it ends before.
    pub fn ready(mut self, within: Duration, mut is_ready: impl FnMut() -> bool) -> Result<Self> {
        let deadline = Instant::now() + within;
        while !is_ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it was ready; the end of its log:\n{}", self.name, self.log_end());
            }
            if Instant::now() > deadline {
                bail!("{} was not ready after {within:?}; the end of its log:\n{}", self.name, self.log_end());
            }
            thread::sleep(PAUSE);
        }
        Ok(self)
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn send(&self, signal: Signal) -> Result<()> {
        kernel::send(self.pid(), signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end, and says how it did; an error if that takes longer than `within`.
    pub fn terminate(mut self, within: Duration) -> Result<ExitStatus> {
        self.send(Signal::Terminate)?;
        let child = &mut self.child;
        match until(within, || Ok(child.try_wait()?)) {
            Ok(status) => Ok(status),
            Err(error) => Err(error.context(format!("{} goes on after SIGTERM", self.name))),
        }
    }

    /// The last lines of its log.
    pub fn log_end(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Process {
    /// Kills it: its state goes with it, so there is nothing to be gained by asking.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the end of the log of {}:\n{}", self.name, self.log_end());
        }
    }
}

/// Asks `question` until it has an answer; an error after `within`, or when asking itself fails.
pub fn until<T>(within: Duration, mut question: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = question()? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("still not so after {within:?}");
        }
        thread::sleep(PAUSE);
    }
}

type Order = (Command, mpsc::SyncSender<io::Result<Child>>);

/// The kernel ends a process with the *thread* that started it, and the test runner's threads end with their tests.
fn start_from_a_thread_that_stays(command: Command) -> Result<Child> {
    static ORDERS: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in orders {
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, child) = mpsc::sync_channel(1);
    orders.send((command, reply)).ok().context("the thread that starts processes is gone")?;
    Ok(child.recv()??)
}
