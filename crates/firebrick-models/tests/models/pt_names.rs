//! Files load whatever they are called: the archive in a `.pt` has the file's name in front of each of its entries.

use std::path::Path;

use firebrick_models::weights::{LoadOptions, load};
use proptest::prelude::*;
use tempfile::tempdir;

use super::checkpoints::{network, small};
use super::pt_file::save;
use super::support::{Stored, all_bits, flex, write};

const STRICT: LoadOptions = LoadOptions { strict: true, key: None };

/// Writes a file of this name and reads it back.
#[track_caller]
fn check(folder: &Path, name: &str, value: f32) {
    let path = folder.join(name);
    if name.ends_with(".safetensors") {
        let weight = Stored::f32(&[3, 4], &[value; 12]);
        write(
            &path,
            &[("1.weight".to_owned(), weight), ("1.bias".to_owned(), Stored::f32(&[3], &[value; 3]))],
        );
    } else {
        save(&path, &network(value));
    }
    let (model, _) = load(small().init(0, &flex()), &path, STRICT).unwrap_or_else(|error| panic!("{error}"));
    for (parameter, bits) in all_bits(&model) {
        assert!(bits.iter().all(|bits| *bits == value.to_bits()), "{name}: {parameter}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn names_of_every_length() {
    let folder = tempdir().unwrap();
    for length in 1..=80 {
        for ending in ["pt", "safetensors"] {
            check(folder.path(), &format!("{}.{ending}", "m".repeat(length)), length as f32);
        }
    }
    for name in
        ["checkpoint_epoch_0010.pt", "model_best_checkpoint.pt", "modèle_du_20_février.pt", "чекпойнт10_.pt"]
    {
        check(folder.path(), name, 0.5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn names_of_any_letters(stem in "[\\p{Greek}\\p{Han}\\p{Latin}\\p{Nd} _-]{1,80}", is_pt: bool) {
        let folder = tempdir().unwrap();
        let ending = if is_pt { "pt" } else { "safetensors" };
        // A file's name has at most 255 bytes.
        let mut stem: String = stem.chars().scan(0, |bytes, letter| {
            *bytes += letter.len_utf8();
            (*bytes <= 240).then_some(letter)
        }).collect();
        if stem.is_empty() {
            stem.push('x');
        }
        check(folder.path(), &format!("{stem}.{ending}"), 0.25);
    }
}
