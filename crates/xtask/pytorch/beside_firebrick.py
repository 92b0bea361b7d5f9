#!/usr/bin/env python3
"""Train Tudui on CIFAR-10 in PyTorch, in file order, and write what each step and epoch gave.

usage: beside_firebrick.py BIN_FOLDER WEIGHTS.safetensors OUT.json --threads N [--channels-last] [--epochs 10] [--max-steps N]

The PyTorch side of `cargo xtask beside-pytorch`. OUT.json appears when the run is whole.
"""
import argparse, json, os, pathlib, time

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

BATCH_SIZE, LR, MOMENTUM = 64, 0.01, 0.9


class Tudui(nn.Module):
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


def read(folder, names):
    records = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy())
    return images, torch.from_numpy(records[:, 0].astype(np.int64))


@torch.no_grad()
def test(model, images, labels):
    loss, correct = 0.0, 0
    for x, y in zip(images.split(500), labels.split(500)):
        logits = model(x.float().div(255))
        loss += nn.functional.cross_entropy(logits, y, reduction="sum").item()
        correct += (logits.argmax(1) == y).sum().item()
    return {"loss": loss / len(labels), "accuracy": correct / len(labels)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--max-steps", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    train_images, train_labels = read(arguments.folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
    test_images, test_labels = read(arguments.folder, ["test_batch.bin"])
    model, memory_format = Tudui(), torch.contiguous_format
    if arguments.channels_last:
        memory_format = torch.channels_last
        model = model.to(memory_format=memory_format)
        train_images, test_images = (images.to(memory_format=memory_format) for images in (train_images, test_images))
    state = load_file(arguments.weights)
    model.load_state_dict({name.removeprefix("model1."): tensor for name, tensor in state.items()}, strict=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    losses, evaluations, begun = [], [], time.time()
    for epoch in range(arguments.epochs):
        for x, y in zip(train_images.split(BATCH_SIZE), train_labels.split(BATCH_SIZE)):
            if len(losses) == arguments.max_steps:
                break
            loss = nn.functional.cross_entropy(model(x.float().div(255)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        evaluations.append(test(model, test_images, test_labels))
        print(f"PyTorch, {arguments.threads} threads, {memory_format}, epoch {epoch + 1}: {evaluations[-1]}, {time.time() - begun:.0f} s", flush=True)
        if len(losses) == arguments.max_steps:
            break
    document = {"made_with": f"torch {torch.__version__}, {arguments.threads} threads, {memory_format}",
                "seconds": time.time() - begun, "losses": losses, "evaluations": evaluations}
    whole = arguments.out.with_suffix(".part")
    whole.write_text(json.dumps(document) + "\n")
    os.replace(whole, arguments.out)


if __name__ == "__main__":
    main()
