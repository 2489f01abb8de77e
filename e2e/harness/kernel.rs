//! What a test needs of the kernel and std does not offer: signals by pid, death with one's parent, a last word at exit.
//!
//! The only file here with `unsafe` in it.
#![allow(unsafe_code, reason = "signals, death signals and exit handlers have no safe form in std")]

use std::{
    io,
    os::unix::process::CommandExt,
    process::Command,
    sync::{Mutex, Once, PoisonError},
};

/// A signal that tests send to a process they have started.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Asks to end.
    Terminate,
    /// Takes the processor away, as a stalled machine does.
    Stop,
    /// Gives it back.
    Continue,
}

/// Sends `signal` to the process `pid`, which the caller has started and not yet waited for.
pub fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let number = match signal {
        Signal::Terminate => libc::SIGTERM,
        Signal::Stop => libc::SIGSTOP,
        Signal::Continue => libc::SIGCONT,
    };
    // SAFETY: kill() takes two integers; the pid is of a child that is not reaped, so it cannot be anybody else's.
    let answer = unsafe { libc::kill(pid.cast_signed(), number) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Has the kernel kill what `command` starts as soon as the thread that starts it is gone.
pub fn die_with_parent(command: &mut Command) {
    let prepare = || {
        // SAFETY: prctl() with these arguments only sets a number of the calling process.
        let answer = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: between fork and exec, one system call is made, and nothing is allocated or locked.
    unsafe { command.pre_exec(prepare) };
}

type Ending = Box<dyn FnOnce() + Send>;

static ENDINGS: Mutex<Vec<Ending>> = Mutex::new(Vec::new());

/// Runs `ending` when this process exits: the test runner never drops what a `static` holds.
pub fn at_exit(ending: impl FnOnce() + Send + 'static) {
    static REGISTERED: Once = Once::new();
    ENDINGS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(ending));
    REGISTERED.call_once(|| {
        // SAFETY: the handler is a plain function that lives as long as the program and does not unwind.
        unsafe { libc::atexit(run_endings) };
    });
}

extern "C" fn run_endings() {
    let endings = std::mem::take(&mut *ENDINGS.lock().unwrap_or_else(PoisonError::into_inner));
    for ending in endings.into_iter().rev() {
        // What fails here can be told to nobody, and the next one still has its turn.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(ending));
    }
}
