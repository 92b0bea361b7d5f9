//! One HTTP transfer into the part file.

use std::io::Read;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::part_file::PartFile;
use super::target::{CHUNK_BYTES, Target};
use crate::error::DataError;
use crate::progress::Progress;

/// Longest wait for the name, the connection and the first byte each, and for any further piece.
/// There is none for the whole: 170 MB may take an hour.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest file accepted. The largest published one is 170 MB; a server gone mad must not fill the
/// disk.
const MAX_BYTES: u64 = 1 << 30;

/// Receives the rest of the file, all that follows what the part file holds; all of it when the
/// server cannot continue in the middle.
///
/// Returns when the server says that this was everything. Whether it is the right file the caller
/// must find out.
pub(super) fn receive(
    target: &Target,
    part: &mut PartFile,
    progress: &dyn Progress,
) -> Result<(), DataError> {
    if part.len() >= MAX_BYTES {
        part.restart()?;
    }
    progress.stage(&format!("asking {}", target.url), None);
    let response = request(target, part.len())?;
    match response.status() {
        StatusCode::OK => part.restart()?,
        StatusCode::PARTIAL_CONTENT if part.len() > 0 && starts_at(&response, part.len()) => {}
        // An answer to some other question: ask the plain one.
        StatusCode::PARTIAL_CONTENT if part.len() > 0 => {
            part.restart()?;
            return receive(target, part, progress);
        }
        // Nothing comes after what we have. Whole, or longer than the file: the checksum decides.
        StatusCode::RANGE_NOT_SATISFIABLE if part.len() > 0 => return Ok(()),
        status => return Err(refused(target, status)),
    }
    copy(target, response, part, progress)
}

fn request(target: &Target, from: u64) -> Result<Response<Body>, DataError> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(TIMEOUT))
        .timeout_connect(Some(TIMEOUT))
        .timeout_recv_response(Some(TIMEOUT))
        .timeout_per_read(Some(TIMEOUT));
    if is_loopback(&target.url) {
        // A proxy would look for the server on its own machine.
        config = config.proxy(None);
    }
    let mut request = config.build().new_agent().get(&target.url).header("connection", "close");
    if from > 0 {
        request = request.header("range", format!("bytes={from}-"));
    }
    request.call().map_err(|error| target.error(format!("cannot reach it: {error}"), target.by_hand()))
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

fn refused(target: &Target, status: StatusCode) -> DataError {
    let problem = format!("expected status 200 or 206, got {status}");
    target.error(problem, format!("try again later, or {}", target.by_hand()))
}

/// Whether the answer's `Content-Range: bytes FROM-TO/TOTAL` begins where we left off.
fn starts_at(response: &Response<Body>, from: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first =
        range.and_then(|range| range.trim().strip_prefix("bytes")).and_then(|range| range.split('-').next());
    first.and_then(|first| first.trim().parse().ok()) == Some(from)
}

fn copy(
    target: &Target,
    response: Response<Body>,
    part: &mut PartFile,
    progress: &dyn Progress,
) -> Result<(), DataError> {
    let left = response.body().content_length();
    let total = left.map(|left| left.saturating_add(part.len()));
    if total.is_some_and(|total| total > MAX_BYTES) {
        return Err(too_large(target));
    }
    let verb = if part.len() > 0 { "resuming" } else { "downloading" };
    let stage = format!("{verb} {}", target.url);
    progress.stage(&stage, total);
    progress.advance(part.len());

    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        if progress.is_cancelled() {
            return Err(DataError::Cancelled { stage });
        }
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => return Err(cut_off(target, part, total, &error.to_string())),
        };
        if part.len() + count as u64 > MAX_BYTES {
            part.restart()?;
            return Err(too_large(target));
        }
        part.append(&buffer[..count])?;
        progress.advance(count as u64);
    }
    match total {
        Some(total) if total != part.len() => Err(cut_off(target, part, Some(total), "it ended")),
        _ => Ok(()),
    }
}

fn cut_off(target: &Target, part: &PartFile, total: Option<u64>, why: &str) -> DataError {
    let expected = total.map_or("more".into(), |total| total.to_string());
    let problem = format!("cut off: expected {expected} bytes, got {}: {why}", part.len());
    let hint = match part.len() {
        0 => format!("start again, or {}", target.by_hand()),
        _ => format!("start again: it goes on from {}; or {}", part.path().display(), target.by_hand()),
    };
    target.error(problem, hint)
}

fn too_large(target: &Target) -> DataError {
    let problem = format!("expected at most {MAX_BYTES} bytes, got more");
    target.error(problem, format!("this is not the published file; {}", target.by_hand()))
}
