#!/usr/bin/env python3
"""Make loss_runs.json: 20 steps of LeNet on the bundled digits with losses other than cross-entropy of a class.

usage: make_loss_runs.py [recipes]        (needs torch, torchvision, numpy, Pillow, safetensors)

The network, its first weights and the images are those of make_digits_runs.py: LeNet from the models' golden
file, the training digits in file order, 32 a batch, pixels / 255, then (x - 0.25) / 0.5. Each run has SGD with
momentum 0.9.

A loss that compares elements gets a target of the network's output's shape, made of the class:

    one_hot      1 for the class, 0 for the others
    plus_minus   1 for the class, -1 for the others
    class_list   the class, then -1 for "no more": torch's MultiLabelMarginLoss
    index        the class itself
    soft         what mixup might give: (64 - s) / 64 of the image's own class and s / 64 of that of the image at the
                 other end of the batch (31 - i for image i), with s the sum of the batch's labels modulo 32. The
                 shares are exact in f32. The images themselves are not mixed

`last` is the layer behind LeNet's last linear layer: log_softmax for losses that want log-probabilities,
sigmoid for those that want probabilities.

The learning rates are small enough for twenty steps not to amplify the rounding of a single one. At twice or three
times these rates, one element of a max pool or of a sign comes out the other way after some ten steps, and then PyTorch
itself leaves its own losses by up to 1e-3 with another number of threads.

`spread` is how far PyTorch's own ways to compute a run (f32, channels_last, f64) come apart in its losses.

With `recipes` it writes nothing, but trains whole runs from torch's own initial weights, five seeds each, and
prints the accuracies: what lr and how many epochs a loss needs for 95%.
"""
import json, sys

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.ops import sigmoid_focal_loss

from make_digits_runs import BATCH_SIZE, HERE, MEAN, OTHER_WAYS, STD, STEPS, WEIGHTS, LeNet, idx, images

NUM_CLASSES = 10


class SigmoidFocal:
    """torchvision's function as a criterion; its own default is no reduction."""

    def __call__(self, logits, target):
        return sigmoid_focal_loss(logits, target, reduction="mean")


LAST = {None: nn.Identity(), "log_softmax": nn.LogSoftmax(dim=1), "sigmoid": nn.Sigmoid()}
TARGETS = {
    "one_hot": lambda labels: nn.functional.one_hot(labels, NUM_CLASSES).float(),
    "plus_minus": lambda labels: nn.functional.one_hot(labels, NUM_CLASSES).float() * 2 - 1,
    "class_list": lambda labels: torch.cat([labels[:, None], torch.full((len(labels), NUM_CLASSES - 1), -1)], 1),
    "index": lambda labels: labels,
}

# name in a config, arguments, torch's criterion, last layer, kind of target, lr
RUNS = [
    ("mse", {}, nn.MSELoss(), None, "one_hot", 0.3),
    ("l1", {}, nn.L1Loss(), None, "one_hot", 0.02),
    ("smooth_l1", {"beta": 0.5}, nn.SmoothL1Loss(beta=0.5), None, "one_hot", 0.3),
    ("huber", {"delta": 0.5}, nn.HuberLoss(delta=0.5), None, "one_hot", 0.5),
    ("bce_with_logits", {}, nn.BCEWithLogitsLoss(), None, "one_hot", 0.5),
    ("bce", {}, nn.BCELoss(), "sigmoid", "one_hot", 0.5),
    ("multilabel_soft_margin", {}, nn.MultiLabelSoftMarginLoss(), None, "one_hot", 0.5),
    ("multilabel_margin", {}, nn.MultiLabelMarginLoss(), None, "class_list", 0.1),
    ("soft_margin", {}, nn.SoftMarginLoss(), None, "plus_minus", 0.4),
    ("poisson_nll", {}, nn.PoissonNLLLoss(), None, "one_hot", 0.1),
    ("sigmoid_focal", {"reduction": "mean"}, SigmoidFocal(), None, "one_hot", 1.0),
    ("kl_div", {}, nn.KLDivLoss(), "log_softmax", "one_hot", 0.3),
    ("kl_div", {"reduction": "batchmean"}, nn.KLDivLoss(reduction="batchmean"), "log_softmax", "one_hot", 0.03),
    ("nll", {}, nn.NLLLoss(), "log_softmax", "index", 0.03),
    ("multi_margin", {}, nn.MultiMarginLoss(), None, "index", 0.1),
    ("cross_entropy", {}, nn.CrossEntropyLoss(), None, "soft", 0.03),
    ("cross_entropy", {"label_smoothing": 0.1}, nn.CrossEntropyLoss(label_smoothing=0.1), None, "soft", 0.04),
    ("kl_div", {"reduction": "batchmean"}, nn.KLDivLoss(reduction="batchmean"), "log_softmax", "soft", 0.03),
    ("bce_with_logits", {}, nn.BCEWithLogitsLoss(), None, "soft", 0.5),
    ("mse", {}, nn.MSELoss(), None, "soft", 0.3),
]


def soft_targets(labels):
    batches = []
    for batch in labels.split(BATCH_SIZE):
        own, share = TARGETS["one_hot"](batch), batch.sum().item() % 32 / 64
        batches.append(own * (1 - share) + own.flip(0) * share)
    return torch.cat(batches)


def targets(kind, labels):
    return soft_targets(labels) if kind == "soft" else TARGETS[kind](labels)


def train(criterion, last, kind, lr, to=lambda tensors: tensors):
    lenet = LeNet()
    state = load_file(WEIGHTS / "lenet.safetensors")
    lenet.load_state_dict({k.removeprefix("model1."): v for k, v in state.items()}, strict=True)
    network = to(nn.Sequential(lenet, LAST[last]))
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)
    x = to((images(1) - MEAN) / STD)
    y = targets(kind, torch.tensor(idx("train-labels-idx1-ubyte.gz")[: len(x)].astype("int64")))
    if y.is_floating_point():
        y = y.to(x.dtype)
    losses = []
    for step in range(STEPS):
        part = slice(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)
        loss = criterion(network(x[part]), y[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return lenet, losses


def run(name, arguments, criterion, last, kind, lr):
    lenet, losses = train(criterion, last, kind, lr)
    others = [train(criterion, last, kind, lr, to=way)[1] for way in OTHER_WAYS]
    spread = max(abs(ours - theirs) for other in others for ours, theirs in zip(losses, other))
    sums = {key: parameter.double().sum().item() for key, parameter in lenet.named_parameters()}
    return {"loss": name, "args": arguments, "last": last, "target": kind, "lr": lr, "momentum": 0.9,
            "losses": losses, "spread": spread, "final_sums": sums}


def write():
    runs = [run(*each) for each in RUNS]
    document = {"made_with": f"torch {torch.__version__}", "batch_size": BATCH_SIZE, "steps": STEPS,
                "mean": MEAN, "std": STD, "runs": runs}
    (HERE / "loss_runs.json").write_text(json.dumps(document, indent=1) + "\n")
    for each in runs:
        print(f'{each["loss"]:24}{each["target"]:12}{each["losses"][0]:10.5f}{each["losses"][-1]:10.5f}'
              f'  spread {each["spread"]:.1e}')


# name, last layer, criterion, kind of target, lr, epochs; batch 32, momentum 0.9, cosine over all epochs
RECIPES = [
    ("mse", None, nn.MSELoss(), "one_hot", lr, epochs) for lr in (0.05, 0.1, 0.2) for epochs in (10, 15)
] + [
    ("bce_with_logits", None, nn.BCEWithLogitsLoss(), "one_hot", lr, epochs)
    for lr in (0.1, 0.2) for epochs in (10, 15)
] + [
    ("kl_div", "log_softmax", nn.KLDivLoss(), "one_hot", lr, epochs) for lr in (0.1, 0.2) for epochs in (10, 15)
] + [
    ("kl_div batchmean", "log_softmax", nn.KLDivLoss(reduction="batchmean"), "one_hot", 0.02, 10),
]
DIGITS_MEAN, DIGITS_STD = 0.3052, 0.3760  # what `normalize = "dataset"` subtracts and divides by


def prepare(split):
    from PIL import Image
    import numpy as np

    digits = [np.asarray(Image.fromarray(d).resize((32, 32), Image.BILINEAR))
              for d in idx(f"{split}-images-idx3-ubyte.gz")]
    x = torch.tensor(np.stack(digits), dtype=torch.float32).div(255)[:, None]
    return (x - DIGITS_MEAN) / DIGITS_STD, torch.tensor(idx(f"{split}-labels-idx1-ubyte.gz").astype("int64"))


def accuracy(seed, last, criterion, kind, lr, epochs):
    (x, labels), (test_x, test_labels) = prepare("train"), prepare("t10k")
    torch.manual_seed(seed)
    network = nn.Sequential(LeNet(), LAST[last])
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)
    steps = epochs * -(-len(x) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    y = targets(kind, labels)
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(BATCH_SIZE):
            optimizer.zero_grad()
            criterion(network(x[part]), y[part]).backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        return (network(test_x).argmax(1) == test_labels).float().mean().item()


def recipes():
    for name, last, criterion, kind, lr, epochs in RECIPES:
        found = [accuracy(seed, last, criterion, kind, lr, epochs) for seed in range(5)]
        print(f"{name:20} lr {lr:<6} epochs {epochs:3}: lowest {min(found):.4f}, of",
              " ".join(f"{one:.4f}" for one in found), flush=True)


if __name__ == "__main__":
    recipes() if sys.argv[1:] == ["recipes"] else write()
