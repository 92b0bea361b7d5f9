#![no_main]

mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::read("{ name = 'svhn' }", &["train_32x32.mat"], bytes));
