//! Instructions per request, counted by callgrind: the figure that no busy machine moves, and so the one for a gate.
//!
//! User space only (the kernel's part is in the CPU rows). What a start costs is taken away by taking the difference
//! of two runs that differ in nothing but the number of requests.

use super::load::{Drive, Load, Scenario};
use super::report::{Report, Round, Row, progress};
use super::stage::{Program, Stage};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs;
use std::process::{Command, Stdio};

const FEW: usize = 200;
const MANY: usize = 1200;
/// One, so that the order of events is always the same.
const CONNECTIONS: usize = 1;

/// A row for each scenario, or a note where valgrind is not installed.
pub async fn measure(stage: &Stage, scenarios: &[Scenario], report: &mut Report) -> Result<()> {
    let installed = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        report.note("instructions per request: left out, valgrind is not installed");
        return Ok(());
    }
    for scenario in scenarios {
        let name = format!("instructions {}", scenario.name);
        if !stage.wants(&name) {
            continue;
        }
        progress(&name);
        let null = per_request(stage, &stage.null, scenario).await?;
        let ours = per_request(stage, &stage.ours_with(scenario.policies), scenario).await?;
        report.add([Row::compared(name, "per request, user space", &[Round { null, ours }], |count| *count)]);
    }
    Ok(())
}

async fn per_request(stage: &Stage, program: &Program, scenario: &Scenario) -> Result<f64> {
    let few = counted(stage, program, scenario, FEW).await?;
    let many = counted(stage, program, scenario, MANY).await?;
    Ok((many - few) / (MANY - FEW) as f64)
}

/// Instructions of a server's whole life, in which it answers this many requests.
async fn counted(stage: &Stage, program: &Program, scenario: &Scenario, requests: usize) -> Result<f64> {
    let log = stage.folder.join("callgrind.log");
    let mut log_option = OsString::from("--log-file=");
    log_option.push(&log);
    let wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"].map(OsString::from);
    let wrapper = [wrapper.as_slice(), &[log_option]].concat();
    let load = Load { connections: CONNECTIONS, warm_up: requests, requests: 0 };
    Drive::start_under(&wrapper, stage, program, scenario, load).await?.stop()?;
    collected(&fs::read_to_string(&log)?).with_context(|| format!("no count in {}", log.display()))
}

/// Reads callgrind's last line, `==PID== Collected : 123456`.
fn collected(log: &str) -> Option<f64> {
    let line = log.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(' ').next()?.parse().ok()
}
