#!/usr/bin/env python3
"""The PyTorch side of the golden tests: makes the files in this folder and checks what we export.

    torch_side.py make OUT [--seed N]       weights, inputs, logits, loss and gradients, as here
    torch_side.py fixtures OUT              print(net) and the .pt files of the loading tests
    torch_side.py check FILE MODEL NAMES    loads an export with strict=True; with a FILE.logits.safetensors
                                            beside it, also compares the logits

MODEL is tudui or lenet, NAMES is firebrick, torch-sequential or torch-named. Needs torch, safetensors.
The golden tests read another folder of the same files through FIREBRICK_GOLDEN_DIR.
"""

import argparse
import pathlib
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file


class Tudui(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, padding=2)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 32, 5, padding=2)
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(32, 64, 5, padding=2)
        self.pool3 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(1024, 64)
        self.fc2 = nn.Linear(64, num_classes)

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x):
        x = self.pool1(F.relu(self.conv1(x)))
        x = self.pool2(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


class InSequential(nn.Module):
    """The course's form: everything in self.model1, with names or with indices."""

    def __init__(self, layers, named):
        super().__init__()
        modules = OrderedDict(layers) if named else [module for _, module in layers]
        self.model1 = nn.Sequential(modules) if named else nn.Sequential(*modules)

    def forward(self, x):
        return self.model1(x)


def sequential_layers(model, num_classes=10):
    if model == "tudui":
        return list(Tudui(num_classes).named_children())
    net = dict(LeNet(num_classes).named_children())
    order = ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten"]
    order += ["fc1", "relu3", "fc2", "relu4", "fc3"]
    net |= {name: nn.ReLU() for name in order if name.startswith("relu")}
    net["flatten"] = nn.Flatten()
    return [(name, net[name]) for name in order]


def build(model, names, num_classes=10):
    if names == "firebrick":
        return {"tudui": Tudui, "lenet": LeNet}[model](num_classes)
    layers = sequential_layers(model, num_classes)
    named = names == "torch-named"
    if model == "tudui":
        return InSequential(layers, named)
    return nn.Sequential(OrderedDict(layers)) if named else nn.Sequential(*(module for _, module in layers))


def make_case(out, name, net, images):
    labels = torch.randint(0, 10, (len(images),))
    logits = net(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    save_file(net.state_dict(), out / f"{name}.safetensors")
    torch.save(net.state_dict(), out / f"{name}.pt")
    expected = {"images": images, "labels": labels, "logits": logits, "loss": loss.reshape(1)}
    expected |= {f"grad.{key}": value.grad for key, value in net.named_parameters()}
    expected = {key: value.detach().contiguous() for key, value in expected.items()}
    save_file(expected, out / f"{name}.expected.safetensors")


def make(out, seed):
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    make_case(out, "tudui", build("tudui", "torch-named"), torch.rand(5, 3, 32, 32))
    make_case(out, "tudui_indexed", build("tudui", "torch-sequential"), torch.rand(5, 3, 32, 32))
    make_case(out, "lenet", build("lenet", "firebrick"), torch.randn(5, 1, 32, 32))


def fixtures(out):
    out.mkdir(parents=True, exist_ok=True)
    for model in ["tudui", "lenet"]:
        (out / f"{model}.print.txt").write_text(str(build(model, "firebrick")) + "\n")
    torch.manual_seed(3)
    net = build("lenet", "firebrick")
    half = OrderedDict((f"module.{key}", value.half()) for key, value in net.state_dict().items())
    optimizer = {"state": {0: {"momentum_buffer": torch.zeros(4)}}, "param_groups": [{"lr": 0.1}]}
    torch.save(
        {"epoch": 3, "model_state_dict": half, "optimizer_state_dict": optimizer, "best": 0.5},
        out / "lenet_checkpoint_f16.pt",
    )
    # Names that nobody knows, whose alphabetical order is not the order of the layers.
    renamed = {"conv1": "stem", "conv2": "body", "fc1": "neck", "fc2": "middle", "fc3": "head"}
    unknown = OrderedDict()
    for key, value in net.state_dict().items():
        layer, leaf = key.split(".")
        unknown[f"{renamed[layer]}.{leaf}"] = value.half()
    torch.save(unknown, out / "lenet_unknown_names_f16.pt")
    torch.save(HarmfulPickle(), out / "harmful.pt")


class HarmfulPickle:
    """Anybody who executes this pickle creates a file called executed."""

    def __reduce__(self):
        return (open, ("executed", "w"))


def check(path, model, names):
    weights = load_file(path)
    num_classes = min(value.shape[0] for value in weights.values() if value.ndim == 2)
    net = build(model, names, num_classes)
    net.load_state_dict(weights, strict=True)
    print(f"{path}: load_state_dict(strict=True) ok, {len(weights)} tensors")
    beside = pathlib.Path(f"{path}.logits.safetensors")
    if beside.exists():
        expected = load_file(beside)
        with torch.no_grad():
            logits = net(expected["images"])
        error = (logits - expected["logits"]).abs().max() / logits.abs().max()
        print(f"logits: largest difference {error:.2e} of the largest logit")
        assert error < 1e-5, error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("make")
    command.add_argument("out", type=pathlib.Path)
    command.add_argument("--seed", type=int, default=0)
    command = commands.add_parser("fixtures")
    command.add_argument("out", type=pathlib.Path)
    command = commands.add_parser("check")
    command.add_argument("file")
    command.add_argument("model", choices=["tudui", "lenet"])
    command.add_argument("names", choices=["firebrick", "torch-sequential", "torch-named"])
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.out, arguments.seed)
    elif arguments.command == "fixtures":
        fixtures(arguments.out)
    else:
        check(arguments.file, arguments.model, arguments.names)


if __name__ == "__main__":
    main()
