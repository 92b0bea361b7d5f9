//! Damaged and hostile files: an error or other values, never a panic or a huge allocation.

use std::path::{Path, PathBuf};

use burn::module::Module;
use firebrick_models::Network;
use firebrick_models::weights::{LoadOptions, NameStyle, WeightsError, load, save_safetensors};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tempfile::{TempDir, tempdir};

use super::old_files::OLD;
use super::support::{config, fixture, flex};

const LENIENT: LoadOptions = LoadOptions { strict: false, key: None };

/// A LeNet in each format, and in PyTorch's older ones.
fn originals() -> (TempDir, Vec<PathBuf>) {
    let folder = tempdir().unwrap();
    let model = config("lenet").init(1, &flex());
    let paths = ["a.safetensors", "a.pt", "a.bpk"].map(|name| folder.path().join(name));
    save_safetensors(&model, &paths[0], NameStyle::Firebrick, &Default::default()).unwrap();
    std::fs::copy(fixture("lenet_checkpoint_f16.pt"), &paths[1]).unwrap();
    model.into_record().save(&paths[2]).unwrap();
    let old = OLD.map(|name| {
        let path = folder.path().join(name);
        std::fs::copy(fixture(name), &path).unwrap();
        path
    });
    (folder, [&paths[..], &old].concat())
}

fn try_load(fresh: &Network, path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    std::fs::write(path, bytes).unwrap();
    load(fresh.clone(), path, LENIENT).map(|_| ())
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let (_folder, paths) = originals();
    let fresh = config("lenet").init(2, &flex());
    for path in paths {
        let whole = std::fs::read(&path).unwrap();
        try_load(&fresh, &path, &whole).unwrap();
        let cuts = (0..64).chain((64..whole.len()).step_by(whole.len() / 150));
        for cut in cuts.chain(whole.len() - 8..whole.len()) {
            let error = try_load(&fresh, &path, &whole[..cut]);
            // A zip archive ends in its directory, and an old file in numbers, so losing the last bytes is seen.
            assert!(error.is_err(), "{} cut at {cut}", path.display());
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let (_folder, paths) = originals();
    let fresh = config("lenet").init(2, &flex());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for path in paths {
        let whole = std::fs::read(&path).unwrap();
        let is_old = OLD.iter().any(|name| path.ends_with(name));
        for round in 0..if is_old { 200 } else { 600 } {
            let mut bytes = whole.clone();
            // mostly in the header, where the numbers are
            let reach = if round % 3 == 0 { bytes.len() } else { bytes.len().min(4096) };
            for _ in 0..=round % 4 {
                let place = random.next_u32() as usize % reach;
                bytes[place] ^= 1 << (random.next_u32() % 8);
            }
            let _ = try_load(&fresh, &path, &bytes);
        }
    }
}

#[test]
fn the_end_of_a_zip_archive_may_lie() {
    let (_folder, paths) = originals();
    let fresh = config("lenet").init(2, &flex());
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let whole = std::fs::read(&paths[1]).unwrap();
    for _ in 0..600 {
        let mut bytes = whole.clone();
        let place = bytes.len() - 1 - random.next_u32() as usize % 1500;
        bytes[place] = random.next_u32() as u8;
        let _ = try_load(&fresh, &paths[1], &bytes);
    }
}

#[test]
fn random_bytes_are_an_error() {
    let folder = tempdir().unwrap();
    let fresh = config("lenet").init(2, &flex());
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for name in ["r.safetensors", "r.pt", "r.bpk"] {
        for round in 0..200_usize {
            let mut bytes = vec![0_u8; round * 7];
            random.fill_bytes(&mut bytes);
            for (byte, magic) in bytes.iter_mut().zip(magic(name, round)) {
                *byte = *magic;
            }
            let result = try_load(&fresh, &folder.path().join(name), &bytes);
            assert!(result.is_err(), "{name} round {round}");
        }
    }
}

/// Every other file starts as its format does, so that the parser gets further.
fn magic(name: &str, round: usize) -> &'static [u8] {
    match (round % 2, name) {
        (0, _) => b"",
        (_, "r.safetensors") => b"\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[",
        (_, "r.pt") => b"\x80\x02}q\0(X\x04\0\0\0name",
        _ => b"NRUB\x01\0\x20\0\0\0",
    }
}

#[test]
fn headers_that_promise_too_much_are_refused_before_anything_is_allocated() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("huge.safetensors");
    let fresh = config("lenet").init(2, &flex());
    let with_header = |length: u64, json: &str| {
        let bytes = [length.to_le_bytes().as_slice(), json.as_bytes()].concat();
        let error = try_load(&fresh, &path, &bytes).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    insta::assert_snapshot!(with_header(u64::MAX, "{}"), @"weights file 'huge.safetensors': not a whole safetensors file: the header should have 18446744073709551615 bytes, the file has 2 more");
    insta::assert_snapshot!(with_header(1 << 40, "{}"), @"weights file 'huge.safetensors': not a whole safetensors file: the header should have 1099511627776 bytes, the file has 2 more");
    let whole = |json: &str| with_header(json.len() as u64, json);
    let huge = r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#;
    insta::assert_snapshot!(whole(huge), @"weights file 'huge.safetensors': not a whole safetensors file: the header describes 4398046511190 bytes, the file has 86");
    let overflow = r#"{"a":{"dtype":"F32","shape":[9223372036854775807,8],"data_offsets":[0,4]}}"#;
    assert!(whole(overflow).contains("the header is not valid"));
    let nested = "[".repeat(100_000);
    assert!(whole(&nested).contains("the header is not valid"));
}

#[test]
fn a_deep_pickle_is_an_error() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("deep.pt");
    let fresh = config("lenet").init(2, &flex());
    for (open, close) in [(b"]".as_slice(), b"a".as_slice()), (b"}U\x01a", b"s"), (b"(", b"t")] {
        let depth = 50_000;
        let mut bytes = b"\x80\x02".to_vec();
        bytes.extend(open.repeat(depth));
        bytes.extend(b"N");
        bytes.extend(close.repeat(depth));
        bytes.push(b'.');
        assert!(try_load(&fresh, &path, &bytes).is_err());
    }
}
