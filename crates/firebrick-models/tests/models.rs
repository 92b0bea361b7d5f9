//! Tests of firebrick-models; one binary, because each links all of Burn.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod models {
    mod display;
    mod export;
    mod golden;
    mod init;
    mod loading;
    mod mismatch;
    mod registry;
    mod rubbish;
    mod support;
}
