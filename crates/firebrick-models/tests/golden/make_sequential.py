#!/usr/bin/env python3
"""PyTorch's side of the tests of `sequential`: a net with every layer, and the same list as a config.

    make_sequential.py make OUT [--seed N]   sequential.json, the config; sequential.print.txt; sequential.safetensors
                                             and .pt, the weights; sequential.expected.safetensors, five
                                             forward and backward passes in train mode without an update:
                                             logits.N, loss.N, grad.N.NAME, buffer.N.NAME after each, and
                                             eval_logits of images.0 afterwards
    make_sequential.py check FILE CONFIG     loads an export with strict=True; with a FILE.logits.safetensors
                                             beside it, also compares the logits in eval mode

Needs torch and safetensors. The golden tests read another folder of these files through
FIREBRICK_GOLDEN_DIR.
"""

import argparse
import json
import pathlib
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

PASSES = 5
BATCH = 6

# Dropout with p = 0: no two libraries draw the same mask.
CONFIG = {
    "input_shape": [3, 12, 12],
    "layers": [
        {"name": "batch_norm2d", "momentum": 0.3},
        {"name": "relu"},
        {"name": "conv2d", "out_channels": 4, "kernel_size": 3, "padding": 1},
        {"name": "relu"},
        {"name": "max_pool2d", "kernel_size": 3, "stride": 2, "padding": 1},
        {
            "name": "conv2d",
            "out_channels": 8,
            "kernel_size": [3, 2],
            "stride": [1, 2],
            "padding": [2, 1],
            "dilation": [2, 1],
            "groups": 2,
        },
        {"name": "relu"},
        {"name": "max_pool2d", "kernel_size": 2},
        {"name": "conv2d", "out_channels": 6, "kernel_size": 2, "bias": False},
        {"name": "batch_norm2d", "eps": 0.001},
        {"name": "relu"},
        {"name": "avg_pool2d", "kernel_size": 2, "stride": 1, "padding": 1},
        {"name": "conv2d", "out_channels": 6, "kernel_size": 1, "bias": False},
        {"name": "batch_norm2d", "affine": False},
        {"name": "dropout", "p": 0.0},
        {"name": "adaptive_avg_pool2d", "output_size": 1},
        {"name": "flatten"},
        {"name": "linear", "out_features": 16, "bias": False},
        {"name": "relu"},
        {"name": "linear", "out_features": 10},
    ],
}

CLASSES = {
    "relu": nn.ReLU,
    "max_pool2d": nn.MaxPool2d,
    "avg_pool2d": nn.AvgPool2d,
    "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
    "dropout": nn.Dropout,
    "flatten": nn.Flatten,
}


def build(config):
    """The config as nn.Sequential; what a layer takes in follows from running those before it."""
    x = torch.zeros(2, *config["input_shape"])
    layers = []
    for layer in config["layers"]:
        arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in layer.items() if k != "name"}
        if layer["name"] == "conv2d":
            layers.append(nn.Conv2d(x.shape[1], **arguments))
        elif layer["name"] == "batch_norm2d":
            layers.append(nn.BatchNorm2d(x.shape[1], **arguments))
        elif layer["name"] == "linear":
            layers.append(nn.Linear(x.shape[1], **arguments))
        else:
            layers.append(CLASSES[layer["name"]](**arguments))
        with torch.no_grad():
            x = layers[-1].eval()(x)
    return nn.Sequential(*layers)


def scatter_norms(net):
    """Weights other than 1 and biases other than 0, or a mistake in them would not show."""
    for module in net:
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)


def buffers(net):
    return {name: value.clone() for name, value in net.named_buffers() if value.is_floating_point()}


def make(out, seed):
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    net = build(CONFIG)
    scatter_norms(net)
    (out / "sequential.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    (out / "sequential.print.txt").write_text(str(net) + "\n")
    save_file(net.state_dict(), out / "sequential.safetensors")
    torch.save(net.state_dict(), out / "sequential.pt")
    expected = {}
    net.train()
    for index in range(PASSES):
        images = torch.randn(BATCH, *CONFIG["input_shape"]) * (1 + 0.5 * index) + 0.3 * index
        labels = torch.randint(0, 10, (BATCH,))
        net.zero_grad()
        logits = net(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        expected |= {f"images.{index}": images, f"labels.{index}": labels, f"logits.{index}": logits}
        expected[f"loss.{index}"] = loss.reshape(1)
        expected |= {f"grad.{index}.{name}": value.grad.clone() for name, value in net.named_parameters()}
        expected |= {f"buffer.{index}.{name}": value for name, value in buffers(net).items()}
    net.eval()
    expected["eval_logits"] = net(expected["images.0"])
    expected = {name: value.detach().contiguous() for name, value in expected.items()}
    save_file(expected, out / "sequential.expected.safetensors")


def check(path, config):
    weights = load_file(path)
    net = build(json.loads(pathlib.Path(config).read_text()))
    if all(name.startswith("model1.") for name in weights):
        net = nn.Sequential(OrderedDict([("model1", net)]))
    net.load_state_dict(weights, strict=True)
    print(f"{path}: load_state_dict(strict=True) ok, {len(weights)} tensors")
    beside = pathlib.Path(f"{path}.logits.safetensors")
    if beside.exists():
        expected = load_file(beside)
        with torch.no_grad():
            logits = net.eval()(expected["images"])
        error = (logits - expected["logits"]).abs().max() / logits.abs().max()
        print(f"logits: largest difference {error:.2e} of the largest logit")
        assert error < 1e-5, error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("make")
    command.add_argument("out", type=pathlib.Path)
    command.add_argument("--seed", type=int, default=0)
    command = commands.add_parser("check")
    command.add_argument("file")
    command.add_argument("config")
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.out, arguments.seed)
    else:
        check(arguments.file, arguments.config)


if __name__ == "__main__":
    main()
