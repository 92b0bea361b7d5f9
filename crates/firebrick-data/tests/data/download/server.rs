//! A small HTTP server on this machine whose answers a test chooses.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tiny_http::{Header, Request, Response, StatusCode};

/// One answer.
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Answer a `Range` with that part.
    ranges: bool,
    /// Close the connection after so many bytes of the body.
    cut_after: usize,
}

impl Answer {
    /// The whole body, whatever was asked.
    pub fn plain(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body, ranges: false, cut_after: usize::MAX }
    }

    /// The body, or the part of it that was asked for.
    pub fn ranges(body: Vec<u8>) -> Self {
        Self { ranges: true, ..Self::plain(body) }
    }

    /// The first bytes of the body, promising all of it.
    pub fn cut_off(body: Vec<u8>, cut_after: usize) -> Self {
        Self { cut_after, ..Self::plain(body) }
    }

    /// The first bytes of the part that was asked for, promising all of it.
    pub fn cut_off_ranges(body: Vec<u8>, cut_after: usize) -> Self {
        Self { cut_after, ..Self::ranges(body) }
    }

    /// A refusal.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::plain(b"no".to_vec()) }
    }

    /// Somewhere else.
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("Location", location.to_string())];
        Self { status: 302, headers, ..Self::plain(Vec::new()) }
    }

    /// Says another place in the file than the one it sends.
    pub fn with_content_range(mut self, range: &str) -> Self {
        self.headers.push(("Content-Range", range.to_string()));
        self
    }

    fn take_range(&mut self, range: &str) {
        let total = self.body.len();
        let start: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
        if start >= total {
            self.status = 416;
            self.headers.push(("Content-Range", format!("bytes */{total}")));
            self.body.clear();
            return;
        }
        self.status = 206;
        self.body.drain(..start);
        if !self.headers.iter().any(|(name, _)| *name == "Content-Range") {
            self.headers.push(("Content-Range", format!("bytes {start}-{}/{total}", total - 1)));
        }
    }

    fn send(mut self, request: Request, range: Option<&str>) {
        if let (true, Some(range)) = (self.ranges, range) {
            self.take_range(range);
        }
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap());
        let promised = self.body.len();
        self.body.truncate(self.cut_after);
        let body = Cut(Cursor::new(self.body));
        let response = Response::new(StatusCode(self.status), headers.collect(), body, Some(promised), None)
            // Otherwise tiny_http sends a long body in chunks, without its length.
            .with_chunked_threshold(usize::MAX);
        // A client that hangs up early (cancelled) is part of the tests.
        let _ = request.respond(response);
    }
}

/// A body that ends.
struct Cut(Cursor<Vec<u8>>);

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Answers until it is dropped.
pub struct Server {
    http: Arc<tiny_http::Server>,
    ranges: Arc<Mutex<Vec<Option<String>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one; `answer` is told the number of the request, from 0.
    pub fn start(answer: impl Fn(usize) -> Answer + Send + 'static) -> Self {
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let thread = {
            let (http, ranges) = (Arc::clone(&http), Arc::clone(&ranges));
            std::thread::spawn(move || {
                for (number, request) in http.incoming_requests().enumerate() {
                    let header = request.headers().iter().find(|header| header.field.equiv("Range"));
                    let range = header.map(|header| header.value.to_string());
                    ranges.lock().unwrap().push(range.clone());
                    answer(number).send(request, range.as_deref());
                }
            })
        };
        Self { http, ranges, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.http.server_addr())
    }

    /// The `Range` of each request so far.
    pub fn ranges_asked(&self) -> Vec<Option<String>> {
        self.ranges.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.http.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
