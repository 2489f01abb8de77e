//! One thread reads, as many as there are cores judge, and this one writes, in the order of the inputs.
//!
//! Kept true: what is under way is bounded, since the queues are; a reader of ours that stops reading ends everything quietly.

use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};

use super::judge::Judge;
use super::progress::Progress;
use super::sources::Source;
use super::units::{Unit, Unwanted, produce};
use crate::report::{Rendered, Summary, Writer};

/// Units that are under way at once, for each thread that judges.
const DEPTH: usize = 4;

/// A unit that was judged.
struct Done {
    rendered: Rendered,
    summary: Summary,
}

/// A unit, and where to put what became of it.
type Order = (Unit, SyncSender<Done>);

/// Judges all sources and writes the report; `total` is the number of inputs.
pub(super) fn run(sources: &[Source], judge: &Judge<'_>, writer: Writer, total: usize) -> Result<Summary> {
    let threads = thread::available_parallelism().map_or(2, usize::from).min(16);
    let (orders, waiting) = sync_channel::<Order>(threads * DEPTH);
    let (promises, done) = sync_channel::<Receiver<Done>>(threads * DEPTH);
    let waiting = Mutex::new(waiting);
    thread::scope(|scope| {
        scope.spawn(move || read(sources, &orders, &promises));
        for _ in 0..threads {
            scope.spawn(|| work(&waiting, judge, writer));
        }
        let mut printer = Printer::new(writer, Progress::new(total));
        let printed = printer.print(&done);
        // Nobody waits for more: the reader notices, and then the others do.
        drop(done);
        match printed {
            Ok(()) => Ok(printer.summary),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(printer.summary),
            Err(error) => Err(anyhow!(error)).context("the report cannot be written"),
        }
    })
}

fn read(sources: &[Source], orders: &SyncSender<Order>, promises: &SyncSender<Receiver<Done>>) {
    let mut hand_on = |unit: Unit| {
        let (fulfil, promise) = sync_channel(1);
        promises.send(promise).map_err(|_| Unwanted)?;
        orders.send((unit, fulfil)).map_err(|_| Unwanted)
    };
    // Being unwanted is a way to end.
    let _ = produce(sources, &mut hand_on);
}

fn work(waiting: &Mutex<Receiver<Order>>, judge: &Judge<'_>, writer: Writer) {
    loop {
        let order = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((unit, fulfil)) = order else { return };
        let outcomes = judge.unit(&unit);
        let mut summary = Summary::of(&outcomes);
        summary.inputs = unit.inputs;
        // Nobody may want it any more.
        let _ = fulfil.send(Done { rendered: writer.batch(&outcomes), summary });
    }
}

struct Printer {
    writer: Writer,
    report: BufWriter<io::Stdout>,
    progress: Progress,
    summary: Summary,
    has_begun: bool,
}

impl Printer {
    fn new(writer: Writer, progress: Progress) -> Self {
        let report = BufWriter::with_capacity(64 << 10, io::stdout());
        Self { writer, report, progress, summary: Summary::default(), has_begun: false }
    }

    fn print(&mut self, done: &Receiver<Receiver<Done>>) -> io::Result<()> {
        self.report.write_all(self.writer.opening().as_bytes())?;
        for promise in done {
            let Done { rendered, summary } =
                promise.recv().map_err(|_| io::Error::other("a thread that judges has stopped; please report it"))?;
            self.summary.add(summary);
            self.unit(&rendered)?;
            self.progress.show(self.summary.inputs);
        }
        self.progress.clear();
        self.report.write_all(self.writer.closing(&self.summary).as_bytes())?;
        self.report.flush()
    }

    fn unit(&mut self, rendered: &Rendered) -> io::Result<()> {
        if !rendered.report.is_empty() {
            self.progress.clear();
            if self.has_begun {
                self.report.write_all(self.writer.separator().as_bytes())?;
            }
            self.has_begun = true;
            self.report.write_all(rendered.report.as_bytes())?;
            if self.progress.is_watched() {
                // Both streams may be one terminal: what comes later must not stand within the line of progress.
                self.report.flush()?;
            }
        }
        if !rendered.faults.is_empty() {
            self.progress.clear();
            self.report.flush()?;
            io::stderr().write_all(rendered.faults.as_bytes())?;
        }
        Ok(())
    }
}
