//! `portcullis check` over a folder of manifests, as a pipeline or a migration runs it: on both cores, to nowhere.

use super::kernel;
use super::report::{Row, median, progress};
use super::stage::{Program, Stage};
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const DEPLOYMENT: &str = include_str!("templates/deployment.yaml");
const FOLDERS: usize = 10;
/// One manifest in this many breaks the restricted level, so that findings are made and shown.
const FAULTY: usize = 10;
const RUNS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Time, CPU and memory of a check on `count` manifests of 2 KB; memory of a tenth of them beside it, for a check that
/// keeps what it has read would need ten times as much for all.
pub fn measure(stage: &Stage, count: usize) -> Result<Vec<Row>> {
    let Program::Portcullis(binary, _) = &stage.ours else { return Ok(Vec::new()) };
    if !stage.wants(&format!("check {count} manifests")) {
        return Ok(Vec::new());
    }
    let folder = write_manifests(&stage.folder, count)?;
    progress(&format!("check on {count} manifests"));
    let tenth = Run::measure(stage, binary, &folder.join("0"))?;
    let runs: Vec<Run> = (0..RUNS).map(|_| Run::measure(stage, binary, &folder)).collect::<Result<_>>()?;
    let row = |what: &str, unit, figure: fn(&Run) -> f64| {
        Row::alone(format!("check {count} manifests{what}"), unit, median(runs.iter().map(figure)))
    };
    Ok(vec![
        row("", "s on two cores", |run| run.wall.as_secs_f64()),
        row(" cpu", "s", |run| run.cpu.as_secs_f64()),
        row(" peak", "MiB", |run| run.peak),
        Row::alone(format!("check {} manifests peak", count / FOLDERS), "MiB", tenth.peak),
    ])
}

struct Run {
    wall: Duration,
    cpu: Duration,
    /// MiB of memory.
    peak: f64,
}

impl Run {
    fn measure(stage: &Stage, binary: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        let log = stage.folder.join("check.log");
        command.arg("check").arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        kernel::place(&mut command, &[stage.cores.server, stage.cores.client]);
        let (before, start) = (kernel::cpu_time_of_ended_children(), Instant::now());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let mut peak = 0;
        // The peak only ever rises, so the last look before the end is as good as one at the end; the usage that wait4
        // reports is not, for it starts with the memory of the process that spawned.
        let status = loop {
            peak = kernel::peak(child.id()).unwrap_or(peak);
            if let Some(status) = child.try_wait()? {
                break status;
            }
            thread::sleep(BETWEEN_LOOKS);
        };
        let wall = start.elapsed();
        let log = fs::read_to_string(log)?;
        ensure!(status.code() == Some(1), "check {} ended with {status}, not with findings:\n{log}", folder.display());
        let cpu = kernel::cpu_time_of_ended_children() - before;
        Ok(Self { wall, cpu, peak: peak as f64 / f64::from(1 << 20) })
    }
}

/// Writes `count` Deployments, a file each, into ten folders, and returns the folder around them.
fn write_manifests(scratch: &Path, count: usize) -> Result<PathBuf> {
    let root = scratch.join("manifests");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    for folder in 0..FOLDERS {
        fs::create_dir_all(root.join(folder.to_string()))?;
    }
    for number in 0..count {
        let name = format!("service-{number}");
        let escalation = if number % FAULTY == 0 { "true" } else { "false" };
        let text = DEPLOYMENT.replace("$NAME", &name).replace("$ESCALATION", escalation);
        let folder = root.join((number * FOLDERS / count).to_string());
        fs::write(folder.join(format!("{name}.yaml")), text)?;
    }
    Ok(root)
}
