//! Fetched once, whole or not at all: kills, cuts, wrong bytes, refusals, several processes, no network.

use std::process::{Child, Stdio};

use super::super::crash::victim::Random;
use super::file::published;
use super::server::{Answer, Server};
use super::{FILE, Place};

const SHA256: &str = "a SHA-256 that begins with b8a52dc0";

#[test]
fn a_file_is_fetched_once_for_all_runs() {
    let place = Place::new();
    let server = Server::start(published(), |_| Answer::File);
    let told = place.train(Some(&server), "first", &[]).succeeds();
    assert!(told.stderr.contains(&format!("asking {}/{FILE}", server.url())), "{told:#?}");
    assert!(told.stderr.contains("downloaded and verified"), "{told:#?}");
    assert_eq!(server.urls(), [format!("/{FILE}")]);
    assert!(std::fs::read(place.whole()).unwrap() == published());
    place.train(Some(&server), "second", &["--quiet"]).succeeds();
    place.train(None, "third", &["--quiet", "--offline"]).succeeds();
    assert_eq!(server.requests(), 1);
    assert_eq!(place.cached(), [FILE]);
}

#[test]
fn offline_it_says_what_is_missing_and_where_it_belongs() {
    let place = Place::new();
    let path = place.whole().display().to_string();
    let says = |ended: super::Ended| {
        let ended = ended.ends_with(3);
        for part in ["nothing is fetched", FILE, &path, SHA256] {
            assert!(ended.stderr.contains(part), "`{part}`: {ended:#?}");
        }
        assert!(!place.sandbox.path("run").exists() && !place.sandbox.path("cache").exists());
    };
    says(place.train(None, "run", &["--offline"]));
    let mut command = place.command(env!("CARGO_BIN_EXE_train"), None);
    command.env("FIREBRICK_OFFLINE", "1");
    says(place.sandbox.run(&mut command, &["--config", "squeeze.toml", "--run-dir", "run"]));
    says(place.firebrick(None, &["predict", "squeezenet1_1", "photo.png", "--offline"]));
}

#[test]
fn what_cannot_be_fetched_is_said_and_leaves_nothing() {
    type Case = (fn(usize) -> Answer, &'static [&'static str]);
    let cases: [Case; 3] = [
        (|_| Answer::Status(404), &["got 404", FILE]),
        (|_| Answer::Other, &[SHA256, "nothing was kept"]),
        (|_| Answer::Status(503), &["got 503"]),
    ];
    for (answer, says) in cases {
        let place = Place::new();
        let server = Server::start(published(), answer);
        let ended = place.train(Some(&server), "run", &[]).ends_with(3);
        for part in says {
            assert!(ended.stderr.contains(part), "`{part}`: {ended:#?}");
        }
        assert_eq!(place.cached(), Vec::<String>::new());
        assert!(!place.sandbox.path("run").exists());
    }
}

#[test]
fn a_cut_is_resumed_by_the_next_run() {
    let place = Place::new();
    let server =
        Server::start(published(), |number| if number == 0 { Answer::Cut(1_000_000) } else { Answer::File });
    let ended = place.train(Some(&server), "run", &[]).ends_with(3);
    assert!(ended.stderr.contains("cut off") && ended.stderr.contains("start again"), "{ended:#?}");
    assert_eq!(place.cached(), [format!("{FILE}.part")]);
    let ended = place.train(Some(&server), "run", &[]).succeeds();
    assert!(ended.stderr.contains("downloaded and verified"), "{ended:#?}");
    assert!(std::fs::read(place.whole()).unwrap() == published());
}

/// A file of the name that is another one is never taken for it.
#[test]
fn a_wrong_file_in_the_cache_is_refused() {
    let place = Place::new();
    let server = Server::start(published(), |_| Answer::File);
    let mut wrong = published();
    wrong[4_000_000] ^= 1;
    place.sandbox.write(&format!("cache/weights/{FILE}"), &wrong);
    let ended = place.train(Some(&server), "run", &[]).ends_with(3);
    for part in [SHA256, "it is not the published file; remove it", &place.whole().display().to_string()] {
        assert!(ended.stderr.contains(part), "`{part}`: {ended:#?}");
    }
    assert_eq!(server.requests(), 0);
    assert!(std::fs::read(place.whole()).unwrap() == wrong, "it stays as it is");
}

/// Starts a training whose output nobody reads.
fn start(place: &Place, server: &Server, run: &str) -> Child {
    let mut command = place.command(env!("CARGO_BIN_EXE_train"), Some(server));
    command.args(["--config", "squeeze.toml", "--run-dir", run, "--quiet"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// What a server holds back in its buffers at most.
const MARGIN: usize = 50_000;

/// Waits until the part file has this many bytes.
fn until_part_has(place: &Place, bytes: u64, child: &mut Child) {
    while std::fs::metadata(place.part()).map_or(0, |file| file.len()) < bytes {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
}

#[test]
fn processes_killed_at_random_moments_leave_a_part_that_is_resumed() {
    const KILLS: usize = 8;
    let place = Place::new();
    let file = published();
    let mut random = Random::new(3);
    // The server keeps the last few thousand bytes of what it has before it stops.
    let pieces: Vec<usize> =
        (0..KILLS).map(|_| random.between(MARGIN as u64 + 1, (file.len() / KILLS) as u64) as usize).collect();
    let held = pieces.clone();
    let server = Server::start(file.clone(), move |number| {
        held.get(number).map_or(Answer::File, |bytes| Answer::Held(*bytes))
    });
    let mut length = 0;
    for (kill, piece) in pieces.into_iter().enumerate() {
        let mut child = start(&place, &server, "run");
        // Somewhere on the way to what the server gives this time.
        until_part_has(&place, length + random.between(1, (piece - MARGIN) as u64), &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        server.release();
        assert_eq!(place.cached(), [format!("{FILE}.part")], "kill {kill}");
        let part = std::fs::read(place.part()).unwrap();
        assert!(file.starts_with(&part), "kill {kill}: other bytes than the file's");
        length = part.len() as u64;
        assert!(!place.sandbox.path("run").exists());
    }
    place.train(Some(&server), "run", &["--quiet"]).succeeds();
    assert_eq!(place.cached(), [FILE]);
    assert!(std::fs::read(place.whole()).unwrap() == file);
    assert_eq!(server.requests(), KILLS + 1);
}

#[test]
fn processes_that_want_the_same_file_fetch_it_once() {
    let place = Place::new();
    let server = Server::start(published(), |_| Answer::Held(2_000_000));
    let mut first = start(&place, &server, "a");
    until_part_has(&place, 1_900_000, &mut first);
    let mut others: Vec<Child> = ["b", "c"].map(|run| start(&place, &server, run)).into();
    // They wait; the first goes on.
    assert!(others.iter_mut().all(|child| child.try_wait().unwrap().is_none()));
    server.release();
    for mut child in std::iter::once(first).chain(others) {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(server.requests(), 1);
    assert_eq!(place.cached(), [FILE]);
    let sha256 =
        |run: &str| place.sandbox.read_json(&format!("{run}/summary.json"))["weights_sha256"].clone();
    assert_eq!([sha256("a"), sha256("a")], [sha256("b"), sha256("c")]);
}

/// One that waits takes over where the other dies.
#[test]
fn a_process_that_waits_goes_on_where_the_other_was_killed() {
    let place = Place::new();
    let server =
        Server::start(published(), |number| if number == 0 { Answer::Held(1_500_000) } else { Answer::File });
    let mut first = start(&place, &server, "a");
    until_part_has(&place, 1_400_000, &mut first);
    let mut second = start(&place, &server, "b");
    assert!(second.try_wait().unwrap().is_none());
    first.kill().unwrap();
    first.wait().unwrap();
    server.release();
    assert!(second.wait().unwrap().success());
    assert_eq!(server.requests(), 2);
    assert!(std::fs::read(place.whole()).unwrap() == published());
}
