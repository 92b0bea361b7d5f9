#!/usr/bin/env python3
"""Make definitions.json: the loss of a split, and steps of several batches, of every loss, reduction and weight.

usage: make_definitions.py        (needs torch, torchvision, numpy)

The network is one linear layer on digits (8x8, pixels / 255), behind it what the loss wants. Its weights are sin(0.37 i) / 4
and its biases sin(i): the tests make the same ones. `split` is torch's criterion over the first 46 test images at
once. A step takes the first 46 training images at once; a run of two steps with SGD tells the losses and gradient norms of
both and the sum of the squares of the weights at the end.
"""
import json

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import sigmoid_focal_loss

from make_digits_runs import HERE, idx

COUNT, CLASSES, LR = 46, 10, 0.05
WEIGHT = [1, 2, 0.5, 1, 3, 1, 0.25, 0, 1, 1.5]
# No 0: with smoothing a batch of that class alone would have an infinite mean, in torch too.
POSITIVE = [1, 2, 0.5, 1, 3, 1, 0.25, 0.75, 1, 1.5]



def split(name):
    images = torch.tensor(idx(f"{name}-images-idx3-ubyte.gz")[:COUNT].copy(), dtype=torch.float64)
    return images.div(255)[:, None], torch.tensor(idx(f"{name}-labels-idx1-ubyte.gz")[:COUNT].astype("int64"))


def classes(labels):
    return labels


def one_hot(labels):
    return F.one_hot(labels, CLASSES).double()


def signs(labels):
    return one_hot(labels) * 2 - 1


def lists(labels):
    return torch.cat([labels[:, None], torch.full((COUNT, CLASSES - 1), -1)], 1)


class Focal(nn.Module):
    """Cross-entropy whose terms are multiplied by (1 - p)^gamma; the mean is over the weights."""

    def __init__(self, gamma=2.0, weight=None, ignore_index=-100, reduction="mean"):
        super().__init__()
        self.gamma, self.reduction, self.ignore_index = gamma, reduction, ignore_index
        self.weight = torch.ones(CLASSES).double() if weight is None else weight

    def forward(self, logits, labels):
        of_label = logits.log_softmax(1).gather(1, labels[:, None])[:, 0]
        weight = self.weight[labels] * (labels != self.ignore_index)
        losses = -weight * (1 - of_label.exp()) ** self.gamma * of_label
        return losses.sum() / weight.sum() if self.reduction == "mean" else losses.sum()


class SigmoidFocal(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments

    def forward(self, logits, target):
        return sigmoid_focal_loss(logits, target, **self.arguments)


# name: torch's loss, last layer, targets, further arguments
LOSSES = {
    "cross_entropy": (nn.CrossEntropyLoss, None, classes, [
        {"weight": WEIGHT}, {"ignore_index": 3}, {"weight": WEIGHT, "ignore_index": 3}, {"label_smoothing": 0.1},
        {"weight": POSITIVE, "label_smoothing": 0.2, "ignore_index": 0}]),
    "nll": (nn.NLLLoss, "log_softmax", classes, [{"weight": WEIGHT, "ignore_index": 3}]),
    "focal": (Focal, None, classes, [{"weight": WEIGHT}, {"weight": WEIGHT, "ignore_index": 3, "gamma": 0.5}]),
    "multi_margin": (nn.MultiMarginLoss, None, classes, [{"weight": WEIGHT, "p": 2}]),
    "multilabel_margin": (nn.MultiLabelMarginLoss, None, lists, []),
    "multilabel_soft_margin": (nn.MultiLabelSoftMarginLoss, None, one_hot, [{"weight": WEIGHT}]),
    "soft_margin": (nn.SoftMarginLoss, None, signs, []),
    "hinge_embedding": (nn.HingeEmbeddingLoss, None, signs, []),
    "bce": (nn.BCELoss, "sigmoid", one_hot, [{"weight": WEIGHT}]),
    "bce_with_logits": (nn.BCEWithLogitsLoss, None, one_hot, [{"weight": WEIGHT, "pos_weight": POSITIVE}]),
    "sigmoid_focal": (SigmoidFocal, None, one_hot, [{"alpha": 0.5}]),
    "kl_div": (nn.KLDivLoss, "log_softmax", one_hot, []),
    "poisson_nll": (nn.PoissonNLLLoss, None, one_hot, []),
    "mse": (nn.MSELoss, None, one_hot, []),
    "l1": (nn.L1Loss, None, one_hot, []),
    "smooth_l1": (nn.SmoothL1Loss, None, one_hot, [{"beta": 0.3}]),
    "huber": (nn.HuberLoss, None, one_hot, [{"delta": 0.3}]),
}
LAST = {None: nn.Identity(), "sigmoid": nn.Sigmoid(), "log_softmax": nn.LogSoftmax(1)}


def network(last):
    linear = nn.Linear(64, CLASSES).double()
    with torch.no_grad():
        linear.weight.copy_((torch.arange(640).double() * 0.37).sin().div(4).reshape(CLASSES, 64))
        linear.bias.copy_(torch.arange(CLASSES).double().sin())
    return nn.Sequential(nn.Flatten(), linear, LAST[last])


def run(name, arguments):
    loss, last, targets, _ = LOSSES[name]
    tensors = {k: torch.tensor(v).double() if k.endswith("weight") else v for k, v in arguments.items()}
    criterion, model = loss(**tensors), network(last)
    rate = LR / COUNT if arguments["reduction"] == "sum" else LR
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    images, labels = split("t10k")
    with torch.no_grad():
        of_split = criterion(model(images), targets(labels)).item()
    losses, norms = [], []
    images, labels = split("train")
    for _ in range(2):
        optimizer.zero_grad()
        value = criterion(model(images), targets(labels))
        value.backward()
        losses.append(value.item())
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), float("inf")).item())
        optimizer.step()
    squares = sum(parameter.square().sum().item() for parameter in model.parameters())
    return {"name": name, "arguments": arguments, "last": last, "lr": rate, "split": of_split, "losses": losses,
            "grad_norms": norms, "squares": squares}


def main():
    runs = []
    for name, (_, _, _, more) in LOSSES.items():
        for reduction in ["mean", "sum"] + ["batchmean"] * (name == "kl_div"):
            runs += [run(name, {**arguments, "reduction": reduction}) for arguments in [{}] + more]
    document = {"made_with": f"torch {torch.__version__}", "runs": runs}
    (HERE / "definitions.json").write_text(json.dumps(document, indent=1) + "\n")
    print(len(runs), "runs")


if __name__ == "__main__":
    main()
