//! Fetching into a folder that all programs share, with the first digits of a SHA-256: waiting for one another, refusing
//! another file, and no network.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use firebrick_data::download::{Checksum, Fetched, Mirror, RemoteFile, fetch, fetch_shared};
use firebrick_data::{DataError, Progress};
use tempfile::TempDir;

use crate::download::server::{Answer, Server};

fn contents() -> Vec<u8> {
    (0..300_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Its hash was computed by `sha256sum`.
const FILE: RemoteFile = RemoteFile {
    base_url: "http://nowhere.invalid",
    name: "net-136f334d.pth",
    checksum: Checksum::Sha256Prefix("136f334d"),
};

#[derive(Default)]
struct Listener {
    stages: Mutex<Vec<String>>,
    offline: bool,
    /// Asks to stop once a stage says this.
    stop_at: Option<&'static str>,
    stopped: AtomicBool,
}

impl Progress for Listener {
    fn stage(&self, message: &str, _total: Option<u64>) {
        self.stages.lock().unwrap().push(message.to_owned());
        if self.stop_at.is_some_and(|text| message.contains(text)) {
            self.stopped.store(true, Ordering::SeqCst);
        }
    }

    fn advance(&self, _delta: u64) {}

    fn is_cancelled(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn is_offline(&self) -> bool {
        self.offline
    }
}

struct Place {
    folder: TempDir,
    whole: PathBuf,
    part: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join(FILE.name);
        let part = folder.path().join(format!("{}.part", FILE.name));
        Self { folder, whole, part }
    }

    fn fetch(&self, server: &Server, progress: &dyn Progress) -> Result<Fetched, DataError> {
        fetch_shared(&FILE, self.folder.path(), &Mirror::at(server.url()), progress)
    }

    fn assert_whole(&self) {
        assert!(fs::read(&self.whole).unwrap() == contents());
        assert!(!self.part.exists());
    }
}

fn says(error: &DataError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

#[test]
fn the_first_digits_decide() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    assert_eq!(place.fetch(&server, &()).unwrap(), Fetched::Downloaded { resumed_from: 0 });
    place.assert_whole();
    assert_eq!(place.fetch(&server, &()).unwrap(), Fetched::AlreadyVerified);
    let wrong = Server::start(|_| Answer::ranges(vec![1; 300_000]));
    let place = Place::new();
    let error = place.fetch(&wrong, &()).unwrap_err();
    says(
        &error,
        &["expected a SHA-256 that begins with 136f334d, got ", "(300000 bytes)", "nothing was kept"],
    );
    assert!(!place.whole.exists() && !place.part.exists());
}

#[test]
fn cuts_and_redirects_are_as_for_data_sets() {
    let server = Server::start(|number| match number {
        0 => Answer::redirect("/elsewhere/net.pth"),
        1 => Answer::cut_off(contents(), 100_000),
        _ => Answer::ranges(contents()),
    });
    let place = Place::new();
    says(&place.fetch(&server, &()).unwrap_err(), &["cut off", "expected 300000 bytes, got 100000"]);
    assert_eq!(place.fetch(&server, &()).unwrap(), Fetched::Downloaded { resumed_from: 100_000 });
    place.assert_whole();
    // A file that is longer or shorter than the published one has another hash.
    for length in [299_999, 300_001] {
        let server =
            Server::start(move |_| Answer::plain(contents().into_iter().cycle().take(length).collect()));
        let place = Place::new();
        says(&place.fetch(&server, &()).unwrap_err(), &["136f334d", &format!("({length} bytes)")]);
        assert!(!place.whole.exists() && !place.part.exists());
    }
}

#[test]
fn another_file_of_the_name_is_refused_where_a_data_sets_own_would_be_used() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    fs::write(&place.whole, b"mine").unwrap();
    let error = place.fetch(&server, &()).unwrap_err();
    says(&error, &["136f334d", "(4 bytes)", &place.whole.display().to_string(), "remove it"]);
    let own = fetch(&FILE, place.folder.path(), &Mirror::at(server.url()), &()).unwrap();
    assert!(matches!(own, Fetched::KeptOwn { .. }));
    assert_eq!(fs::read(&place.whole).unwrap(), b"mine");
    assert!(server.ranges_asked().is_empty());
}

#[test]
fn offline_nothing_is_asked_for_and_what_is_there_is_used() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let offline = Listener { offline: true, ..Listener::default() };
    let deep = place.folder.path().join("a/b");
    for fetch in [fetch, fetch_shared] {
        let error = fetch(&FILE, &deep, &Mirror::at(server.url()), &offline).unwrap_err();
        says(
            &error,
            &["nothing is fetched", FILE.name, &deep.join(FILE.name).display().to_string(), "136f334d"],
        );
    }
    assert!(!deep.exists(), "no folder is made");
    fs::write(&place.whole, contents()).unwrap();
    assert_eq!(place.fetch(&server, &offline).unwrap(), Fetched::AlreadyVerified);
    assert!(server.ranges_asked().is_empty());
}

#[test]
fn several_at_once_fetch_it_once() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let found: Vec<Fetched> = std::thread::scope(|scope| {
        let fetching: Vec<_> = (0..6).map(|_| scope.spawn(|| place.fetch(&server, &()).unwrap())).collect();
        fetching.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let downloaded = found.iter().filter(|found| matches!(found, Fetched::Downloaded { .. })).count();
    assert_eq!(downloaded, 1, "{found:?}");
    assert_eq!(server.ranges_asked().len(), 1);
    place.assert_whole();
}

#[test]
fn whoever_waits_may_stop_waiting() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let other = fs::File::create(&place.part).unwrap();
    other.lock().unwrap();
    let listener = Listener { stop_at: Some("waiting for another process"), ..Listener::default() };
    let error = place.fetch(&server, &listener).unwrap_err();
    assert!(matches!(error, DataError::Cancelled { .. }), "{error}");
    assert!(place.part.exists(), "the other's part stays");
    // The other has died: its part is taken over.
    fs::write(&place.part, &contents()[..1000]).unwrap();
    drop(other);
    assert_eq!(place.fetch(&server, &()).unwrap(), Fetched::Downloaded { resumed_from: 1000 });
    place.assert_whole();
}
