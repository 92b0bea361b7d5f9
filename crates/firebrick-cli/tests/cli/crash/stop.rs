//! SIGINT and SIGTERM at random moments, and several processes on one folder.

#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use super::super::sandbox::Sandbox;
use super::victim::{Random, Started};
use super::{ENDLESS, STEPS_PER_EPOCH, uninterrupted, victim};

const EACH: usize = 5;
/// Far above what a step, a save and an evaluation take together.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn a_run_stopped_at_random_moments_ends_as_if_nothing_had_happened() {
    let sandbox = Sandbox::new();
    let expected = uninterrupted(&sandbox);
    let (_, longest) = victim(&sandbox, "measured", &[]).to_end().unwrap();
    let mut random = Random::new(6);
    for (signal, number) in [("-INT", 2), ("-TERM", 15)] {
        for count in 0..EACH {
            let run = victim(&sandbox, &format!("stopped{signal}-{count}"), &[]);
            let mut started = run.start().unwrap();
            if started.ends_within(longest.mul_f64(random.fraction())).unwrap() {
                continue;
            }
            let phase = started.phase(STEPS_PER_EPOCH);
            let begun = Instant::now();
            started.signal(signal).unwrap();
            let (status, stderr) = started.wait().unwrap();
            // Before it listens, a signal ends it as it ends any process; after its last step it is done.
            let code = status.code().or(status.signal().map(|number| 128 + number)).unwrap();
            assert!(code == 128 + number || code == 0, "{signal} in {phase}: {status}: {stderr}");
            assert!(begun.elapsed() < BOUND, "{signal} in {phase} took {:?}", begun.elapsed());
            run.ends_as(&expected).unwrap();
        }
    }
}

#[test]
fn one_of_eight_processes_runs_and_seven_explain() {
    let sandbox = Sandbox::new();
    let run = victim(&sandbox, "run", &[ENDLESS]);
    let mut processes: Vec<Started> = (0..8).map(|_| run.start().unwrap()).collect();
    let mut owner = None;
    // All that end before the owner has taken a step.
    while processes.len() > 1 {
        let mut process = processes.remove(0);
        if !process.ends_within(Duration::from_millis(20)).unwrap() {
            processes.push(process);
            continue;
        }
        let (status, stderr) = process.wait().unwrap();
        assert_eq!(status.code(), Some(4), "{stderr}");
        assert!(stderr.contains("in use by"), "{stderr}");
        if let Some(pid) = stderr.split("pid ").nth(1).and_then(|rest| rest.split(' ').next()) {
            owner = Some(pid.to_owned());
        }
    }
    let mut survivor = processes.remove(0);
    assert!(survivor.wait_for(|event| event["event"] == "step").unwrap());
    assert_eq!(owner, Some(survivor.id().to_string()));
    survivor.signal("-KILL").unwrap();
    survivor.wait().unwrap();

    let mut next = run.start().unwrap();
    assert!(next.wait_for(|event| event["event"] == "step").unwrap());
    next.signal("-TERM").unwrap();
    assert_eq!(next.wait().unwrap().0.code(), Some(143));
}
