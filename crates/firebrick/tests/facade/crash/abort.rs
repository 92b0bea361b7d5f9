//! A process that ends at its Nth operation on the disk, for every N.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use firebrick_storage::operation::observe;

use super::{assert_nothing_lost, resume, scratch, uninterrupted};

const RUN_DIR: &str = "FIREBRICK_TEST_RUN_DIR";
const ABORT_AT: &str = "FIREBRICK_TEST_ABORT_AT";

/// No test of its own: what [`trains_until_it_aborts`] starts as another process.
#[test]
fn process_that_aborts() {
    let (Ok(run_dir), Ok(abort_at)) = (std::env::var(RUN_DIR), std::env::var(ABORT_AT)) else { return };
    let abort_at: usize = abort_at.parse().unwrap();
    let operations = AtomicUsize::new(0);
    assert!(observe(Box::new(move |_| {
        if operations.fetch_add(1, Ordering::SeqCst) + 1 == abort_at {
            std::process::abort();
        }
        Ok(())
    })));
    resume(Path::new(&run_dir)).unwrap();
}

/// Whether the process came to its Nth operation, and ended there.
fn trains_until_it_aborts(run_dir: &Path, abort_at: usize) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["crash::abort::process_that_aborts", "--exact"])
        .env(RUN_DIR, run_dir)
        .env(ABORT_AT, abort_at.to_string())
        .output()
        .unwrap();
    let aborted = !output.status.success();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!aborted || output.status.code().is_none(), "{:?}: {stderr}", output.status);
    aborted
}

#[test]
fn a_run_aborted_at_any_operation_goes_on_as_if_nothing_had_happened() {
    let folder = scratch();
    let expected = uninterrupted(folder.path());
    let next = AtomicUsize::new(1);
    let survived_at = std::thread::scope(|scope| {
        let work = || loop {
            let abort_at = next.fetch_add(1, Ordering::SeqCst);
            let run_dir = folder.path().join(format!("aborted-at-{abort_at}"));
            let aborted = trains_until_it_aborts(&run_dir, abort_at);
            // The second process may end while it mends what the first has left.
            trains_until_it_aborts(&run_dir, 1 + abort_at % 12);
            let outcome = resume(&run_dir).unwrap_or_else(|error| panic!("operation {abort_at}: {error}"));
            assert_nothing_lost(&run_dir, &outcome.summary, &expected, &format!("operation {abort_at}"));
            std::fs::remove_dir_all(&run_dir).unwrap();
            if !aborted {
                return abort_at;
            }
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.map(|worker| worker.join().unwrap()).into_iter().min().unwrap()
    });
    assert!(survived_at > 100, "the run survived an abort at operation {survived_at}");
}
