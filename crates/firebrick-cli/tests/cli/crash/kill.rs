//! kill -9 at random moments.

use super::super::sandbox::Sandbox;
use super::victim;
use super::victim::Random;

const KILLS: usize = 25;

#[test]
fn a_run_killed_at_random_moments_ends_as_if_nothing_had_happened() {
    let sandbox = Sandbox::new();
    let (expected, mut longest) = victim(&sandbox, "uninterrupted", &[]).to_end().unwrap();
    let (mut kills, mut chains, mut random) = (0, 0, Random::new(5));
    while kills < KILLS {
        chains += 1;
        let run = victim(&sandbox, &format!("killed-{chains}"), &[]);
        let killed = run.kill((KILLS - kills).min(5), longest, &mut random, &expected).unwrap();
        kills += killed.kills;
        longest = killed.whole.unwrap_or(longest);
    }
}
