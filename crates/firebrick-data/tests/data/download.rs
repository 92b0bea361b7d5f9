//! The download against a server on this machine: the right file, or a clear error; never half a
//! file under the final name.

#[path = "download/server.rs"]
pub mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use firebrick_data::download::{Checksum, Fetched, Mirror, RemoteFile, RemoteFiles, ensure_from, fetch};
use firebrick_data::{DataError, DatasetConfig, Progress};
use server::{Answer, Server};
use tempfile::TempDir;

use crate::support::named;

/// Several chunks long, and no two stretches alike.
fn contents() -> Vec<u8> {
    (0..1_000_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// The file on the test server. Its sum was computed by `md5sum`.
const FILE: RemoteFile =
    RemoteFile { base_url: "http://nowhere.invalid", name: "file.tar.gz", checksum: Checksum::Md5(MD5) };
const MD5: &str = "3daeab5bbad4d9d4764300c445051dd8";

/// Collects what a download tells; cancels after so many bytes if told to.
#[derive(Default)]
struct Listener {
    stages: Mutex<Vec<String>>,
    total: AtomicU64,
    advanced: AtomicU64,
    cancel_after: Option<u64>,
    cancelled: AtomicBool,
}

impl Listener {
    fn told(&self, text: &str) -> bool {
        self.stages.lock().unwrap().iter().any(|stage| stage.contains(text))
    }
}

impl Progress for Listener {
    fn stage(&self, message: &str, total: Option<u64>) {
        self.stages.lock().unwrap().push(message.into());
        if let Some(total) = total {
            self.total.store(total, Ordering::SeqCst);
            self.advanced.store(0, Ordering::SeqCst);
        }
    }

    fn advance(&self, delta: u64) {
        let advanced = self.advanced.fetch_add(delta, Ordering::SeqCst) + delta;
        if self.cancel_after.is_some_and(|limit| advanced >= limit) {
            self.cancelled.store(true, Ordering::SeqCst);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}

/// An empty folder, and the two paths a download may leave in it.
struct Place {
    folder: TempDir,
    whole: PathBuf,
    part: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join(FILE.name);
        let part = folder.path().join("file.tar.gz.part");
        Self { folder, whole, part }
    }

    fn fetch(&self, server: &Server) -> Result<Fetched, DataError> {
        self.fetch_telling(server, &())
    }

    fn fetch_telling(&self, server: &Server, progress: &dyn Progress) -> Result<Fetched, DataError> {
        fetch(&FILE, self.folder.path(), &Mirror::at(server.url()), progress)
    }

    /// The names in the folder.
    fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    fn assert_whole(&self) {
        assert_eq!(self.names(), [FILE.name]);
        assert!(fs::read(&self.whole).unwrap() == contents(), "another file than the server's");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Asserts that this is a download error that says all of `parts`.
fn assert_says(error: &DataError, parts: &[&str]) {
    assert!(matches!(error, DataError::Download { .. }), "{error}");
    assert!(!error.is_config());
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

fn downloaded(resumed_from: u64) -> Fetched {
    Fetched::Downloaded { resumed_from }
}

#[test]
fn a_whole_file_arrives_with_progress_and_is_verified_the_next_time() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let listener = Listener::default();
    assert_eq!(place.fetch_telling(&server, &listener).unwrap(), downloaded(0));
    place.assert_whole();
    assert!(listener.told("downloading http://127.0.0.1"));
    assert_eq!(listener.total.load(Ordering::SeqCst), 1_000_000);
    assert_eq!(listener.advanced.load(Ordering::SeqCst), 1_000_000);

    let listener = Listener::default();
    assert_eq!(place.fetch_telling(&server, &listener).unwrap(), Fetched::AlreadyVerified);
    assert!(listener.told("already downloaded and verified"));
    assert_eq!(server.ranges_asked(), [None], "the second time asks nothing of the server");
}

#[test]
fn the_folder_is_made() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let deep = place.folder.path().join("a/b");
    fetch(&FILE, &deep, &Mirror::at(server.url()), &()).unwrap();
    assert_eq!(names(&deep), [FILE.name]);
}

#[test]
fn a_cut_off_download_leaves_a_part_that_the_next_one_resumes() {
    let server = Server::start(|number| match number {
        0 => Answer::cut_off(contents(), 300_000),
        _ => Answer::ranges(contents()),
    });
    let place = Place::new();
    let error = place.fetch(&server).unwrap_err();
    assert_says(&error, &["cut off", "expected 1000000 bytes", "got 300000", "file.tar.gz.part", MD5]);
    assert_eq!(place.names(), ["file.tar.gz.part"]);
    assert!(fs::read(&place.part).unwrap() == contents()[..300_000]);

    let listener = Listener::default();
    assert_eq!(place.fetch_telling(&server, &listener).unwrap(), downloaded(300_000));
    place.assert_whole();
    assert_eq!(server.ranges_asked(), [None, Some("bytes=300000-".into())]);
    assert!(listener.told("resuming"));
    assert_eq!(listener.advanced.load(Ordering::SeqCst), 1_000_000, "the resumed bytes count too");
}

#[test]
fn it_may_be_cut_off_many_times() {
    let server = Server::start(|number| match number {
        0..3 => Answer::cut_off_ranges(contents(), 200_000),
        _ => Answer::ranges(contents()),
    });
    let place = Place::new();
    for _ in 0..3 {
        place.fetch(&server).unwrap_err();
    }
    assert_eq!(place.fetch(&server).unwrap(), downloaded(600_000));
    place.assert_whole();
}

#[test]
fn a_server_that_cannot_resume_sends_it_all_again() {
    let server = Server::start(|_| Answer::plain(contents()));
    let place = Place::new();
    fs::write(&place.part, &contents()[..123_456]).unwrap();
    assert_eq!(place.fetch(&server).unwrap(), downloaded(0));
    place.assert_whole();
}

#[test]
fn a_server_that_resumes_elsewhere_is_asked_again_for_all() {
    let server = Server::start(|number| match number {
        0 => Answer::ranges(contents()).with_content_range("bytes 5-999999/1000000"),
        _ => Answer::ranges(contents()),
    });
    let place = Place::new();
    fs::write(&place.part, &contents()[..1000]).unwrap();
    assert_eq!(place.fetch(&server).unwrap(), downloaded(0));
    place.assert_whole();
    assert_eq!(server.ranges_asked(), [Some("bytes=1000-".into()), None]);
}

#[test]
fn a_part_of_another_file_is_thrown_away_and_fetched_again() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    fs::write(&place.part, vec![9; 400_000]).unwrap();
    assert_eq!(place.fetch(&server).unwrap(), downloaded(0));
    place.assert_whole();
    assert_eq!(server.ranges_asked(), [Some("bytes=400000-".into()), None]);
}

#[test]
fn a_part_that_is_complete_needs_only_its_name() {
    // The process died between the last byte and the rename.
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    fs::write(&place.part, contents()).unwrap();
    assert_eq!(place.fetch(&server).unwrap(), downloaded(1_000_000));
    place.assert_whole();
}

#[test]
fn a_part_longer_than_the_file_is_fetched_again() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    fs::write(&place.part, vec![1; 1_500_000]).unwrap();
    assert_eq!(place.fetch(&server).unwrap(), downloaded(0));
    place.assert_whole();
}

#[test]
fn wrong_bytes_are_refused_and_nothing_is_kept() {
    let mut wrong = contents();
    wrong[500_000] ^= 1;
    let server = Server::start(move |_| Answer::ranges(wrong.clone()));
    let place = Place::new();
    let error = place.fetch(&server).unwrap_err();
    assert_says(&error, &["expected MD5", MD5, "1000000 bytes", "http://127.0.0.1"]);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn wrong_bytes_after_a_resume_are_refused_too() {
    let server = Server::start(|_| Answer::ranges(vec![7; 900_000]));
    let place = Place::new();
    fs::write(&place.part, &contents()[..1000]).unwrap();
    assert_says(&place.fetch(&server).unwrap_err(), &["expected MD5", "900000 bytes"]);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn an_empty_answer_is_refused() {
    let server = Server::start(|_| Answer::plain(Vec::new()));
    let place = Place::new();
    assert_says(&place.fetch(&server).unwrap_err(), &["expected MD5", "0 bytes"]);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn refusals_say_the_status_and_what_to_put_where() {
    for status in [403, 404, 500, 503] {
        let server = Server::start(move |_| Answer::status(status));
        let place = Place::new();
        let missing = place.folder.path().join("made/for/this");
        let error = fetch(&FILE, &missing, &Mirror::at(server.url()), &()).unwrap_err();
        let path = missing.join(FILE.name).display().to_string();
        let url = format!("{}/{}", server.url(), FILE.name);
        assert_says(&error, &[&status.to_string(), &url, &path, MD5]);
        assert_eq!(place.names(), Vec::<String>::new(), "no empty folders stay behind");
    }
}

#[test]
fn a_refusal_does_not_cost_the_part() {
    let server = Server::start(|_| Answer::status(500));
    let place = Place::new();
    fs::write(&place.part, &contents()[..1000]).unwrap();
    place.fetch(&server).unwrap_err();
    assert_eq!(place.names(), ["file.tar.gz.part"]);
    assert_eq!(fs::read(&place.part).unwrap().len(), 1000);
}

#[test]
fn redirects_are_followed_with_the_range() {
    let server = Server::start(|number| match number {
        0 => Answer::redirect("/elsewhere/file.tar.gz"),
        _ => Answer::ranges(contents()),
    });
    let place = Place::new();
    fs::write(&place.part, &contents()[..1000]).unwrap();
    assert_eq!(place.fetch(&server).unwrap(), downloaded(1000));
    place.assert_whole();
    assert_eq!(server.ranges_asked()[1], Some("bytes=1000-".into()));
}

#[test]
fn endless_redirects_end() {
    let server = Server::start(|_| Answer::redirect("/again"));
    let place = Place::new();
    assert_says(&place.fetch(&server).unwrap_err(), &["redirect"]);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn without_a_server_it_says_what_to_put_where() {
    // A port that was free a moment ago: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::new();
    let mirror = Mirror::at(format!("http://127.0.0.1:{port}/"));
    let error = fetch(&FILE, place.folder.path(), &mirror, &()).unwrap_err();
    let url = format!("http://127.0.0.1:{port}/{}", FILE.name);
    assert_says(&error, &["cannot reach", &url, &place.whole.display().to_string(), MD5]);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_cancelled_download_keeps_its_part() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let listener = Listener { cancel_after: Some(300_000), ..Default::default() };
    let error = place.fetch_telling(&server, &listener).unwrap_err();
    assert!(matches!(error, DataError::Cancelled { .. }), "{error}");
    let kept = fs::read(&place.part).unwrap().len() as u64;
    assert!((300_000..1_000_000).contains(&kept), "{kept}");
    assert_eq!(place.fetch(&server).unwrap(), downloaded(kept));
    place.assert_whole();
}

#[test]
fn somebodys_own_file_of_that_name_is_used_as_it_is() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    fs::write(&place.whole, b"mine").unwrap();
    let listener = Listener::default();
    let sum = "918b81db5e91d031548b963c93845e5b".to_string();
    let fetched = place.fetch_telling(&server, &listener).unwrap();
    assert!(matches!(&fetched, Fetched::KeptOwn { .. }), "{fetched:?}");
    assert!(listener.told("used as it is"));
    assert!(listener.told(MD5));
    assert_eq!(fetched, Fetched::KeptOwn { sum });
    assert_eq!(fs::read(&place.whole).unwrap(), b"mine");
    assert_eq!(server.ranges_asked(), Vec::<Option<String>>::new());
}

#[test]
fn two_processes_do_not_write_one_part() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    let other = fs::File::create(&place.part).unwrap();
    other.lock().unwrap();
    assert_says(&place.fetch(&server).unwrap_err(), &["another process", "file.tar.gz.part"]);
    drop(other);
    place.fetch(&server).unwrap();
    place.assert_whole();
}

#[test]
fn a_folder_in_the_way_is_an_error_that_names_it() {
    let server = Server::start(|_| Answer::ranges(contents()));
    let place = Place::new();
    fs::create_dir(&place.whole).unwrap();
    let error = place.fetch(&server).unwrap_err();
    assert!(error.to_string().contains(&place.whole.display().to_string()), "{error}");
}

#[test]
fn ensure_asks_for_the_files_of_the_data_set_where_they_belong() {
    let check = |dataset, folder: &str| {
        let files: RemoteFiles = named(dataset).remote_files().unwrap();
        let first = files.files[0];
        let server = Server::start(|_| Answer::status(404));
        let root = tempfile::tempdir().unwrap();
        let error = ensure_from(&Mirror::at(server.url()), &files, root.path(), &()).unwrap_err();
        let path = root.path().join(folder).join(first.name).display().to_string();
        assert_says(&error, &[first.name, &path, first.checksum.digits()]);
    };
    check("cifar10", "");
    check("cifar100", "");
    check("mnist", "MNIST/raw");
    check("fashion_mnist", "FashionMNIST/raw");
    for dataset in ["digits", "image_folder", "synthetic"] {
        assert_eq!(named(dataset).remote_files(), None);
    }
}

#[test]
fn the_table_holds_sums_and_addresses() {
    // Those that cannot be named without an argument have no official place.
    let made = DatasetConfig::NAMES
        .iter()
        .filter_map(|name| toml::Value::from(*name).try_into::<DatasetConfig>().ok());
    let files = made.filter_map(|dataset| dataset.remote_files());
    let files: Vec<RemoteFile> = files.flat_map(|files| files.files).collect();
    let mut sums: Vec<&str> = Vec::new();
    for file in &files {
        let Checksum::Md5(md5) = file.checksum else { panic!("{}", file.name) };
        assert_eq!(md5.len(), 32, "{}", file.name);
        assert!(md5.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
        assert!(file.base_url.starts_with("http") && !file.base_url.ends_with('/'));
        sums.push(md5);
    }
    sums.sort_unstable();
    sums.dedup();
    assert_eq!(sums.len(), 16);
}
