//! The real binaries, run as a person runs them, each in a folder of its own.

#![allow(clippy::unwrap_used, missing_docs)]

mod cli {
    mod against;
    mod bad_input;
    mod cases;
    mod commands;
    mod crash;
    mod docs;
    mod fixtures;
    mod folder;
    mod help;
    mod loss;
    mod messages;
    mod plot_lr;
    mod preview;
    mod published;
    mod run_states;
    mod sandbox;
    mod signals;
    mod train;
    mod use_run;
}
