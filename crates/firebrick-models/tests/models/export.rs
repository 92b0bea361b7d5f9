//! Weights out, and the way back.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use firebrick_models::ImageClassifier;
use firebrick_models::weights::{LoadOptions, NameStyle, load, save_safetensors};
use safetensors::tensor::SafeTensors;
use tempfile::tempdir;

use super::support::{SMALL, Stored, all_bits, config, fixture, flex, read, write};

const STYLES: [NameStyle; 3] = [NameStyle::Firebrick, NameStyle::TorchSequential, NameStyle::TorchNamed];

fn metadata() -> BTreeMap<String, String> {
    let pairs = [("classes", "[\"cat\",\"dog\"]"), ("input_shape", "[3,32,32]"), ("mean", "[0.5]")];
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn a_round_trip_changes_no_bit_under_any_names() {
    let folder = tempdir().unwrap();
    for name in SMALL {
        let source = config(name).init(1, &flex());
        for style in STYLES {
            let path = folder.path().join(format!("{name}-{}.safetensors", style.name()));
            save_safetensors(&source, &path, style, &metadata()).unwrap();
            let fresh = config(name).init(2, &flex());
            let (loaded, report) = load(fresh, &path, LoadOptions::default()).unwrap();
            assert_eq!(all_bits(&loaded), all_bits(&source), "{report}");
            assert!(report.is_plain(), "{report}");
        }
    }
}

#[test]
fn names_and_shapes_are_those_of_the_golden_files() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    let pairs = [
        ("tudui", "tudui", NameStyle::TorchNamed),
        ("tudui_indexed", "tudui", NameStyle::TorchSequential),
        ("lenet", "lenet", NameStyle::Firebrick),
    ];
    for (case, name, style) in pairs {
        let golden = fixture(&format!("{case}.safetensors"));
        let fresh = config(name).init(2, &flex());
        let (model, _) = load(fresh, &golden, LoadOptions::default()).unwrap();
        save_safetensors(&model, &path, style, &BTreeMap::new()).unwrap();
        assert_eq!(read(&path), read(&golden), "{case}");
    }
}

/// `model1` is the attribute of the course's Tudui; other networks have none.
#[test]
fn only_tudui_has_the_name_of_an_attribute_in_front() {
    let first = |name: &str| {
        let model = config(name).init(0, &flex());
        STYLES.map(|style| firebrick_models::weights::parameter_names(&model, style)[0].clone())
    };
    assert_eq!(first("tudui"), ["conv1.weight", "model1.0.weight", "model1.conv1.weight"]);
    assert_eq!(first("lenet"), ["conv1.weight", "0.weight", "conv1.weight"]);
    let sequential = first("sequential");
    assert!(sequential.iter().all(|name| !name.starts_with("model1")), "{sequential:?}");
}

#[test]
fn from_a_pt_file_to_a_safetensors_file() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    let fresh = config("tudui").init(2, &flex());
    let (model, _) = load(fresh, &fixture("tudui_indexed.pt"), LoadOptions::default()).unwrap();
    save_safetensors(&model, &path, NameStyle::TorchSequential, &metadata()).unwrap();
    assert_eq!(read(&path), read(&fixture("tudui_indexed.safetensors")));
}

#[test]
fn the_file_carries_its_metadata_and_is_the_same_every_time() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    let model = config("lenet").init(1, &flex());
    let save = || {
        save_safetensors(&model, &path, NameStyle::Firebrick, &metadata()).unwrap();
        std::fs::read(&path).unwrap()
    };
    let bytes = save();
    assert_eq!(bytes, save());
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut expected = metadata();
    expected.insert("format".to_owned(), "pt".to_owned());
    let got = header.metadata().clone().unwrap();
    assert_eq!(got.into_iter().collect::<BTreeMap<_, _>>(), expected);
    // layers in the model's order, aligned for readers that map the file
    assert_eq!(header.offset_keys()[0], "conv1.weight");
    assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing beside the file");
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("nowhere/out.safetensors");
    let model = config("lenet").init(1, &flex());
    let error = save_safetensors(&model, &path, NameStyle::Firebrick, &BTreeMap::new());
    assert!(error.unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn style_names_are_parsed() {
    for style in STYLES {
        assert_eq!(style.name().parse(), Ok(style));
    }
    let error = "torch".parse::<NameStyle>().unwrap_err();
    insta::assert_snapshot!(error, @"name style: expected one of firebrick, torch-sequential, torch-named, got 'torch'");
}

/// Writes what `golden/torch_side.py check` loads into PyTorch: an export of each model under each
/// names, with images and our logits beside it. Does nothing unless the variable names a folder.
#[test]
fn exports_for_pytorch() {
    let Some(folder) = std::env::var_os("FIREBRICK_EXPORT_DIR").map(std::path::PathBuf::from) else {
        return;
    };
    for (name, num_classes) in [("tudui", 10), ("tudui", 3), ("lenet", 10)] {
        let model = config(name).with_num_classes(num_classes).init(4, &flex());
        let [c, h, w] = model.input_shape();
        let images: Vec<f32> = (0..4 * c * h * w).map(|i| (i as f32 * 0.37).sin()).collect();
        let data = burn::tensor::TensorData::new(images.clone(), [4, c, h, w]);
        let logits = model.forward(Tensor::<4>::from_data(data, &flex())).into_data();
        let beside = [
            ("images".to_owned(), Stored::f32(&[4, c, h, w], &images)),
            ("logits".to_owned(), Stored::f32(&[4, num_classes], logits.as_slice().unwrap())),
        ];
        for style in STYLES {
            let file = format!("{name}-{num_classes}-{}.safetensors", style.name());
            save_safetensors(&model, &folder.join(&file), style, &metadata()).unwrap();
            write(&folder.join(format!("{file}.logits.safetensors")), &beside);
        }
    }
}
