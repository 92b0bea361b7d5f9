#![no_main]

mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::read(
    "{ name = 'image_list', list = 'x.csv' }",
    &["x.csv"],
    bytes
));
