//! Weights in, under all the names and element types that people have.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use firebrick_models::walk::{ParamRef, Visit, visit};
use firebrick_models::weights::{LoadOptions, MatchedBy, NameStyle, load, save_safetensors};
use firebrick_models::{LeNetConfig, Network, NetworkConfig};
use safetensors::Dtype;
use tempfile::tempdir;

use super::support::{SMALL, Stored, WRITTEN, all_bits, config, fixture, flex, state_dict, write};

const STRICT: LoadOptions = LoadOptions { strict: true, key: None };

/// Positions of the layers with parameters, as `nn.Sequential` counts them.
fn index_of(name: &str, parameter: &str) -> String {
    let (layer, leaf) = parameter.split_once('.').unwrap();
    let layers: &[(&str, usize)] = match name {
        "tudui" => &[("conv1", 0), ("conv2", 2), ("conv3", 4), ("fc1", 7), ("fc2", 8)],
        _ => &[("conv1", 0), ("conv2", 3), ("fc1", 7), ("fc2", 9), ("fc3", 11)],
    };
    let position = layers.iter().find(|(known, _)| *known == layer).unwrap().1;
    format!("{position}.{leaf}")
}

fn check_names(rename: impl Fn(&str, &str) -> String, expected: &MatchedBy) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for name in WRITTEN {
        let source = config(name).init(1, &flex());
        let mut tensors = state_dict(&source);
        for (tensor, _) in &mut tensors {
            *tensor = rename(name, tensor);
        }
        write(&path, &tensors);
        let (loaded, report) = load(config(name).init(2, &flex()), &path, STRICT).unwrap();
        assert_eq!(all_bits(&loaded), all_bits(&source), "{report}");
        assert_eq!(&report.matched_by, expected, "{report}");
        assert_eq!(report.assignments.len(), tensors.len());
    }
}

#[test]
fn own_names_behind_any_prefix() {
    for prefix in ["", "module.", "model1.", "module.model1.", "_orig_mod.", "a.long.way.down."] {
        let by_name = MatchedBy::Name { prefix: prefix.to_owned() };
        check_names(|_, parameter| format!("{prefix}{parameter}"), &by_name);
    }
}

#[test]
fn sequential_indices_behind_any_prefix() {
    for prefix in ["", "model1.", "module.model1.", "features."] {
        let by_index = MatchedBy::Index { prefix: prefix.to_owned() };
        check_names(|name, parameter| format!("{prefix}{}", index_of(name, parameter)), &by_index);
    }
}

#[test]
fn indices_of_another_sequential_by_order_and_shape() {
    // Without the modules that have no parameters the indices are 0 to 4.
    let consecutive = |_: &str, parameter: &str| {
        let layers = ["conv1", "conv2", "conv3", "fc1", "fc2", "fc3"];
        let (layer, leaf) = parameter.split_once('.').unwrap();
        let position = layers.iter().position(|known| *known == layer).unwrap();
        format!("net.{position}.{leaf}")
    };
    check_names(consecutive, &MatchedBy::OrderAndShape);
}

#[test]
fn unknown_names_by_order_and_shape() {
    let renamed = |_: &str, parameter: &str| parameter.replace("conv", "Layer_").replace("fc", "z_dense_");
    check_names(renamed, &MatchedBy::OrderAndShape);
    // no dots, so that nothing says which tensors are one layer
    check_names(|_, parameter| parameter.replace('.', "_"), &MatchedBy::OrderAndShape);
}

#[test]
fn the_report_of_order_and_shape_is_a_table() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let mut tensors = state_dict(&config("tudui").init(1, &flex()));
    for (name, _) in &mut tensors {
        *name = name.replace("conv", "stage").replace("fc", "tail");
    }
    write(&path, &tensors);
    let (_, report) = load(config("tudui").init(2, &flex()), &path, STRICT).unwrap();
    assert!(!report.is_plain());
    let text = report.to_string().replace(&format!("{}/", folder.path().display()), "");
    insta::assert_snapshot!(text, @r"
    w.safetensors: 10 tensors matched by order and shape
      stage1.weight -> conv1.weight [32, 3, 5, 5]
      stage1.bias   -> conv1.bias   [32]
      stage2.weight -> conv2.weight [32, 32, 5, 5]
      stage2.bias   -> conv2.bias   [32]
      stage3.weight -> conv3.weight [64, 32, 5, 5]
      stage3.bias   -> conv3.bias   [64]
      tail1.weight  -> fc1.weight   [64, 1024]
      tail1.bias    -> fc1.bias     [64]
      tail2.weight  -> fc2.weight   [10, 64]
      tail2.bias    -> fc2.bias     [10]
    ");
}

#[test]
fn pt_files_in_all_their_forms() {
    for file in ["tudui", "tudui_indexed", "lenet"] {
        let name = file.split('_').next().unwrap();
        let from = |extension: &str| {
            let path = fixture(&format!("{file}.{extension}"));
            let (model, report) = load(config(name).init(2, &flex()), &path, STRICT).unwrap();
            assert!(report.is_plain(), "{report}");
            all_bits(&model)
        };
        assert_eq!(from("pt"), from("safetensors"), "{file}");
    }
}

#[test]
fn a_checkpoint_holds_a_state_dict_with_a_prefix_in_half_precision() {
    let fresh = config("lenet").init(2, &flex());
    let (_, report) = load(fresh, &fixture("lenet_checkpoint_f16.pt"), STRICT).unwrap();
    assert_eq!(report.matched_by, MatchedBy::Name { prefix: "module.".to_owned() });
    assert_eq!(report.ignored, ["best", "epoch", "optimizer_state_dict"]);
    assert!(report.assignments.iter().all(|a| a.converted_from.as_deref() == Some("f16")));
    assert!(report.to_string().contains("conv1.weight [6, 1, 5, 5], f16 to f32"), "{report}");
}

#[test]
fn unknown_names_in_a_pt_file_go_by_the_order_of_the_dictionary() {
    let fresh = config("lenet").init(2, &flex());
    let (unknown, report) = load(fresh.clone(), &fixture("lenet_unknown_names_f16.pt"), STRICT).unwrap();
    assert_eq!(report.matched_by, MatchedBy::OrderAndShape);
    assert_eq!(report.assignments[0].tensor, "stem.weight");
    let (named, _) = load(fresh, &fixture("lenet_checkpoint_f16.pt"), STRICT).unwrap();
    assert_eq!(all_bits(&unknown), all_bits(&named));
}

#[test]
fn pickles_are_not_executed() {
    let fresh = config("lenet").init(2, &flex());
    let error = load(fresh, &fixture("harmful.pt"), STRICT).unwrap_err();
    assert!(error.to_string().contains("not a whole PyTorch file"), "{error}");
    assert!(!std::path::Path::new("executed").exists());
}

#[test]
fn burns_own_files_keep_their_layout() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("model.bpk");
    for name in SMALL {
        let source = config(name).init(1, &flex());
        source.clone().into_record().save(&path).unwrap();
        let (loaded, report) = load(config(name).init(2, &flex()), &path, STRICT).unwrap();
        assert_eq!(all_bits(&loaded), all_bits(&source));
        assert!(report.is_plain(), "{report}");
    }
}

/// What somebody else's enum of models writes: the derive puts the variant into the path.
#[derive(Module, Debug)]
enum Derived {
    LeNet(Network),
}

#[test]
fn burns_own_files_may_name_a_variant() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("model.bpk");
    let source = LeNetConfig::default().init(1, &flex());
    Derived::LeNet(source.clone()).into_record().save(&path).unwrap();
    let (loaded, report) = load(config("lenet").init(2, &flex()), &path, STRICT).unwrap();
    assert_eq!(all_bits(&loaded), all_bits(&source));
    assert_eq!(report.matched_by, MatchedBy::Name { prefix: "LeNet.".to_owned() });
}

#[test]
fn other_float_types_become_f32_and_are_reported() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let source = config("lenet").init(1, &flex());
    let mut tensors = state_dict(&source);
    let widen = |stored: &Stored| Stored {
        dtype: Dtype::F64,
        shape: stored.shape.clone(),
        bytes: f32s(stored).flat_map(|v| f64::from(v).to_le_bytes()).collect(),
    };
    // The upper half of an f32 is the bf16 below it in magnitude.
    let cut = |stored: &Stored| Stored {
        dtype: Dtype::BF16,
        shape: stored.shape.clone(),
        bytes: f32s(stored).flat_map(|v| [v.to_le_bytes()[2], v.to_le_bytes()[3]]).collect(),
    };
    tensors[0].1 = widen(&tensors[0].1);
    tensors[1].1 = cut(&tensors[1].1);
    write(&path, &tensors);
    let (loaded, report) = load(config("lenet").init(2, &flex()), &path, STRICT).unwrap();
    let (got, want) = (all_bits(&loaded), all_bits(&source));
    assert_eq!(got[0], want[0], "f64 holds every f32");
    let cut_bits: Vec<u32> = want[1].1.iter().map(|bits| bits & 0xffff_0000).collect();
    assert_eq!(got[1].1, cut_bits, "bf16 is the upper half");
    assert_eq!(got[2..], want[2..]);
    let converted: Vec<_> = report.assignments.iter().map(|a| a.converted_from.as_deref()).collect();
    assert_eq!(converted[..3], [Some("f64"), Some("bf16"), None]);
}

fn f32s(stored: &Stored) -> impl Iterator<Item = f32> {
    stored.bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()))
}

#[test]
fn counters_of_batch_norm_are_no_extra_tensors() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let mut tensors = state_dict(&config("lenet").init(1, &flex()));
    tensors.push(("bn1.num_batches_tracked".to_owned(), Stored::zeros(&[])));
    write(&path, &tensors);
    load(config("lenet").init(2, &flex()), &path, STRICT).unwrap();
}

#[test]
fn loading_keeps_identity_device_and_training_state() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let source = config("lenet").init(1, &flex());
    save_safetensors(&source, &path, NameStyle::Firebrick, &Default::default()).unwrap();
    let fresh = config("lenet").init(2, &flex().autodiff());
    let before = ids(&fresh);
    let (loaded, _) = load(fresh, &path, STRICT).unwrap();
    assert_eq!(before, ids(&loaded));
    let loss = loaded.forward(Tensor::ones([1, 1, 32, 32], &flex().autodiff())).sum();
    let gradients = firebrick_models::parameters::named_gradients(&loaded, &loss.backward());
    assert!(gradients.iter().all(|(_, gradient)| gradient.is_some()));
}

fn ids<M: Module>(model: &M) -> Vec<u64> {
    struct Ids(Vec<u64>);
    impl Visit for Ids {
        fn parameter<const D: usize>(&mut self, _: &ParamRef, parameter: &Param<Tensor<D>>) {
            self.0.push(parameter.id.val());
        }
    }
    let mut ids = Ids(Vec::new());
    visit(model, &mut ids);
    ids.0
}
