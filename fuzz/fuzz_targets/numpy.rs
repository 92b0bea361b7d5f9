#![no_main]

mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::read(
    "{ name = 'numpy', file = 'x.npz' }",
    &["x.npz"],
    bytes
));
