//! Files that do not fit: one error that lists everything, and what `strict = false` lets in.

use std::path::{Path, PathBuf};

use burn::module::Module;
use firebrick_models::weights::{LoadOptions, LoadReport, WeightsError, load};
use firebrick_models::{ImageClassifier, Network};
use safetensors::Dtype;
use tempfile::{TempDir, tempdir};

use super::support::{SMALL, Stored, all_bits, config, flex, state_dict, write};

const STRICT: LoadOptions = LoadOptions { strict: true, key: None };
const LENIENT: LoadOptions = LoadOptions { strict: false, key: None };

/// A file made from a LeNet's state dict by `change`.
fn changed(change: impl FnOnce(&mut Vec<(String, Stored)>)) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let mut tensors = state_dict(&config("lenet").init(1, &flex()));
    change(&mut tensors);
    write(&path, &tensors);
    (folder, path)
}

fn into_fresh(path: &Path, options: LoadOptions) -> Result<(Network, LoadReport), WeightsError> {
    load(config("lenet").init(2, &flex()), path, options)
}

/// The message without the folder, which differs from run to run.
fn message(path: &Path, options: LoadOptions) -> String {
    let error = into_fresh(path, options).unwrap_err().to_string();
    error.replace(&format!("{}/", path.parent().unwrap().display()), "")
}

fn rename(tensors: &mut [(String, Stored)], from: &str, to: &str) {
    for (name, _) in tensors {
        if name == from {
            to.clone_into(name);
        }
    }
}

#[test]
fn one_error_lists_everything_that_is_wrong() {
    let (_folder, path) = changed(|tensors| {
        rename(tensors, "conv1.bias", "conv9.bias");
        tensors[2].1 = Stored::zeros(&[16, 6, 3, 3]);
        tensors[9].1 = Stored::zeros(&[5]);
        tensors[5].1 = Stored { dtype: Dtype::I32, ..Stored::zeros(&[120]) };
        tensors.push(("fc4.weight".to_owned(), Stored::zeros(&[2, 2])));
    });
    insta::assert_snapshot!(message(&path, STRICT), @r"
    weights file 'w.safetensors' does not fit LeNet (matched by name)
      missing: conv1.bias [6]
      extra: conv9.bias [6]
      extra: fc4.weight [2, 2]
      misshapen: conv2.weight: expected [16, 6, 5, 5], got [16, 6, 3, 3] in 'conv2.weight'
      misshapen: fc3.bias: expected [10], got [5] in 'fc3.bias'
      not floating point: fc1.bias: expected f32, f16, bf16 or f64, got i32 in 'fc1.bias'
    ");
    // misshapen and mistyped tensors are wrong however lenient one is
    assert!(into_fresh(&path, LENIENT).is_err());
}

#[test]
fn missing_and_extra_are_an_error_unless_lenient() {
    let (_folder, path) = changed(|tensors| rename(tensors, "conv2.weight", "other.weight"));
    insta::assert_snapshot!(message(&path, STRICT), @r"
    weights file 'w.safetensors' does not fit LeNet (matched by name)
      missing: conv2.weight [16, 6, 5, 5]
      extra: other.weight [16, 6, 5, 5]
      with strict = false missing parameters and a head for other classes keep their fresh values, and extra tensors are left out
    ");
    let (model, report) = into_fresh(&path, LENIENT).unwrap();
    assert_eq!(report.missing[0].name, "conv2.weight");
    assert_eq!(report.extra[0].name, "other.weight");
    let (loaded, fresh) = (all_bits(&model), all_bits(&config("lenet").init(2, &flex())));
    let source = all_bits(&config("lenet").init(1, &flex()));
    for i in 0..10 {
        let expected = if i == 2 { &fresh[i] } else { &source[i] };
        assert_eq!(&loaded[i], expected);
    }
}

#[test]
fn a_head_for_other_classes_stays_fresh() {
    let (_folder, path) = changed(|_| {});
    let hundred = || config("lenet").with_num_classes(100).init(2, &flex());
    for options in [STRICT, LENIENT] {
        let (model, report) = load(hundred(), &path, options).unwrap();
        let fresh: Vec<&str> = report.fresh_head.iter().map(|h| h.parameter.as_str()).collect();
        assert_eq!(fresh, ["fc3.weight", "fc3.bias"]);
        assert!(!report.is_plain());
        assert!(report.to_string().contains("fresh, other classes in the file: fc3.weight"), "{report}");
        let (loaded, before) = (all_bits(&model), all_bits(&hundred()));
        assert_eq!(loaded[8..], before[8..]);
        assert_eq!(loaded[..8], all_bits(&config("lenet").init(1, &flex()))[..8]);
    }
}

/// Burn's own files have linear weights the other way round.
#[test]
fn a_head_for_other_classes_stays_fresh_from_burnpack() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.bpk");
    config("lenet").init(1, &flex()).into_record().save(&path).unwrap();
    let hundred = || config("lenet").with_num_classes(100).init(2, &flex());
    let (model, report) = load(hundred(), &path, STRICT).unwrap();
    assert_eq!(report.fresh_head.len(), 2, "{report}");
    assert_eq!(all_bits(&model)[..8], all_bits(&config("lenet").init(1, &flex()))[..8]);
}

/// With `strict = true` everything but the number of classes must fit.
#[test]
fn a_head_that_differs_in_more_than_its_classes_is_refused_unless_lenient() {
    type Change = fn(&mut Vec<(String, Stored)>);
    let cases: [(&str, Change, &str); 4] = [
        (
            "other features",
            |t| t[8].1 = Stored::zeros(&[5, 80]),
            "fc3.weight: expected [10, 84], got [5, 80]",
        ),
        (
            "two counts",
            |t| {
                t[8].1 = Stored::zeros(&[5, 84]);
                t[9].1 = Stored::zeros(&[7])
            },
            "fc3.bias: expected [10], got [7]",
        ),
        ("weight alone", |t| t[8].1 = Stored::zeros(&[5, 84]), "fc3.weight: expected [10, 84], got [5, 84]"),
        (
            "no bias",
            |t| {
                t[8].1 = Stored::zeros(&[5, 84]);
                t.truncate(9)
            },
            "missing: fc3.bias [10]",
        ),
    ];
    for (name, change, says) in cases {
        let (_folder, path) = changed(change);
        let error = message(&path, STRICT);
        assert!(error.contains(says) && error.contains("strict = false"), "{name}: {error}");
        let (_, report) = into_fresh(&path, LENIENT).unwrap();
        assert!(!report.fresh_head.is_empty(), "{name}: {report}");
    }
    // Beside a head for other classes, everything else is as strict as ever.
    let (_folder, path) = changed(|t| {
        t[8].1 = Stored::zeros(&[5, 84]);
        t[9].1 = Stored::zeros(&[5]);
        t.push(("more.weight".to_owned(), Stored::zeros(&[1])));
    });
    let error = message(&path, STRICT);
    assert!(error.contains("extra: more.weight [1]") && !error.contains("fc3"), "{error}");
}

#[test]
fn a_wrong_shape_below_the_head_is_an_error_however_lenient() {
    let (_folder, path) = changed(|tensors| tensors[0].1 = Stored::zeros(&[6, 3, 5, 5]));
    let error = message(&path, LENIENT);
    assert!(error.contains("misshapen: conv1.weight: expected [6, 1, 5, 5], got [6, 3, 5, 5]"), "{error}");
    assert!(!error.contains("strict"), "{error}");
}

#[test]
fn weights_of_another_network_are_not_let_in() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    write(&path, &state_dict(&config("tudui").init(1, &flex())));
    for options in [STRICT, LENIENT] {
        let error = message(&path, options);
        assert!(error.contains("does not fit LeNet"), "{error}");
    }
    write(&path, &[("x".to_owned(), Stored::zeros(&[1]))]);
    assert!(into_fresh(&path, LENIENT).is_err(), "nothing of it fits");
    write(&path, &[]);
    assert!(into_fresh(&path, LENIENT).is_err(), "there is nothing in it");
}

#[test]
fn a_transposed_linear_weight_is_misshapen() {
    let (_folder, path) = changed(|tensors| tensors[4].1.shape.reverse());
    let error = message(&path, STRICT);
    assert!(error.contains("fc1.weight: expected [120, 400], got [400, 120]"), "{error}");
}

#[test]
fn two_networks_in_one_file_are_not_chosen_between() {
    let twice = |first: &str, second: &str| {
        let (first, second) = (first.to_owned(), second.to_owned());
        changed(move |tensors| {
            let copy = tensors.clone();
            for (name, _) in tensors.iter_mut() {
                *name = format!("{first}{name}");
            }
            tensors.extend(copy.into_iter().map(|(name, t)| (format!("{second}{name}"), t)));
        })
    };
    let (_folder, path) = twice("student.", "teacher.");
    insta::assert_snapshot!(message(&path, STRICT), @r#"weights file 'w.safetensors': 2 networks in it fit this model, under 'student.', 'teacher.'; say which one: model.weights_key = "student""#);
    let (_folder, path) = twice("model.", "ema.");
    assert!(message(&path, STRICT).contains("extra: ema.conv1.weight"));
    let (_, report) = into_fresh(&path, LENIENT).unwrap();
    assert_eq!(report.assignments[0].tensor, "model.conv1.weight");
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    let (_folder, path) = changed(|tensors| {
        tensors[1].1 = Stored::f32(&[6], &[0.0, f32::NAN, 1.0, f32::INFINITY, 0.0, 0.0]);
    });
    insta::assert_snapshot!(message(&path, LENIENT), @"weights file 'w.safetensors': tensor 'conv1.bias': 2 of 6 values are not finite as f32; training cannot start from them");
    let (_folder, path) = changed(|tensors| {
        tensors[1].1 = Stored {
            dtype: Dtype::F64,
            shape: vec![6],
            bytes: [1e300_f64; 6].iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
    });
    assert!(message(&path, STRICT).contains("6 of 6 values are not finite as f32"));
}

#[test]
fn long_lists_are_cut() {
    let (_folder, path) = changed(|tensors| {
        tensors.extend((0..1000).map(|i| (format!("more.{i}.weight"), Stored::zeros(&[1]))));
    });
    let error = message(&path, STRICT);
    assert!(error.contains("extra: and 980 more"), "{error}");
    assert!(error.lines().count() < 30);
}

#[test]
fn files_that_are_no_weights_say_so() {
    let folder = tempdir().unwrap();
    let say = |name: &str| {
        let path = folder.path().join(name);
        let error = into_fresh(&path, STRICT).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    insta::assert_snapshot!(say("none.safetensors"), @"weights file 'none.safetensors': cannot be read: No such file or directory (os error 2)");
    for name in ["model.onnx", "model"] {
        std::fs::write(folder.path().join(name), b"\x08\x07\x12\x07pytorch and more").unwrap();
    }
    insta::assert_snapshot!(say("model.onnx"), @r"weights file 'model.onnx': expected a file in the format of safetensors, of PyTorch's torch.save or of burnpack, got a file that begins with `\x08\x07\x12\x07pyto`");
    assert_eq!(say("model").replace("'model'", "'model.onnx'"), say("model.onnx"));
    std::fs::write(folder.path().join("keras.pt"), b"\x89HDF\r\n\x1a\n").unwrap();
    assert!(say("keras.pt").contains("an HDF5 file, as Keras writes"), "{}", say("keras.pt"));
    std::fs::create_dir(folder.path().join("folder.pt")).unwrap();
    insta::assert_snapshot!(say("folder.pt"), @"weights file 'folder.pt': cannot be read: expected a file, got a folder or a device");
    for extension in ["safetensors", "pt", "pth", "bpk"] {
        let name = format!("text.{extension}");
        std::fs::write(folder.path().join(&name), "these are not weights, they are words").unwrap();
        assert!(say(&name).contains("not a whole"), "{}", say(&name));
        std::fs::write(folder.path().join(&name), "").unwrap();
        assert!(say(&name).contains("not a whole"), "{}", say(&name));
    }
}

#[test]
fn every_model_says_which_it_is() {
    let (_folder, path) = changed(|tensors| tensors.clear());
    for name in SMALL {
        let model = config(name).init(0, &flex());
        let class = model.name();
        let error = load(model, &path, STRICT).unwrap_err().to_string();
        assert!(error.contains(&format!("does not fit {class}")), "{error}");
    }
}
