#!/usr/bin/env python3
"""The PyTorch side of `cargo xtask verify-zoo`: three training steps of a published network.

    record_zoo.py NAME OUT SIZE BATCH

OUT/images holds a folder of PNG images of random blots in 7 classes (train and test), OUT/start.pt torchvision's first
weights for a seed, OUT/trace.json the steps from there: SGD with momentum on the images in the order of their files,
pixels / 255, recorded by examples/pytorch/record_trace.py. Printed is how far these f32 steps are from the same in f64. The network is `torchvision.models.NAME(num_classes=7)` without
dropout and stochastic depth, which PyTorch and Firebrick draw from other generators.
"""
import pathlib, sys

import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.transforms.functional import to_tensor

import make_zoo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "examples/pytorch"))
from record_trace import Recorder

STEPS = 3


def images(folder, size, batch):
    """Paths and labels in the order of the files: classes one after another."""
    torch.manual_seed(1)
    each = -(-STEPS * batch // make_zoo.NUM_CLASSES)
    found = []
    for label in range(make_zoo.NUM_CLASSES):
        for index in range(each):
            blots = F.interpolate(torch.rand(1, 3, 7, 7), (size, size), mode="bicubic").clamp(0, 1)
            noisy = (blots + 0.1 * torch.randn(1, 3, size, size)).clamp(0, 1)
            pixels = (noisy[0] * 255).round().byte().permute(1, 2, 0).numpy()
            for split in ["train", "test"] if index == 0 else ["train"]:
                path = folder / split / f"class{label}" / f"{index:03}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
            found.append((folder / "train" / f"class{label}" / f"{index:03}.png", label))
    return found


def train(name, files, size, batch, start, dtype):
    """Takes the steps and records them."""
    model = make_zoo.build(name, size=(size, size)).train()
    model.load_state_dict(start)
    model.to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    recorder = Recorder(model)
    for step in range(STEPS):
        chosen = files[step * batch:(step + 1) * batch]
        x = torch.stack([to_tensor(Image.open(path)) for path, _ in chosen]).to(dtype)
        loss = F.cross_entropy(model(x), torch.tensor([label for _, label in chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recorder.step(loss)
    return recorder


def distance(recorder, exact):
    """As `firebrick verify` counts: of losses, and of norms relative to those above 1."""
    largest = 0.0
    for ours, theirs in zip(recorder.steps, exact.steps):
        largest = max(largest, abs(ours["loss"] - theirs["loss"]))
        norms = [(ours["weights"][name], norm) for name, norm in theirs["weights"].items()]
        largest = max([largest] + [abs(one - norm) / max(norm, 1) for one, norm in norms])
    return largest


def main(name, out, size, batch):
    files = images(out / "images", size, batch)
    torch.manual_seed(0)
    start = make_zoo.build(name, size=(size, size)).state_dict()
    torch.save(start, out / "start.pt")
    recorder = train(name, files, size, batch, start, torch.float32)
    recorder.save(out / "trace.json")
    print(distance(recorder, train(name, files, size, batch, start, torch.float64)))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
