#!/usr/bin/env python3
"""Make digits_runs.json, what PyTorch sees in 20 steps on the bundled digits, and what belongs to it.

usage: make_digits_runs.py        (needs torch, numpy, Pillow, safetensors)

Each run starts from the weights of the models' golden files, takes the training digits in file order,
and feeds them as Firebrick does: 8x8 grey to 32x32 with Pillow's bilinear resize, grey to RGB where the
network wants it, pixels / 255, then normalised where the run says so.

Of every run: the loss of each step, how far PyTorch's own ways to compute the same run (f32, f32 with
channels_last, f64) come apart in it, and the sum of each parameter at the end. Of the run RECORDED also all
final weights (digits_final.safetensors) and the trace that `firebrick verify --against` reads
(digits_trace.json), written by the recorder that users get, examples/pytorch/record_trace.py.
"""
import gzip, json, pathlib, struct, sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
sys.path.insert(0, str(ROOT / "examples/pytorch"))
from record_trace import Recorder

WEIGHTS = ROOT / "crates/firebrick-models/tests/golden"
STEPS, BATCH_SIZE = 20, 32
MEAN, STD = 0.25, 0.5  # exact in f32; any would do


def idx(name):
    raw = gzip.open(ROOT / "data/digits" / name).read()
    dims = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(dims)


def images(channels):
    digits = idx("train-images-idx3-ubyte.gz")[: STEPS * BATCH_SIZE]
    resized = [np.asarray(Image.fromarray(d).resize((32, 32), Image.BILINEAR)) for d in digits]
    grey = torch.tensor(np.stack(resized), dtype=torch.float32).div(255)[:, None]
    return grey.repeat(1, channels, 1, 1)


class Tudui(nn.Module):
    channels = 3

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 32, 5, padding=2)
        self.conv3 = nn.Conv2d(32, 64, 5, padding=2)
        self.fc1, self.fc2 = nn.Linear(1024, 64), nn.Linear(64, 10)

    def forward(self, x):
        pool = nn.functional.max_pool2d
        x = pool(self.conv3(pool(self.conv2(pool(self.conv1(x), 2)), 2)), 2)
        return self.fc2(self.fc1(x.flatten(1)))


class LeNet(nn.Module):
    channels = 1

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        pool, relu = nn.functional.max_pool2d, torch.relu
        x = pool(relu(self.conv2(pool(relu(self.conv1(x)), 2))), 2)
        return self.fc3(relu(self.fc2(relu(self.fc1(x.flatten(1))))))


RUNS = [
    ("tudui", Tudui, "sgd", {"lr": 0.01, "momentum": 0.9}, False),
    ("tudui", Tudui, "adam", {"lr": 0.001}, True),
    ("lenet", LeNet, "adamw", {"lr": 0.002, "weight_decay": 0.05}, True),
    ("lenet", LeNet, "rmsprop", {"lr": 0.0001, "momentum": 0.5}, False),
]
RECORDED = 2
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}


def train(model_name, model_class, optimizer_name, arguments, normalize, to=lambda tensors: tensors):
    state = load_file(WEIGHTS / f"{model_name}.safetensors")
    model = model_class()
    model.load_state_dict({k.removeprefix("model1."): v for k, v in state.items()}, strict=True)
    model = to(model)
    optimizer = OPTIMIZERS[optimizer_name](model.parameters(), **arguments)
    x = images(model_class.channels)
    if normalize:
        x = (x - MEAN) / STD
    x = to(x)
    labels = torch.tensor(idx("train-labels-idx1-ubyte.gz")[: len(x)].astype(np.int64))
    losses, recorder = [], Recorder(model)
    for k in range(STEPS):
        part = slice(k * BATCH_SIZE, (k + 1) * BATCH_SIZE)
        loss = nn.functional.cross_entropy(model(x[part]), labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        recorder.step(loss)
    return model, losses, recorder


OTHER_WAYS = [
    lambda tensors: tensors.to(memory_format=torch.channels_last),
    lambda tensors: tensors.double(),
]


def run(number, *what):
    model_name, _, optimizer_name, arguments, normalize = what
    model, losses, recorder = train(*what)
    others = [train(*what, to=way)[1] for way in OTHER_WAYS]
    spread = max(abs(ours - theirs) for other in others for ours, theirs in zip(losses, other))
    sums = {name: parameter.double().sum().item() for name, parameter in model.named_parameters()}
    document = {"model": model_name, "optimizer": optimizer_name, "args": arguments, "normalize": normalize,
                "losses": losses, "spread": spread, "final_sums": sums}
    if number == RECORDED:
        document["final"] = "digits_final.safetensors"
        save_file(model.state_dict(), HERE / document["final"])
        recorder.save(HERE / "digits_trace.json")
    return document


def main():
    torch.manual_seed(0)
    runs = [run(number, *each) for number, each in enumerate(RUNS)]
    document = {"made_with": f"torch {torch.__version__}", "batch_size": BATCH_SIZE, "steps": STEPS,
                "mean": MEAN, "std": STD, "runs": runs}
    (HERE / "digits_runs.json").write_text(json.dumps(document, indent=1) + "\n")
    for each in runs:
        print(each["model"], each["optimizer"], each["losses"][0], each["losses"][-1], each["spread"])


if __name__ == "__main__":
    main()
