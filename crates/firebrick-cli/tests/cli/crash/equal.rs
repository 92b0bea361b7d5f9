//! The same command gives the same bits, whatever computes beside it.

use super::super::sandbox::Sandbox;
use super::victim;

#[test]
fn neither_threads_nor_workers_change_a_bit() {
    for backend in ["flex", "ndarray"] {
        let sandbox = Sandbox::new();
        let mut ends = Vec::new();
        for (threads, workers) in [(1, 0), (2, 1), (4, 4)] {
            let backend = format!("trainer.backend={backend}");
            let workers = format!("data.workers={workers}");
            let mut run = victim(&sandbox, &format!("threads-{threads}"), &[&backend, &workers]);
            run.threads = Some(threads);
            ends.push(run.to_end().unwrap().0);
        }
        assert_eq!(ends[0], ends[1], "{backend}");
        assert_eq!(ends[0], ends[2], "{backend}");
    }
}
