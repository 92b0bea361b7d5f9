//! Commands that need no run: summary, devices, config, data.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::fixtures;
use super::sandbox::Sandbox;

#[test]
fn summary_lists_layers_shapes_and_parameters() {
    let ended = Sandbox::new().firebrick(&["summary", "lenet"]).succeeds();
    insta::assert_snapshot!(ended.stdout, @r#"
    LeNet

    layer     what it is                                                                     output   parameters   multiply-adds
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    input                                                                                   1x32x32
    conv1     Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))                               6x28x28          156         117,600
    relu1     ReLU()                                                                        6x28x28
    pool1     MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)    6x14x14
    conv2     Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1))                             16x10x10        2,416         240,000
    relu2     ReLU()                                                                       16x10x10
    pool2     MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)     16x5x5
    flatten   Flatten(start_dim=1, end_dim=-1)                                                  400
    fc1       Linear(in_features=400, out_features=120, bias=True)                              120       48,120          48,000
    relu3     ReLU()                                                                            120
    fc2       Linear(in_features=120, out_features=84, bias=True)                                84       10,164          10,080
    relu4     ReLU()                                                                             84
    fc3       Linear(in_features=84, out_features=10, bias=True)                                 10          850             840

    61,706 parameters, 0.24 MiB as f32; 416,520 multiply-adds an image
    "#);
}

#[test]
fn summary_of_a_config_is_that_of_its_model() {
    let sandbox = Sandbox::with_tiny_config();
    let json = sandbox.firebrick(&["summary", "--config", "tiny.toml", "--json"]).succeeds().json();
    assert_eq!(json["num_parameters"], 61_706);
    let quickstart = sandbox.firebrick(&["summary", "--json"]).succeeds().json();
    assert_eq!(quickstart["num_parameters"], 145_578);
}

#[test]
fn summary_takes_a_name_a_config_or_a_run() {
    let sandbox = Sandbox::with_run();
    let [named, config, run, checkpoint] = ["lenet", "tiny.toml", "run", "run/checkpoints/step-000000006"]
        .map(|network| sandbox.firebrick(&["summary", network]).succeeds().stdout);
    assert!(named == config && config == run && run == checkpoint, "{named}{config}{run}{checkpoint}");
    let json = sandbox.firebrick(&["summary", "lenet", "--num-classes", "3", "--json"]).succeeds().json();
    assert_eq!(json["num_parameters"], 61_706 - 7 * 85);
    let ended = sandbox.firebrick(&["summary", "run", "--num-classes", "3"]).ends_with(2);
    assert!(ended.stderr.contains("--num-classes goes with the name of a network, and run has its own"));
    let ended = sandbox.firebrick(&["summary", "lenett"]).ends_with(2);
    insta::assert_snapshot!(ended.stderr, @"error: unknown model `lenett`, expected one of `tudui`, `lenet`, `sequential`, `resnet20`, `resnet56`, `resnet110`, `airbench94`, `resnet18`, `resnet34`, `resnet50`, `resnet101`, `resnext50_32x4d`, `wide_resnet50_2`, `vgg11`, `vgg11_bn`, `vgg13`, `vgg13_bn`, `vgg16`, `vgg16_bn`, `vgg19`, `vgg19_bn`, `alexnet`, `squeezenet1_1`, `densenet121`, `mobilenet_v2`, `mobilenet_v3_small`, `mobilenet_v3_large`, `shufflenet_v2_x1_0`, `regnet_y_400mf`, `efficientnet_lite0`, `efficientnet_b0`, `convnext_tiny`, `convnext_small`, a config file or a run folder");
    let ended = sandbox.firebrick(&["summary", "run/checkpoints"]).ends_with(2);
    insta::assert_snapshot!(ended.stderr, @"error: run/checkpoints: expected a run folder, with config.toml in it");
}

/// Mesa's driver looks for the screen there, and says so aloud.
#[test]
fn looking_for_gpus_is_silent_without_a_desktop() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_firebrick"));
    command.env_remove("XDG_RUNTIME_DIR");
    let ended = sandbox.run(&mut command, &["devices"]).succeeds();
    assert_eq!(ended.stderr, "", "{ended:#?}");
    assert!(
        !ended.stdout.contains("llvmpipe") || ended.stdout.contains("Mesa's software driver"),
        "{ended:#?}"
    );
}

#[test]
fn devices_lists_every_backend_and_what_auto_takes() {
    let sandbox = Sandbox::new();
    let json = sandbox.firebrick(&["devices", "--json"]).succeeds().json();
    let backends = json["backends"].as_array().unwrap();
    assert_eq!(backends.len(), 8);
    let flex = backends.iter().find(|backend| backend["backend"] == "flex").unwrap();
    assert_eq!(flex["compiled"], true);
    assert_eq!(flex["devices"].as_array().unwrap().len(), 1);
    assert!(json["auto"]["backend"].is_string());
    let text = sandbox.firebrick(&["devices"]).succeeds();
    assert!(
        text.stdout.contains("auto takes ") && text.stdout.contains("build with --features cuda"),
        "{text:#?}"
    );
}

#[test]
fn config_show_spells_out_every_default_and_can_be_read_back() {
    let sandbox = Sandbox::with_tiny_config();
    let shown = sandbox.firebrick(&["config", "show", "tiny.toml", "--set", "trainer.epochs=7"]).succeeds();
    assert!(shown.stdout.contains("epochs = 7") && shown.stdout.contains("keep_last = 3"), "{shown:#?}");
    sandbox.write("shown.toml", &shown.stdout);
    let again = sandbox.firebrick(&["config", "show", "shown.toml"]).succeeds();
    assert_eq!(again.stdout, shown.stdout);
}

#[test]
fn config_check_tells_the_good_from_the_bad() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.write("bad.toml", "[model]\nname = \"lenet\"\nnum_clases = 10\n");
    let ended = sandbox.firebrick(&["config", "check", "bad.toml", "tiny.toml"]).ends_with(2);
    assert_eq!(ended.stdout, "tiny.toml: good\n");
    assert!(ended.stderr.contains("bad.toml:3:1"), "{ended:#?}");
}

#[test]
fn data_info_counts_the_classes() {
    let sandbox = Sandbox::new();
    let json = sandbox.firebrick(&["data", "info", "digits", "--json"]).succeeds().json();
    let sum = |split: &str| -> u64 {
        json["classes"].as_array().unwrap().iter().map(|class| class[split].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("train") + sum("test"), 1797);
    assert_eq!(Some(sum("train")), json["train"].as_u64());
    fixtures::image_folder(&sandbox);
    let text = sandbox.firebrick(&["data", "info", "image_folder", "--root", "data/pets"]).succeeds();
    assert!(text.stdout.contains("cat") && text.stdout.contains("8 images"), "{text:#?}");
}

#[test]
fn data_export_saves_the_stored_pixels() {
    let sandbox = Sandbox::new();
    fixtures::cifar10(&sandbox);
    let said = sandbox.firebrick(&["data", "export", "cifar10", "--index", "3"]).succeeds();
    assert_eq!(said.stdout, "cifar10-test-3.png: 3x32x32, class 3 (cat)\n");
    let picture = image::open(sandbox.path("cifar10-test-3.png")).unwrap().into_rgb8();
    let bytes = std::fs::read(sandbox.path("data/cifar-10-batches-bin/test_batch.bin")).unwrap();
    let record = &bytes[3 * fixtures::CIFAR_RECORD + 1..4 * fixtures::CIFAR_RECORD];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let plane = |channel: usize| record[channel * 1024 + y as usize * 32 + x as usize];
        assert_eq!(pixel.0, [plane(0), plane(1), plane(2)], "({x}, {y})");
    }
}

#[test]
fn data_export_overwrites_nothing_and_knows_the_end() {
    let sandbox = Sandbox::new();
    sandbox.write("mine.png", "precious");
    sandbox.firebrick(&["data", "export", "digits", "--out", "mine.png"]).ends_with(4);
    assert_eq!(sandbox.read("mine.png"), "precious");
    let ended = sandbox.firebrick(&["data", "export", "digits", "--index", "99999"]).ends_with(2);
    assert!(ended.stderr.contains("--index 99999: expected 0 to "), "{ended:#?}");
    assert_eq!(sandbox.entries(), ["mine.png"]);
}

#[test]
fn data_download_knows_what_cannot_be_fetched() {
    let ended = Sandbox::new().firebrick(&["data", "download", "digits"]).ends_with(2);
    assert!(ended.stderr.contains("dataset `digits` has no official place"), "{ended:#?}");
}

/// `firebrick ... | head -1` must not end in a panic or an error.
#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let sandbox = Sandbox::with_tiny_config();
    for arguments in [&["summary"][..], &["train", "--config", "tiny.toml", "--log-format", "json"]] {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_firebrick"));
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let ended = super::sandbox::Ended::of(child.wait_with_output().unwrap()).succeeds();
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
    assert_eq!(sandbox.read_json("runs/tiny-001/summary.json")["status"], "completed");
}
