//! Blocks: what they compute, what their parameters are called, and that fusing changes nothing.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_component::read;
use firebrick_models::layer::{
    AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Relu,
};
use firebrick_models::network::{ShortcutWhen, Tree};
use firebrick_models::parameters::{named_gradients, parameter_infos};
use firebrick_models::weights::{NameStyle, parameter_names};
use firebrick_models::{ModelConfig, ModelSummary, Named, Network, NetworkPlan, Node};

use super::support::{all_bits, flex};

fn images(shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values = (0..shape.iter().product::<usize>()).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The features that the nodes make of images of 4x6x6; `flatten` is added.
fn features(nodes: Vec<Node>, images_nchw: Tensor<4>) -> Tensor<2> {
    let nodes = nodes.into_iter().chain([Flatten {}.into()]).collect();
    NetworkPlan::new("Any", [4, 6, 6], nodes).unwrap().init(0, &images_nchw.device()).forward(images_nchw)
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

fn pool() -> Node {
    MaxPool2d::new(3).stride(1).padding(1).into()
}

#[test]
fn blocks_compute_what_they_say() {
    let x = images([2, 4, 6, 6], &flex());
    let pooled = |x: Tensor<4>| {
        let channels = x.dims()[1];
        let nodes = vec![pool(), Flatten {}.into()];
        let plan = NetworkPlan::new("Pool", [channels, 6, 6], nodes).unwrap();
        plan.init(0, &flex()).forward(x.clone()).reshape(x.dims())
    };
    let flat = |x: Tensor<4>| host(x.flatten::<2>(1, 3));
    let none = Vec::new;
    let always = ShortcutWhen::Always;
    let cases: Vec<(Node, Vec<f32>)> = vec![
        (Node::residual(vec![pool()], none(), none(), always), flat(pooled(x.clone()) + x.clone())),
        (
            Node::residual(vec![pool()], vec![Relu {}.into()], none(), always),
            flat(pooled(x.clone()) + x.clone().clamp_min(0.0)),
        ),
        // Where the body keeps the shape, the shortcut is not taken.
        (
            Node::residual(
                vec![pool()],
                vec![Relu {}.into()],
                vec![Relu {}.into()],
                ShortcutWhen::ShapeChanges,
            ),
            flat((pooled(x.clone()) + x.clone()).clamp_min(0.0)),
        ),
        (
            Node::concat(vec![vec![], vec![pool()], vec![Relu {}.into()]]),
            flat(Tensor::cat(vec![x.clone(), pooled(x.clone()), x.clone().clamp_min(0.0)], 1)),
        ),
        (
            Node::split(vec![vec![pool()], vec![Relu {}.into()]]),
            flat(Tensor::cat(
                vec![pooled(x.clone().narrow(1, 0, 2)), x.clone().narrow(1, 2, 2).clamp_min(0.0)],
                1,
            )),
        ),
        (
            Node::gate(vec![AdaptiveAvgPool2d::new(1).into()]),
            flat(x.clone() * x.clone().mean_dim(2).mean_dim(3)),
        ),
        (Node::gate(vec![pool()]), flat(x.clone() * pooled(x.clone()))),
        (Node::sequence(vec![pool(), Relu {}.into()]), flat(pooled(x.clone()).clamp_min(0.0))),
    ];
    for (node, expected) in cases {
        let got = host(features(vec![node.clone()], x.clone()));
        assert_eq!(got.len(), expected.len(), "{node:?}");
        for (got, expected) in got.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-5, "{node:?}: expected {expected}, got {got}");
        }
    }
}

/// Dropout does nothing in evaluation and with `p = 0` little in training, but it keeps its neighbours apart.
fn kept_apart(nodes: Vec<Node>) -> Vec<Node> {
    nodes.into_iter().flat_map(|node| [node, Dropout { p: 0.0 }.named("apart")]).collect()
}

fn residual_network(separate: fn(Vec<Node>) -> Vec<Node>) -> Network {
    let conv = |name: &str| Conv2d::new(4, 3).padding(1).bias(false).named(name);
    let norm = |name: &str| BatchNorm2d::default().named(name);
    let body = separate(vec![conv("conv1"), norm("bn1"), Relu {}.named("relu1"), conv("conv2"), norm("bn2")]);
    let nodes = vec![
        conv("stem"),
        Node::residual(body, vec![], vec![], ShortcutWhen::ShapeChanges),
        Node::sequence(separate(vec![])),
        Relu {}.named("relu2"),
        Conv2d::new(3, 3).named("conv3"),
        Node::sequence(separate(vec![Relu {}.named("relu3"), MaxPool2d::new(2).named("pool3")])),
        Flatten {}.named("flatten"),
        Linear::new(5).named("fc1"),
        Node::sequence(separate(vec![Relu {}.named("relu4")])),
        Linear::new(2).named("fc2"),
    ];
    NetworkPlan::new("Any", [4, 6, 6], nodes).unwrap().init(3, &flex().autodiff())
}

/// Several layers as one operation give what they give one by one: logits, gradients, running statistics.
#[test]
fn fusing_changes_no_number() {
    let run = |network: &Network| {
        let logits_nk = network.forward(images([2, 4, 6, 6], &flex().autodiff()));
        let gradients = named_gradients(network, &logits_nk.clone().square().mean().backward());
        let gradients =
            gradients.into_iter().map(|(info, data)| (info.name, data.unwrap().try_to_vec().unwrap()));
        let evaluated = network.valid().forward(images([2, 4, 6, 6], &flex()));
        let all: Vec<(String, Vec<f32>)> = gradients
            .chain([("logits".to_owned(), host(logits_nk)), ("evaluated".to_owned(), host(evaluated))])
            .collect();
        all
    };
    let together = run(&residual_network(|nodes| nodes));
    let apart = run(&residual_network(kept_apart));
    assert_eq!(together.len(), apart.len());
    for ((name, together), (_, apart)) in together.iter().zip(&apart) {
        let largest = apart.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
        for (together, apart) in together.iter().zip(apart) {
            assert!((together - apart).abs() <= 1e-5 * largest, "{name}: {together} and {apart}");
        }
    }
}

/// The config that is in the repository.
fn resnet20() -> ModelConfig {
    let text = include_str!("../../../../configs/resnet20-cifar10.toml");
    let mut table: toml::Table = text.parse().unwrap();
    read(table.remove("model").unwrap()).unwrap()
}

#[test]
fn resnet20_has_272474_parameters_under_torchvisions_names() {
    let network = resnet20().init(0, &flex());
    assert_eq!(network.num_params(), 272_474);
    let summary = ModelSummary::of(&network);
    assert_eq!(summary.num_parameters, 272_474);
    assert_eq!(summary.multiply_adds, Some(40_813_184));
    let names: Vec<String> = parameter_infos(&network).into_iter().map(|info| info.name).collect();
    assert_eq!(names.len(), 107);
    for name in [
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.conv1.weight",
        "layer1.2.bn2.bias",
        "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.running_mean",
        "layer3.2.conv2.weight",
        "fc.bias",
    ] {
        assert!(names.iter().any(|ours| ours == name), "{name} in {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("layer1.0.downsample")));
    // It is no series of layers, so that positions would mean nothing.
    assert!(!network.plan().is_series());
    let names = parameter_names(&network, NameStyle::TorchSequential);
    assert_eq!(names[0], "conv1.weight");
    let blocks = network.plan().tree().iter().filter(|part| matches!(part, Tree::Residual { .. }));
    assert_eq!(blocks.count(), 9);
}

#[test]
fn resnet20_prints_as_pytorch_prints_modules_in_modules() {
    let text = resnet20().init(0, &flex()).to_string();
    let start: Vec<&str> = text.lines().take(10).collect();
    insta::assert_snapshot!(start.join("\n"), @r"
    Sequential(
      (conv1): Conv2d(3, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
      (bn1): BatchNorm2d(16, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
      (2): ReLU()
      (layer1): Sequential(
        (0): basic_block(
          (conv1): Conv2d(16, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
          (bn1): BatchNorm2d(16, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
          (2): ReLU()
          (conv2): Conv2d(16, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
    ");
    let downsample = text.split("(layer2)").nth(1).unwrap();
    let downsample: Vec<&str> = downsample.lines().skip(7).take(4).collect();
    insta::assert_snapshot!(downsample.join("\n"), @r"
          (downsample): Sequential(
            (0): Conv2d(16, 32, kernel_size=(1, 1), stride=(2, 2), bias=False)
            (1): BatchNorm2d(32, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
          )
    ");
}

#[test]
fn resnet20_is_written_and_read_back() {
    let config = resnet20();
    let written = toml::Table::try_from(&config).unwrap();
    let again: ModelConfig = read(toml::Value::Table(written.clone())).unwrap();
    assert_eq!(again, config);
    // Layers say every default, blocks stay what they were.
    assert_eq!(written["layers"][0]["dilation"].as_integer(), Some(1));
    assert_eq!(written["layers"][4]["first"]["stride"].as_integer(), Some(2));
    let conv = &written["blocks"]["basic_block"]["layers"][0]["body"][0];
    assert_eq!(conv["out_channels"].as_str(), Some("$channels"));
    let bits = all_bits(&config.init(7, &flex()));
    assert_eq!(bits, all_bits(&again.init(7, &flex())));
}

#[test]
fn resnet20_trains_every_parameter() {
    let device = flex().autodiff();
    let network = resnet20().init(0, &device);
    let loss = network.forward(images([2, 3, 32, 32], &device)).square().mean();
    for (info, gradient) in named_gradients(&network, &loss.backward()) {
        assert!(gradient.is_some(), "{}", info.name);
    }
    assert_eq!(network.valid().forward(images([3, 3, 32, 32], &flex())).dims(), [3, 10]);
}

#[test]
fn names_make_paths_and_blocks_without_one_add_nothing() {
    let text = "
        name = 'sequential'
        input_shape = [1, 8, 8]
        layers = [
            { name = 'batch_norm2d' },
            { name = 'sequence', layers = ['relu', 'batch_norm2d'] },
            { name = 'sequence', as = 'a.b', layers = ['batch_norm2d', { name = 'batch_norm2d', as = 'c' }] },
            { name = 'repeat', as = 'r', times = 2, layers = ['batch_norm2d'] },
            { name = 'repeat', as = 's', times = 1, layers = ['relu', { name = 'wide', n = 2 }] },
            { name = 'wide', as = 'w' },
            'flatten',
            { name = 'linear', as = 'fc', out_features = 3, bias = false },
        ]
        [blocks.narrow]
        arguments = { n = 1 }
        layers = [{ name = 'conv2d', as = 'n', out_channels = '$n', kernel_size = 1, bias = false }]
        [blocks.wide]
        arguments = { n = 3 }
        layers = [{ name = 'narrow', as = 'in', n = '$n' }, { name = 'narrow', as = 'out' }]
    ";
    let config: ModelConfig = toml::from_str(text).unwrap();
    let names = parameter_infos(&config.init(0, &flex())).into_iter().map(|info| info.name);
    let weights: Vec<String> = names.filter(|name| name.ends_with(".weight")).collect();
    let expected =
        ["0", "1", "a.b.0", "a.b.c", "r.0", "r.1", "s.0.in.n", "s.0.out.n", "w.in.n", "w.out.n", "fc"];
    assert_eq!(weights, expected.map(|layer| format!("{layer}.weight")));
}
