//! A network from a config: names, numbers of classes, weights out, and that whatever is accepted runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_models::layer::{
    AdaptiveAvgPool2d, AvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Pair, Relu,
};
use firebrick_models::network::ShortcutWhen;
use firebrick_models::weights::{LoadOptions, NameStyle, load, parameter_infos, save_safetensors};
use firebrick_models::{ModelConfig, ModelSummary, Named, NetworkPlan, Node};
use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::SafeTensors;
use serde_json::json;
use tempfile::tempdir;

use super::support::{Stored, all_bits, config, fixture, flex, read, sequential, write};

#[test]
fn parameters_are_called_as_in_torch() {
    let infos = parameter_infos(&config("sequential").init(0, &flex()));
    let ours: BTreeMap<String, Vec<usize>> = infos.into_iter().map(|info| (info.name, info.shape)).collect();
    let torch = read(&fixture("sequential.safetensors"));
    let torch: BTreeMap<String, Vec<usize>> =
        torch.into_iter().map(|(name, (shape, _))| (name, shape)).collect();
    assert_eq!(ours, torch);
}

#[test]
fn the_summary_counts_as_torch_counts() {
    let layers = json!([
        { "name": "conv2d", "out_channels": 32, "kernel_size": 5, "padding": 2 },
        { "name": "batch_norm2d" },
        { "name": "relu" },
        { "name": "max_pool2d", "kernel_size": 2 },
        { "name": "dropout" },
        { "name": "flatten" },
        { "name": "linear", "out_features": 10 },
    ]);
    let model = sequential([3, 32, 32], layers).init(0, &flex());
    let summary = ModelSummary::of(&model);
    let lines: Vec<String> = summary
        .layers
        .iter()
        .flatten()
        .map(|layer| {
            format!("{} {} {:?} {}", layer.path, layer.repr, layer.output_shape, layer.num_parameters)
        })
        .collect();
    // sum(p.numel() for p in net.parameters()) == 84426
    assert_eq!(summary.num_parameters, 84_426);
    assert_eq!(model.num_params(), 84_426);
    insta::assert_snapshot!(lines.join("\n"), @r"
    0 Conv2d(3, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2)) [32, 32, 32] 2432
    1 BatchNorm2d(32, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True) [32, 32, 32] 64
    2 ReLU() [32, 32, 32] 0
    3 MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False) [32, 16, 16] 0
    4 Dropout(p=0.5, inplace=False) [32, 16, 16] 0
    5 Flatten(start_dim=1, end_dim=-1) [8192] 0
    6 Linear(in_features=8192, out_features=10, bias=True) [10] 81930
    ");
}

#[test]
fn num_classes_takes_the_place_of_the_last_out_features() {
    let arguments = |num_classes: Option<usize>| {
        let mut arguments = json!({
            "input_shape": [1, 2, 2],
            "layers": [{ "name": "flatten" }, { "name": "linear", "out_features": 10 }],
        });
        if let Some(num_classes) = num_classes {
            arguments["num_classes"] = json!(num_classes);
        }
        ModelConfig::deserialize_named("sequential", arguments).unwrap().unwrap()
    };
    assert_eq!(arguments(None).num_classes(), 10);
    assert_eq!(arguments(Some(7)).num_classes(), 7);
    assert_eq!(arguments(None).with_num_classes(7), arguments(Some(7)));
    let written = serde_json::to_value(arguments(Some(7))).unwrap();
    let expected = json!({
        "name": "sequential",
        "input_shape": [1, 2, 2],
        "layers": [{ "name": "flatten" }, { "name": "linear", "out_features": 7, "bias": true }],
    });
    assert_eq!(written, expected);
    let error = arguments(None).with_num_classes(0).validate().unwrap_err();
    assert_eq!(error.to_string(), "layers[1].out_features: expected a whole number from 1 to 100000, got 0");
}

/// For losses that take log-probabilities or probabilities.
#[test]
fn log_softmax_and_sigmoid_may_stand_behind_the_head() {
    let network = |last: &str| {
        let layers =
            json!([{ "name": "flatten" }, { "name": "linear", "out_features": 3 }, { "name": last }]);
        let arguments = json!({ "input_shape": [1, 2, 2], "layers": layers, "num_classes": 5 });
        let config = ModelConfig::deserialize_named("sequential", arguments).unwrap().unwrap();
        assert_eq!(config.num_classes(), 5);
        assert_eq!(config.build().unwrap().gives_probabilities(), last == "sigmoid");
        config.init(0, &Device::flex())
    };
    let images_nchw = Tensor::ones([2, 1, 2, 2], &Device::flex());
    let log_probabilities_nk = network("log_softmax").forward(images_nchw.clone());
    let sums: Vec<f32> = log_probabilities_nk.exp().sum_dim(1).into_data().iter().collect();
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{sums:?}");
    let logits: Vec<f32> = network("relu").forward(images_nchw.clone()).into_data().iter().collect();
    let probabilities: Vec<f32> = network("sigmoid").forward(images_nchw).into_data().iter().collect();
    assert!(logits.iter().zip(&probabilities).any(|(logit, _)| *logit > 0.0));
    for (logit, probability) in logits.iter().zip(probabilities).filter(|(logit, _)| **logit > 0.0) {
        assert!((probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-6, "{logit}: {probability}");
    }
}

#[test]
fn a_config_that_is_written_reads_back_the_same() {
    let config = config("sequential");
    let mut written = serde_json::to_value(&config).unwrap();
    written.as_object_mut().unwrap().remove("name");
    let again = ModelConfig::deserialize_named("sequential", written).unwrap().unwrap();
    assert_eq!(again, config);
}

#[test]
fn a_convolution_with_its_relu_and_pool_is_what_they_are_one_by_one() {
    let device = flex();
    let conv = json!({ "name": "conv2d", "out_channels": 4, "kernel_size": 3 });
    let (relu, identity) = (json!({ "name": "relu" }), json!({ "name": "dropout" }));
    let rest = [json!({ "name": "flatten" }), json!({ "name": "linear", "out_features": 3 })];
    for pool in [
        json!({ "name": "max_pool2d", "kernel_size": 2 }),
        json!({ "name": "max_pool2d", "kernel_size": 3, "stride": 1 }),
    ] {
        // Dropout does nothing in evaluation, but it keeps its neighbours apart.
        let together = [&[conv.clone(), relu.clone(), pool.clone()], rest.as_slice()].concat();
        let apart = [conv.clone(), identity.clone(), relu.clone(), identity.clone(), pool.clone()];
        let apart = [apart.as_slice(), rest.as_slice()].concat();
        let images: Vec<f32> = (0..2 * 2 * 9 * 9).map(|i| (i as f32 * 0.7).sin()).collect();
        let logits = |layers: Vec<serde_json::Value>| -> Vec<f32> {
            let model = sequential([2, 9, 9], json!(layers)).init(0, &device);
            let data = TensorData::new(images.clone(), [2, 2, 9, 9]);
            model.forward(Tensor::from_data(data, &device)).into_data().try_into_vec().unwrap()
        };
        let (together, apart) = (logits(together), logits(apart));
        for (one, other) in together.iter().zip(&apart) {
            assert!((one - other).abs() < 1e-6, "{together:?} {apart:?}");
        }
    }
}

#[test]
fn exports_have_torchs_names_types_and_counters() {
    let folder = tempdir().unwrap();
    let model = config("sequential").init(4, &flex().autodiff());
    model.forward(Tensor::ones([2, 3, 12, 12], &flex().autodiff()));
    let torch = std::fs::read(fixture("sequential.safetensors")).unwrap();
    let torch = described(&torch);
    for style in [NameStyle::Firebrick, NameStyle::TorchSequential, NameStyle::TorchNamed] {
        let path = folder.path().join("out.safetensors");
        save_safetensors(&model, &path, style, &BTreeMap::new()).unwrap();
        assert_eq!(described(&std::fs::read(&path).unwrap()), torch);
        let fresh = config("sequential").init(5, &flex());
        let (loaded, report) = load(fresh, &path, LoadOptions::default()).unwrap();
        assert_eq!(all_bits(&loaded), all_bits(&model));
        assert!(report.is_plain(), "{report}");
    }
}

/// Every tensor's name, type and shape; and that numbers of eight bytes lie where
/// readers want them.
fn described(bytes: &[u8]) -> BTreeMap<String, (Dtype, Vec<usize>)> {
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let names = header.offset_keys();
    let tensor = |name: &String| {
        let info = header.info(name).unwrap();
        assert!(info.dtype != Dtype::I64 || info.data_offsets.0.is_multiple_of(8), "{name}");
        (name.clone(), (info.dtype, info.shape.clone()))
    };
    names.iter().map(tensor).collect()
}

/// Writes what `golden/make_sequential.py check` loads into PyTorch. Does nothing unless the variable
/// names a folder.
#[test]
fn exports_a_sequential_for_pytorch() {
    let Some(folder) = std::env::var_os("FIREBRICK_EXPORT_DIR").map(std::path::PathBuf::from) else {
        return;
    };
    let device = flex().autodiff();
    let model = config("sequential").init(4, &device);
    let images: Vec<f32> = (0..4 * 3 * 12 * 12).map(|i| (i as f32 * 0.37).sin()).collect();
    let data = || TensorData::new(images.clone(), [4, 3, 12, 12]);
    for _ in 0..3 {
        model.forward(Tensor::from_data(data(), &device));
    }
    let logits = model.valid().forward(Tensor::from_data(data(), &flex())).into_data();
    let beside = [
        ("images".to_owned(), Stored::f32(&[4, 3, 12, 12], &images)),
        ("logits".to_owned(), Stored::f32(&[4, 10], logits.as_slice().unwrap())),
    ];
    for style in [NameStyle::Firebrick, NameStyle::TorchSequential, NameStyle::TorchNamed] {
        let file = format!("sequential-{}.safetensors", style.name());
        save_safetensors(&model, &folder.join(&file), style, &BTreeMap::new()).unwrap();
        write(&folder.join(format!("{file}.logits.safetensors")), &beside);
    }
}

fn any_pair(least: usize, most: usize) -> impl Strategy<Value = Pair> {
    (least..=most, least..=most).prop_map(|(height, width)| Pair([height, width]))
}

fn any_conv() -> impl Strategy<Value = Node> {
    let sizes = (any_pair(0, 4), any_pair(1, 3), any_pair(0, 2), any_pair(1, 2));
    (1..=6_usize, sizes, 0..=3_usize, any::<bool>()).prop_map(|(out_channels, sizes, groups, bias)| {
        let (kernel_size, stride, padding, dilation) = sizes;
        Conv2d { out_channels, kernel_size, stride, padding, dilation, groups, bias }.into()
    })
}

fn any_pool() -> impl Strategy<Value = Node> {
    let sizes = (any_pair(1, 3), proptest::option::of(any_pair(1, 3)), any_pair(0, 1));
    (any::<bool>(), sizes).prop_map(|(is_max, (kernel_size, stride, padding))| match is_max {
        true => MaxPool2d { kernel_size, stride, padding, ceil_mode: false }.into(),
        false => AvgPool2d { kernel_size, stride, padding }.into(),
    })
}

fn any_layer() -> impl Strategy<Value = Node> {
    prop_oneof![
        3 => any_conv(),
        2 => any_pool(),
        2 => (any::<bool>(), any::<bool>())
            .prop_map(|(affine, bias)| BatchNorm2d { affine, bias, ..BatchNorm2d::default() }.into()),
        2 => Just(Node::from(Relu {})),
        1 => Just(Node::from(AdaptiveAvgPool2d::new(1))),
        1 => Just(Node::from(Dropout { p: 0.25 })),
        1 => Just(Node::from(Flatten {})),
        1 => (1..=5_usize, any::<bool>()).prop_map(|(out_features, bias)| Linear::new(out_features).bias(bias).into()),
    ]
}

/// A layer, or a block of layers and of blocks. Every layer has a name of its own, so that all parameters have.
fn any_node() -> impl Strategy<Value = Node> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let layer =
        any_layer().prop_map(|layer| layer.named(format!("l{}", COUNT.fetch_add(1, Ordering::Relaxed))));
    layer.prop_recursive(3, 12, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        let when = prop_oneof![Just(ShortcutWhen::ShapeChanges), Just(ShortcutWhen::Always)];
        prop_oneof![
            3 => (list.clone(), list.clone(), list.clone(), when).prop_map(|(body, shortcut, after, when)| {
                Node::residual(body, shortcut, after, when)
            }),
            1 => list.clone().prop_map(Node::sequence),
            2 => proptest::collection::vec(list.clone(), 0..3).prop_map(Node::concat),
            1 => proptest::collection::vec(list.clone(), 0..3).prop_map(Node::split),
            1 => list.prop_map(Node::gate),
        ]
    })
}

/// What makes a classifier of them.
fn with_head(layers: Vec<Node>) -> Vec<Node> {
    layers.into_iter().chain([Flatten {}.into(), Linear::new(3).named("head")]).collect()
}

/// The nodes that fit, one after another, out of any.
fn fitting(input_shape: [usize; 3], candidates: Vec<Node>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for candidate in candidates {
        let longer: Vec<Node> = nodes.iter().cloned().chain([candidate.clone()]).collect();
        match NetworkPlan::new("Any", input_shape, with_head(longer)) {
            Ok(_) => nodes.push(candidate),
            Err(error) => {
                assert!(error.key.starts_with("layers["), "{error}");
                assert!(!error.expected.is_empty() && !error.got.is_empty(), "{error}");
            }
        }
    }
    with_head(nodes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Shapes are inferred as the layers compute them: a network that is accepted runs and trains every parameter,
    /// and one that is not is refused with a path.
    #[test]
    fn whatever_is_accepted_runs(
        channels in 1..=4_usize,
        height in 1..=9_usize,
        width in 1..=9_usize,
        candidates in proptest::collection::vec(any_node(), 0..6),
    ) {
        let input_shape = [channels, height, width];
        let plan = NetworkPlan::new("Any", input_shape, fitting(input_shape, candidates)).unwrap();
        prop_assert!(plan.layers().iter().all(|layer| layer.output.num_elements() > 0));
        let device = flex().autodiff();
        let model = plan.init(1, &device);
        let images_nchw = Tensor::<4>::ones([2, channels, height, width], &device);
        let logits_nk = model.valid().forward(images_nchw.clone().inner());
        prop_assert_eq!(logits_nk.dims(), [2, 3]);
        let loss = model.forward(images_nchw).sum();
        for (parameter, gradient) in firebrick_models::parameters::named_gradients(&model, &loss.backward()) {
            prop_assert!(gradient.is_some(), "{}", parameter.name);
        }
    }
}
