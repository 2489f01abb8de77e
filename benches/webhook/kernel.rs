//! What is asked of Linux: which core a process runs on, that it dies with us, what it used.
//!
//! The only file here with `unsafe` in it. Times come from the scheduler's own account (`schedstat`, exact to the
//! nanosecond), not from the clock ticks of `/proc/PID/stat`.
#![allow(unsafe_code, reason = "affinity, death signals and the usage of children have no safe form in std")]

use anyhow::{Context, Result, ensure};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;
use std::{fs, io, mem};

/// The two cores of a run: what is measured has one to itself, what measures has the other.
#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub client: usize,
}

/// The first two cores that this process may run on. An error if it has only one.
pub fn two_cores() -> Result<Cores> {
    let mut set = empty_set();
    // SAFETY: the set is as long as we say, and the kernel only fills it.
    let answer = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    ensure!(answer == 0, "cannot read the cores of this process: {}", io::Error::last_os_error());
    // SAFETY: CPU_ISSET reads inside the set for every number below CPU_SETSIZE.
    let mut allowed = (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) });
    let (server, client) = allowed.next().zip(allowed.next()).context(
        "only one core to run on: the server and the load need one each, or the figures say nothing about either",
    )?;
    Ok(Cores { server, client })
}

/// Keeps the calling thread on one core.
pub fn pin(core: usize) -> io::Result<()> {
    keep_to(&set_of(&[core]))
}

/// Makes a command start on these cores, and makes its process die when the thread that starts it dies.
pub fn place(command: &mut Command, cores: &[usize]) {
    let set = set_of(cores);
    let prepare = move || {
        // SAFETY: a plain system call without pointers.
        let answer = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        keep_to(&set)
    };
    // SAFETY: between fork and exec the closure makes two system calls; it allocates and locks nothing.
    unsafe { command.pre_exec(prepare) };
}

/// The scheduler's account of a process: what it got, and what it had to wait for while another had its core.
#[derive(Clone, Copy, Default)]
pub struct Scheduled {
    pub ran: Duration,
    pub waited: Duration,
}

/// The account of all living threads of a process, since each began.
pub fn scheduled(pid: u32) -> Result<Scheduled> {
    let mut total = Scheduled::default();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid} is gone"))? {
        // A thread may end between the listing and the reading.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let mut nanoseconds = text.split_ascii_whitespace().map(str::parse);
        let (ran, waited) = nanoseconds.next().zip(nanoseconds.next()).context("an empty schedstat")?;
        total.ran += Duration::from_nanos(ran?);
        total.waited += Duration::from_nanos(waited?);
    }
    Ok(total)
}

/// Bytes of memory that a process holds now.
pub fn resident(pid: u32) -> Result<u64> {
    memory(pid, "VmRSS:")
}

/// The most bytes of memory that a process has held so far.
pub fn peak(pid: u32) -> Result<u64> {
    memory(pid, "VmHWM:")
}

/// CPU time, user and system, of all children of this process that have ended and been waited for.
pub fn cpu_time_of_ended_children() -> Duration {
    // SAFETY: all bytes zero is a valid rusage, and the kernel only fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

/// Asks a process to end in its own time.
pub fn terminate(pid: u32) -> io::Result<()> {
    // SAFETY: a plain system call without pointers.
    let answer = unsafe { libc::kill(pid.cast_signed(), libc::SIGTERM) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn memory(pid: u32, field: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.split_ascii_whitespace().next());
    let kibibytes: u64 = kibibytes.with_context(|| format!("process {pid} has no {field} any more"))?.parse()?;
    Ok(kibibytes * 1024)
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
}

fn keep_to(set: &libc::cpu_set_t) -> io::Result<()> {
    // SAFETY: the set is as long as we say, and the kernel only reads it.
    let answer = unsafe { libc::sched_setaffinity(0, size_of_val(set), set) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn set_of(cores: &[usize]) -> libc::cpu_set_t {
    let mut set = empty_set();
    for &core in cores {
        // SAFETY: CPU_SET ignores numbers beyond the set.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    set
}

fn empty_set() -> libc::cpu_set_t {
    // SAFETY: all bytes zero is the empty set.
    unsafe { mem::zeroed() }
}
