//! Tells the crate how far it is optimised, which its code cannot see.

#![allow(clippy::print_stdout)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let level = std::env::var("OPT_LEVEL").unwrap_or_else(|error| unreachable!("bug: OPT_LEVEL: {error}"));
    println!("cargo::rustc-env=FIREBRICK_KERNELS_OPT_LEVEL={level}");
}
