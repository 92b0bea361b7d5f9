//! A server on this machine that has one file under every name, and may hold it back.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use tiny_http::{Header, Response, StatusCode};

/// What the server does with a request.
pub enum Answer {
    /// The file, or the part that was asked for.
    File,
    /// So many bytes of that, and nothing more until [`Server::release`].
    Held(usize),
    /// So many bytes of that, and the connection closed.
    Cut(usize),
    /// A refusal.
    Status(u16),
    /// Other bytes, as many.
    Other,
}

/// Answers until it is dropped.
pub struct Server {
    http: Arc<tiny_http::Server>,
    requests: Arc<AtomicUsize>,
    urls: Arc<Mutex<Vec<String>>>,
    gate: Arc<Gate>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one; `answer` is told the number of the request, from 0.
    pub fn start(file: Vec<u8>, answer: impl Fn(usize) -> Answer + Send + 'static) -> Self {
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let (requests, urls) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let gate = Arc::new(Gate::default());
        let thread = {
            let (http, requests, urls) = (Arc::clone(&http), Arc::clone(&requests), Arc::clone(&urls));
            let gate = Arc::clone(&gate);
            std::thread::spawn(move || {
                for request in http.incoming_requests() {
                    let number = requests.fetch_add(1, Ordering::SeqCst);
                    urls.lock().unwrap().push(request.url().to_owned());
                    respond(request, &file, &answer(number), Held { number, gate: Arc::clone(&gate) });
                }
            })
        };
        Self { http, requests, urls, gate, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.server_addr())
    }

    /// How often it was asked.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// What it was asked for.
    pub fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap().clone()
    }

    /// Lets every answer to a request so far go on.
    pub fn release(&self) {
        self.gate.open(self.requests());
    }
}

/// Holds answers back until their number is below the open one.
#[derive(Default)]
struct Gate {
    opened: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn open(&self, below: usize) {
        *self.opened.lock().unwrap() = below;
        self.changed.notify_all();
    }
}

/// An answer's place at the gate.
struct Held {
    number: usize,
    gate: Arc<Gate>,
}

impl Held {
    fn wait(&self) {
        let opened = self.gate.opened.lock().unwrap();
        drop(self.gate.changed.wait_while(opened, |opened| *opened <= self.number).unwrap());
    }
}

fn respond(request: tiny_http::Request, file: &[u8], answer: &Answer, held: Held) {
    let range = request.headers().iter().find(|header| header.field.equiv("Range"));
    let from: Option<usize> = range.map(|range| {
        range.value.as_str().trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
    });
    let total = file.len();
    let (status, body) = match (answer, from) {
        (Answer::Status(status), _) => (*status, b"no".to_vec()),
        (Answer::Other, _) => (200, vec![7; total]),
        (_, Some(from)) if from >= total => (416, Vec::new()),
        (_, Some(from)) => (206, file[from..].to_vec()),
        (_, None) => (200, file.to_vec()),
    };
    let headers = match (status, from) {
        (206, Some(from)) => {
            vec![Header::from_bytes("Content-Range", format!("bytes {from}-{}/{total}", total - 1)).unwrap()]
        }
        _ => Vec::new(),
    };
    let promised = body.len();
    let (hold_at, end_at) = match answer {
        Answer::Held(bytes) => (*bytes, usize::MAX),
        Answer::Cut(bytes) => (usize::MAX, *bytes),
        _ => (usize::MAX, usize::MAX),
    };
    let held = (hold_at < usize::MAX).then_some(held);
    let body = Body { bytes: Cursor::new(body), hold_at, held, end_at };
    let response = Response::new(StatusCode(status), headers, body, Some(promised), None)
        // Otherwise tiny_http sends a long body in chunks, without its length.
        .with_chunked_threshold(usize::MAX);
    // A client that is killed is part of the tests.
    let _ = request.respond(response);
}

/// A body that stops on the way.
struct Body {
    bytes: Cursor<Vec<u8>>,
    hold_at: usize,
    held: Option<Held>,
    end_at: usize,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let position = self.bytes.position() as usize;
        if position >= self.hold_at
            && let Some(held) = self.held.take()
        {
            held.wait();
        }
        let until = if self.held.is_some() { self.hold_at } else { self.end_at };
        let room = buffer.len().min(until.saturating_sub(position));
        self.bytes.read(&mut buffer[..room])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.gate.open(usize::MAX);
        self.http.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
