//! `.pt` files of every name: the archive in them has the file's name in front of each of its entries.

use super::case_15_checkpoint_keys::{answer, train, with_checkpoint};

#[test]
fn a_name_of_21_letters_loads() {
    // torch.save(.., "checkpoint_epoch_0010.pth"): the first entry's name has 30 bytes.
    let sandbox = with_checkpoint("checkpoint_epoch_0010.pt", "checkpoint_epoch_0010.pt");
    train(&sandbox, "checkpoint_epoch_0010.pt", &[]).succeeds();
    assert_eq!(answer(&sandbox), 2);
}

#[test]
fn renaming_the_file_changes_nothing() {
    for name in ["w.pt", "modèle_du_20_février.pt", "模型.pt", "a name with spaces.pt", "-.pt"] {
        let sandbox = with_checkpoint("checkpoint_epoch_0010.pt", name);
        train(&sandbox, name, &[]).succeeds();
        assert_eq!(answer(&sandbox), 2, "{name}");
    }
}

/// The same archive as if `torch.save` had been given another name of 21 bytes.
#[test]
fn other_names_of_21_bytes_load() {
    let own = b"checkpoint_epoch_0010";
    for other in ["model_best_checkpoint", "modèle_du_20_février", "ResNet18_fold3_seed42"] {
        let other = format!("{other:_<21}");
        let name = &other.as_bytes()[..21];
        let sandbox = with_checkpoint("checkpoint_epoch_0010.pt", "w.pt");
        let mut bytes = std::fs::read(sandbox.path("w.pt")).unwrap();
        let places: Vec<usize> =
            (0..bytes.len() - 21).filter(|place| bytes[*place..].starts_with(own)).collect();
        assert!(places.len() > 10, "in front of every entry, twice");
        for place in places {
            bytes[place..place + 21].copy_from_slice(name);
        }
        sandbox.write("w.pt", bytes);
        train(&sandbox, "w.pt", &[]).succeeds();
        assert_eq!(answer(&sandbox), 2, "{other}");
    }
}

#[test]
fn a_damaged_archive_of_such_a_name_is_refused() {
    let sandbox = with_checkpoint("checkpoint_epoch_0010.pt", "checkpoint_epoch_0010.pt");
    let whole = std::fs::read(sandbox.path("checkpoint_epoch_0010.pt")).unwrap();
    for cut in [whole.len() - 1, whole.len() - 30, whole.len() / 2, 10] {
        sandbox.write("checkpoint_epoch_0010.pt", &whole[..cut]);
        let ended = train(&sandbox, "checkpoint_epoch_0010.pt", &[]).ends_with(2);
        assert!(ended.stderr.contains("not a whole PyTorch file"), "{ended:#?}");
    }
}
