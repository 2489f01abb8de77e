//! Faults to survive: three replicas of the real binary behind a real API server, traffic throughout, and something breaks.
//!
//! Each fault prints what was sent, what failed and what was wrong. `HOLD` (seconds that a fault lasts), `DRAIN` (the drain
//! delay in seconds) and `ROUNDS` come from the environment; `make faults` sets them as production would.

mod harness;

#[path = "faults/harm.rs"]
mod harm;
#[path = "faults/labels.rs"]
mod labels;
#[path = "faults/request.rs"]
mod request;
#[path = "registration/rights.rs"]
mod rights;
#[path = "faults/stage.rs"]
mod stage;
#[path = "faults/tally.rs"]
mod tally;
#[path = "faults/timings.rs"]
mod timings;
#[path = "faults/traffic.rs"]
mod traffic;

use anyhow::Result;
use harm::Harm;
use harness::Signal;
use stage::fault;
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

#[test]
fn nothing_fails_while_every_replica_is_restarted_in_turn() -> Result<()> {
    let tally = fault("SIGTERM of each replica", |stage, _| {
        let count = stage.replicas.count();
        for index in (0..stage.timings.rounds).flat_map(|_| 0..count) {
            stage.replicas.terminate(index)?;
            stage.replicas.start_unready(index)?;
            stage.replicas.await_ready(index)?;
        }
        Ok(())
    })?;
    tally.assert_nothing_failed();
    Ok(())
}

#[test]
fn a_replica_that_is_killed_costs_what_it_was_sent_until_it_left_the_endpoints() -> Result<()> {
    let mut left = Instant::now();
    let tally = fault("kill -9 of a replica", |stage, traffic| {
        let busiest = stage.replicas.busiest();
        let killed = Instant::now();
        stage.replicas.kill(busiest);
        left = stage.replicas.await_left(busiest)?;
        traffic.window(killed, left);
        sleep(stage.timings.hold);
        stage.replicas.start_unready(busiest)?;
        stage.replicas.await_ready(busiest).map(drop)
    })?;
    tally.assert_failed_only_until(left, 0);
    Ok(())
}

#[test]
fn a_replica_that_hangs_costs_what_it_was_sent_and_the_connections_that_it_had() -> Result<()> {
    let mut left = Instant::now();
    let mut kept = 0;
    let tally = fault("SIGSTOP of a replica", |stage, traffic| {
        let busiest = stage.replicas.busiest();
        let stopped = Instant::now();
        stage.replicas.process(busiest)?.send(Signal::Stop)?;
        traffic.tighten();
        left = stage.replicas.await_left(busiest)?;
        kept = stage.replicas.balancer.connections(busiest);
        traffic.window(stopped, left);
        sleep(stage.timings.hold + Duration::from_secs(2));
        stage.replicas.process(busiest)?.send(Signal::Continue)?;
        stage.replicas.await_ready(busiest).map(drop)
    })?;
    // What a kept-alive connection leads to stays where it is, in a cluster, too: each costs the request that finds out.
    tally.assert_failed_only_until(left, kept);
    Ok(())
}

#[test]
fn while_all_replicas_are_gone_covered_kinds_are_refused_and_the_rest_goes_on() -> Result<()> {
    let mut absent = (Instant::now(), Instant::now());
    let tally = fault("all replicas gone", |stage, traffic| {
        (0..stage.replicas.count()).for_each(|index| stage.replicas.kill(index));
        let begin = Instant::now();
        sleep(stage.timings.hold + Duration::from_secs(2));
        stage.replicas.start_all()?;
        absent = (begin, stage.replicas.balancer.opened()?);
        traffic.window(absent.0, absent.1);
        Ok(())
    })?;
    tally.assert_refused_between(absent);
    tally.assert_uncovered_served();
    tally.assert_recovered_after(absent.1);
    Ok(())
}

#[test]
fn a_restart_of_the_api_server_costs_nothing_but_its_own_absence() -> Result<()> {
    let tally = fault("API server restart", |stage, traffic| {
        let stopped = Instant::now();
        for _ in 0..stage.timings.rounds {
            stage.plane.api_servers[0].stop()?;
            stage.plane.api_servers[0].start_again()?;
        }
        traffic.window(stopped, Instant::now());
        Ok(())
    })?;
    tally.assert_nothing_failed();
    Ok(())
}

#[test]
fn an_etcd_that_stalls_for_ten_seconds_costs_nothing_but_its_own_absence() -> Result<()> {
    let tally = fault("etcd stalled", |stage, traffic| {
        for _ in 0..stage.timings.rounds {
            let stopped = Instant::now();
            stage.plane.etcd.process()?.send(Signal::Stop)?;
            sleep(Duration::from_secs(10));
            stage.plane.etcd.process()?.send(Signal::Continue)?;
            traffic.window(stopped, Instant::now());
            stage.plane.connect()?.merge("/api/v1/nodes/node", &serde_json::json!({"metadata": {}}))?.done()?;
        }
        Ok(())
    })?;
    tally.assert_nothing_failed();
    Ok(())
}

#[test]
fn a_registration_that_is_deleted_or_weakened_is_back_and_what_slipped_in_is_reported() -> Result<()> {
    for harm in [Harm::Deleted, Harm::Weakened] {
        let tally = fault(&format!("registration {}", harm.name()), |stage, traffic| {
            for _ in 0..stage.timings.rounds {
                let begin = Instant::now();
                let slipped = harm.act(&mut stage.plane.connect()?)?;
                traffic.unguarded(begin, Instant::now());
                traffic.window(begin, slipped.repaired);
                slipped.await_reports(&mut stage.plane.connect()?)?;
            }
            Ok(())
        })?;
        tally.assert_nothing_failed();
    }
    Ok(())
}

#[test]
fn nothing_fails_while_the_secret_of_the_certificates_is_deleted() -> Result<()> {
    let tally = fault("Secret deleted", |stage, traffic| {
        for _ in 0..stage.timings.rounds {
            let begin = Instant::now();
            let repaired = harm::delete_certificates(&mut stage.plane.connect()?)?;
            traffic.window(begin, repaired);
            sleep(stage.timings.hold);
        }
        Ok(())
    })?;
    tally.assert_nothing_failed();
    Ok(())
}

#[test]
fn everything_boots_by_itself_in_any_order() -> Result<()> {
    for order in timings::boot_orders() {
        let mut absent = (Instant::now(), Instant::now());
        let tally = fault(&format!("cold start: {}", order.map(stage::Part::name).join(", ")), |stage, traffic| {
            stage.kill_everything();
            let begin = Instant::now();
            for part in order {
                stage.start(part)?;
                sleep(Duration::from_millis(500));
            }
            stage.await_everything()?;
            absent = (begin, stage.replicas.balancer.opened()?);
            traffic.window(absent.0, absent.1);
            Ok(())
        })?;
        tally.assert_uncovered_served();
        tally.assert_refused_between(absent);
        tally.assert_recovered_after(absent.1);
    }
    Ok(())
}
