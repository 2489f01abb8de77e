//! The webhook rows: CPU, rate, latency, memory and start, each of both programs in interleaved rounds.

use super::bodies::{self, BIG, REFUSED, SMALL};
use super::load::{Drive, Load, Scenario, Slice};
use super::report::{Report, Round, Row, median, progress};
use super::server::Server;
use super::stage::{Policies, Stage};
use anyhow::Result;
use std::fs;
use std::time::Duration;

/// Four keep the server's core busy without a queue; one shows the latency of a cluster at rest.
const SATURATING: usize = 4;
const MICROSECONDS: f64 = 1e6;
const MEBIBYTE: f64 = 1_048_576.0;
/// Slices of each program in a round.
const SLICES: usize = 8;
const STARTS: usize = 21;

/// Everything that is asked, by name.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("validate small", "/validate", bodies::create(SMALL), true),
        Scenario::new("validate big", "/validate", bodies::create(BIG), true),
        Scenario::new("mutate small", "/mutate", bodies::create(SMALL), true).with(Policies::Sidecar),
        Scenario::new("mutate nothing", "/mutate", bodies::create(SMALL), true),
        Scenario::new("mutate others", "/mutate", bodies::create(SMALL), true).with(Policies::Others),
        Scenario::new("deny small", "/validate", bodies::create(REFUSED), false),
        Scenario::new("update small", "/validate", bodies::update(SMALL), true),
    ]
}

/// Adds all rows. `requests` is the length of a slice of small reviews.
pub async fn measure(stage: &Stage, rounds: usize, requests: usize, report: &mut Report) -> Result<()> {
    for scenario in scenarios().into_iter().filter(|scenario| stage.wants(scenario.name)) {
        // So that `portcullis review` can be asked the very same.
        fs::write(stage.folder.join(format!("{}.json", scenario.name)), &scenario.body)?;
        let requests = if scenario.name == "validate big" { requests / 4 } else { requests };
        let load = Load { connections: SATURATING, warm_up: requests, requests };
        let slices = interleaved(stage, &scenario, load, rounds).await?;
        report.add(saturated_rows(&scenario, &slices));
        match scenario.name {
            "validate small" => report.add([memory("rss idle", &slices, |slice| slice.idle)]),
            "validate big" => report.add([added(&slices), memory("rss after load", &slices, |slice| slice.loaded)]),
            _ => {}
        }
        note_disturbances(&scenario, &slices, report);
    }
    if stage.wants("validate small unloaded") {
        report.add(unloaded_rows(stage, requests / 4, rounds).await?);
    }
    if stage.wants("start to first answer") {
        report.add([start_row(stage).await?]);
    }
    Ok(())
}

/// In every round both programs are started anew, then slices of the load go to one and the other in turn, so that what
/// slows the machine down for a while slows down both. The one that waits for its turn costs nothing.
async fn interleaved(stage: &Stage, scenario: &Scenario, load: Load, rounds: usize) -> Result<Vec<Round<Slice>>> {
    let mut slices = Vec::with_capacity(rounds * SLICES);
    for round in 0..rounds {
        progress(&format!("{}, connections: {}, round {} of {rounds}", scenario.name, load.connections, round + 1));
        let mut null = Drive::start(stage, &stage.null, scenario, load).await?;
        let mut ours = Drive::start(stage, &stage.ours_with(scenario.policies), scenario, load).await?;
        for slice in 0..SLICES {
            slices.push(if slice % 2 == 0 {
                Round { null: null.slice().await?, ours: ours.slice().await? }
            } else {
                let ours = ours.slice().await?;
                Round { null: null.slice().await?, ours }
            });
        }
    }
    Ok(slices)
}

fn saturated_rows(scenario: &Scenario, slices: &[Round<Slice>]) -> Vec<Row> {
    let name = scenario.name;
    vec![
        Row::compared(format!("{name} cpu"), "µs/request", slices, |slice| microseconds(slice.cpu)),
        Row::compared(format!("{name} rate"), "requests/s, one core", slices, |slice| slice.rate),
        Row::compared(format!("{name} busy"), "of the server's core", slices, |slice| slice.busy),
        Row::compared(format!("{name} p50"), "µs", slices, |slice| microseconds(slice.latency(0.5))),
        Row::compared(format!("{name} p99"), "µs", slices, |slice| microseconds(slice.latency(0.99))),
    ]
}

/// What a review costs on top of being received: for a big one, where receiving is most of it, this says more than a
/// ratio does.
fn added(slices: &[Round<Slice>]) -> Row {
    let added = median(slices.iter().map(|round| microseconds(round.ours.cpu) - microseconds(round.null.cpu)));
    Row::alone("validate big added", "µs/request over null", added)
}

/// Says where a figure is worth less than it looks.
fn note_disturbances(scenario: &Scenario, slices: &[Round<Slice>], report: &mut Report) {
    let name = scenario.name;
    let middle =
        |figure: fn(&Slice) -> f64| median(slices.iter().flat_map(|round| [&round.null, &round.ours]).map(figure));
    let (busy, waited) = (middle(|slice| slice.busy), middle(|slice| slice.waited));
    if waited > 0.05 {
        let percent = waited * 100.0;
        report.note(format!(
            "{name}: other programs had the server's core {percent:.0} % of the time; repeat it at rest"
        ));
    } else if busy < 0.9 {
        let percent = busy * 100.0;
        report.note(format!("{name}: the load kept the server's core busy only {percent:.0} % of the time"));
    }
}

fn memory(name: &str, slices: &[Round<Slice>], figure: fn(&Slice) -> u64) -> Row {
    Row::compared(name, "MiB", slices, |slice| figure(slice) as f64 / MEBIBYTE)
}

async fn unloaded_rows(stage: &Stage, requests: usize, rounds: usize) -> Result<Vec<Row>> {
    let scenario = Scenario::new("validate small", "/validate", bodies::create(SMALL), true);
    let load = Load { connections: 1, warm_up: requests, requests };
    let slices = interleaved(stage, &scenario, load, rounds).await?;
    let row = |share: f64, name| Row::compared(name, "µs", &slices, |slice| microseconds(slice.latency(share)));
    Ok(vec![row(0.5, "validate small unloaded p50"), row(0.99, "validate small unloaded p99")])
}

async fn start_row(stage: &Stage) -> Result<Row> {
    progress("start to first answer");
    let scenario = Scenario::new("start", "/validate", bodies::create(SMALL), true);
    let mut starts = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let null = Server::start(&[], stage, &stage.null, &scenario.post).await?.first_answer;
        let ours = Server::start(&[], stage, &stage.ours_with(scenario.policies), &scenario.post).await?.first_answer;
        starts.push(Round { null, ours });
    }
    Ok(Row::compared("start to first answer", "ms", &starts, |time| time.as_secs_f64() * 1e3))
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * MICROSECONDS
}
