#!/usr/bin/env python3
"""Make fine_tuning.json: what PyTorch makes of frozen layers, of layers that are thawed, and of learning rates by depth.

usage: make_fine_tuning.py        (needs torch, numpy)

A small network with two batch normalisations begins with the values of `start`, and takes the bundled training digits in file
order, pixels / 255, in batches of BATCH_SIZE. There is no bias in front of a normalisation: its gradient is noise, of which Adam
makes whole steps. A frozen parameter is `requires_grad_(False)`, a batch normalisation whose
parameters are frozen is in `eval()`. Thawing is `requires_grad_(True)` and `train()` with the same optimiser, which has no state
of them yet. Rates by depth are parameter groups. Of each run: the loss of each step, and every tensor at the end.
"""
import gzip, json, pathlib, struct

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
STEPS_PER_EPOCH, BATCH_SIZE = 3, 8
GROUPS = [["0", "1"], ["4", "5"], ["8"]]  # from the stem to the head

RUNS = [
    {
        "frozen": ["0.", "1."],
        "freeze": '["0.*", "1.*"]',
        "optimizer": {"name": "adamw", "lr": 0.01, "weight_decay": 0.1, "lr_decay_by_depth": 0.5},
    },
    {
        "frozen": ["4.", "5."],
        "freeze": '["4.*", "5.*"]',
        "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.01, "lr_decay_by_depth": 0.75},
        "clip_grad_norm": 0.7,
    },
    {
        "frozen": ["0.", "1.", "4.", "5."],
        "freeze": '{ parameters = ["*", "!8.*"], until_epoch = 1 }',
        "until_epoch": 1,
        "optimizer": {"name": "adam", "lr": 0.005, "lr_decay_by_depth": 0.8},
    },
    {
        "frozen": [],
        "optimizer": {
            "name": "adamw", "lr": 0.01, "weight_decay": 0.5, "lr_decay_by_depth": 0.5, "no_decay_on_bias_and_norm": True
        },
    },
]


def idx(name):
    raw = gzip.open(ROOT / "data/digits" / name).read()
    dims = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(dims)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 10),
    )


def start():
    torch.manual_seed(0)
    model = network()
    for module in model:
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return model


def set_frozen(model, frozen):
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(frozen)) if frozen else True)
    model.train()
    for name, module in model.named_children():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()


def optimizer_of(model, arguments):
    arguments = dict(arguments)
    name, decay = arguments.pop("name"), arguments.pop("lr_decay_by_depth")
    no_decay = arguments.pop("no_decay_on_bias_and_norm", False)
    groups = []
    for depth, layers in enumerate(GROUPS):
        lr = arguments["lr"] * decay ** (len(GROUPS) - 1 - depth)
        for parameters, is_plain in [([], True), ([], False)]:
            for layer in layers:
                module = model[int(layer)]
                for kind, parameter in module.named_parameters():
                    if (kind == "bias" or isinstance(module, nn.BatchNorm2d)) != is_plain:
                        parameters.append(parameter)
            group = {"params": parameters, "lr": lr}
            if no_decay and not is_plain:
                group["weight_decay"] = 0.0
            groups.append(group)
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](groups, **arguments)


def tensors(model):
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    return {name: [float(np.float32(v)) for v in tensor.flatten().tolist()] for name, tensor in state.items()}


def run(what):
    model = start()
    images = torch.tensor(idx("train-images-idx3-ubyte.gz").copy(), dtype=torch.float32).div(255)[:, None]
    labels = torch.tensor(idx("train-labels-idx1-ubyte.gz").astype(np.int64))
    set_frozen(model, what["frozen"])
    optimizer = optimizer_of(model, what["optimizer"])
    losses = []
    for epoch in range(2):
        if what.get("until_epoch") == epoch:
            set_frozen(model, [])
        for step in range(STEPS_PER_EPOCH):
            part = slice(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)
            loss = nn.functional.cross_entropy(model(images[part]), labels[part])
            optimizer.zero_grad()
            loss.backward()
            if "clip_grad_norm" in what:
                nn.utils.clip_grad_norm_(model.parameters(), what["clip_grad_norm"])
            optimizer.step()
            losses.append(loss.item())
    return {**{k: v for k, v in what.items() if k not in ("frozen", "until_epoch")}, "losses": losses, "end": tensors(model)}


def main():
    shapes = {k: list(v.shape) for k, v in start().state_dict().items() if not k.endswith("num_batches_tracked")}
    document = {"torch": torch.__version__, "shapes": shapes, "start": tensors(start()), "runs": [run(what) for what in RUNS]}
    (HERE / "fine_tuning.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


main()
