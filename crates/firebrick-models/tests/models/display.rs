//! `println!("{model}")` against the text that PyTorch printed, and the summary against the forward pass.

use burn::tensor::Tensor;
use firebrick_models::{
    ImageClassifier, LayerSummary, LeNetConfig, ModelSummary, NetworkConfig, TuduiConfig,
};

use super::support::{SMALL, config, fixture, flex};

#[test]
fn prints_what_pytorch_prints() {
    for name in SMALL {
        let model = config(name).init(0, &flex());
        let torch = std::fs::read_to_string(fixture(&format!("{name}.print.txt"))).unwrap();
        assert_eq!(format!("{model}\n"), torch);
    }
    let tudui = TuduiConfig::default().init(0, &flex());
    assert_eq!(tudui.to_string(), config("tudui").init(0, &flex()).to_string());
    let lenet = LeNetConfig::default().init(0, &flex());
    assert_eq!(lenet.to_string(), config("lenet").init(0, &flex()).to_string());
}

#[test]
fn prints_the_class_count_it_was_given() {
    let model = config("tudui").with_num_classes(100).init(0, &flex());
    insta::assert_snapshot!(model, @r"
    Tudui(
      (conv1): Conv2d(3, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
      (pool1): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
      (conv2): Conv2d(32, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
      (pool2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
      (conv3): Conv2d(32, 64, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
      (pool3): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
      (flatten): Flatten(start_dim=1, end_dim=-1)
      (fc1): Linear(in_features=1024, out_features=64, bias=True)
      (fc2): Linear(in_features=64, out_features=100, bias=True)
    )
    ");
}

#[test]
fn summary_lists_every_step_with_shape_and_parameters() {
    let lines = |name: &str| {
        let summary = ModelSummary::of(&config(name).init(0, &flex()));
        let mut text = format!("{} {:?} {}\n", summary.name, summary.input_shape, summary.num_parameters);
        for layer in summary.layers.unwrap() {
            let LayerSummary { path, output_shape, num_parameters, multiply_adds, .. } = layer;
            text += &format!("{path:<8}{output_shape:?} {num_parameters} {multiply_adds}\n");
        }
        text
    };
    insta::assert_snapshot!(lines("tudui"), @r"
    Tudui [3, 32, 32] 145578
    conv1   [32, 32, 32] 2432 2457600
    pool1   [32, 16, 16] 0 0
    conv2   [32, 16, 16] 25632 6553600
    pool2   [32, 8, 8] 0 0
    conv3   [64, 8, 8] 51264 3276800
    pool3   [64, 4, 4] 0 0
    flatten [1024] 0 0
    fc1     [64] 65600 65536
    fc2     [10] 650 640
    ");
    insta::assert_snapshot!(lines("lenet"), @r"
    LeNet [1, 32, 32] 61706
    conv1   [6, 28, 28] 156 117600
    relu1   [6, 28, 28] 0 0
    pool1   [6, 14, 14] 0 0
    conv2   [16, 10, 10] 2416 240000
    relu2   [16, 10, 10] 0 0
    pool2   [16, 5, 5] 0 0
    flatten [400] 0 0
    fc1     [120] 48120 48000
    relu3   [120] 0 0
    fc2     [84] 10164 10080
    relu4   [84] 0 0
    fc3     [10] 850 840
    ");
}

#[test]
fn the_last_summary_shape_is_the_shape_of_the_logits() {
    for name in SMALL {
        let config = config(name).with_num_classes(7);
        let model = config.init(0, &flex());
        let [c, h, w] = config.input_shape();
        assert_eq!([c, h, w], model.input_shape());
        let logits_nk = model.forward(Tensor::zeros([2, c, h, w], &flex()));
        let layers = model.plan().layers();
        assert_eq!(logits_nk.dims()[1..], layers.last().unwrap().output.to_vec());
        assert_eq!(logits_nk.dims(), [2, 7]);
        assert_eq!(model.num_classes(), 7);
    }
}
