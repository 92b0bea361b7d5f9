//! Tests of firebrick-models; one binary, because each links all of Burn.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

mod models {
    mod bad_zoo_weights;
    mod batch_norm;
    mod blocks;
    mod buffers;
    mod checkpoints;
    mod depth;
    mod display;
    mod dropout;
    mod export;
    mod formula;
    mod freeze;
    mod golden;
    mod golden_sequential;
    mod init;
    mod layers;
    mod loading;
    mod mismatch;
    mod old_files;
    mod old_names;
    mod own;
    mod pt_file;
    mod pt_names;
    mod published;
    mod registry;
    mod resnet20;
    mod rubbish;
    mod sequential;
    mod support;
    mod wrong_networks;
    mod zoo;
    mod zoo_formula;
}
