//! Files of PyTorch from before its zip archives, as torchvision's first published ones are.

use std::path::{Path, PathBuf};

use firebrick_models::weights::{LoadOptions, MatchedBy, WeightsFormat, classes_in_file, load};
use tempfile::tempdir;

use super::support::{all_bits, config, fixture, flex};

const STRICT: LoadOptions = LoadOptions { strict: true, key: None };
/// The files that hold the weights of `lenet.safetensors`, as f16.
pub const OLD: [&str; 2] = ["lenet_legacy.pth", "lenet_2017.pth"];

#[test]
fn golden_old_files_load() {
    let expected = load(config("lenet").init(1, &flex()), &fixture("lenet.safetensors"), STRICT).unwrap().0;
    let expected = all_bits(&expected);
    for name in OLD {
        let (loaded, report) = load(config("lenet").init(2, &flex()), &fixture(name), STRICT).unwrap();
        assert_eq!(report.format, WeightsFormat::Pytorch);
        assert_eq!(report.matched_by, MatchedBy::Name { prefix: String::new() });
        for ((parameter, loaded), (_, expected)) in all_bits(&loaded).iter().zip(&expected) {
            for (loaded, expected) in loaded.iter().zip(expected) {
                let (loaded, expected) = (f32::from_bits(*loaded), f32::from_bits(*expected));
                // Half of f16's last digit.
                let rounding = expected.abs() / 2048.0 + 1e-7;
                assert!((loaded - expected).abs() <= rounding, "{name}: {parameter}: {loaded}, {expected}");
            }
        }
    }
}

#[test]
fn the_number_of_classes_is_seen_in_every_format() {
    let folder = tempdir().unwrap();
    let network = config("lenet").build().unwrap();
    let burnpack = folder.path().join("lenet.bpk");
    burn::module::Module::into_record(config("lenet").init(1, &flex())).save(&burnpack).unwrap();
    let files =
        ["lenet.safetensors", "lenet.pt", "lenet_checkpoint_f16.pt", "lenet_legacy.pth", "lenet_2017.pth"];
    for path in files.map(fixture).into_iter().chain([burnpack]) {
        assert_eq!(classes_in_file(&network, &path).unwrap(), Some(10), "{}", path.display());
    }
    // Names that are not the network's say nothing.
    assert_eq!(classes_in_file(&network, &fixture("lenet_unknown_names_f16.pt")).unwrap(), None);
    assert!(classes_in_file(&network, Path::new("nowhere.pt")).is_err());
}

#[test]
fn an_old_pickle_is_not_executed() {
    let fresh = config("lenet").init(2, &flex());
    let error = load(fresh, &fixture("harmful_legacy.pth"), STRICT).unwrap_err().to_string();
    assert!(error.contains("does not fit LeNet") && error.contains("missing: conv1.weight"), "{error}");
    assert!(!Path::new("harmful-legacy-was-executed").exists());
}

/// The storages' lengths stand in the file twice: in the pickle, and in front of the numbers.
#[test]
fn lengths_that_lie_are_refused() {
    let folder = tempdir().unwrap();
    let path: PathBuf = folder.path().join("lie.pth");
    let whole = std::fs::read(fixture("lenet_2017.pth")).unwrap();
    // The last bias, ten numbers, is the last storage but for the order of its key.
    let lengths: Vec<usize> =
        (0..whole.len() - 8).filter(|at| whole[*at..*at + 8] == 10_i64.to_le_bytes()).collect();
    assert!(!lengths.is_empty());
    let last = *lengths.last().unwrap();
    for length in [0, 9, 11, 1 << 20, 1 << 40, i64::MAX, -1, i64::MIN] {
        let mut bytes = whole.clone();
        bytes[last..last + 8].copy_from_slice(&length.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let loaded = load(config("lenet").init(2, &flex()), &path, STRICT);
        assert!(loaded.is_err(), "{length}: a storage of another length than the pickle says was taken");
    }
}
