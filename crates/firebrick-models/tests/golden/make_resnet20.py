#!/usr/bin/env python3
"""Make resnet20.expected.safetensors: what PyTorch gets from ResNet-20 for CIFAR, from weights that a formula gives.

usage: make_resnet20.py [search N]        (needs torch, numpy, safetensors)

He et al., "Deep Residual Learning for Image Recognition" (2015), section 4.2, with projection shortcuts (option B:
a 1x1 convolution and a norm where sizes change): 272,474 parameters. With the parameterless shortcuts of option A it
would be 269,722. Parameters have torchvision's names.

The weights would fill 1.1 MB, so that they are not a file but a formula, which `formula` here and
tests/models/formula.rs compute to the same bits. Element e (in torch's row-major order) of the tensor called `path` is

    seed = FNV-1a, 64 bits, of path
    z    = seed + e * 0x9E3779B97F4A7C15                 all modulo 2^64
    z    = (z ^ z >> 30) * 0xBF58476D1CE4E5B9
    z    = (z ^ z >> 27) * 0x94D049BB133111EB
    z    = z ^ z >> 31
    unit = (z >> 40) / 2^23 - 1                          from -1 to below 1, exact

and in f64, rounded to f32 at the end:

    weight of a convolution or linear layer   unit * sqrt(3 / fan_in), fan_in the product of all dimensions but the first
    its bias                                  unit * 0.1
    weight of a norm, running_var             1 + unit * 0.5
    bias of a norm, running_mean              unit * 0.2
    images (path "images.SEED")               unit

The file has, all computed in f64 from those f32 values and rounded:

    logits_eval          [4, 10]  from the running statistics of the formula
    logits_train, loss   [4, 10], [1]  from the batch's statistics; cross-entropy with `labels`
    grad.PATH            up to MAX_SAMPLES elements of a gradient, evenly spread: flat indices 0, s, 2 s, .. with
                         s = ceil(elements / MAX_SAMPLES)
    norm.PATH            [2]  the whole gradient's L2 norm and its largest magnitude
    buffer.PATH          running statistics after that one pass in training
    check.PATH           the first 8 elements of some of the formula's tensors

A ReLU whose input is next to zero may open in one program and stay shut in another; then gradients differ by much
more than rounding. So the images are those of the seed, found by `search`, whose smallest input of a ReLU is largest.
"""
import pathlib, sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
IMAGES_SEED = 370  # of 0 to 399
LABELS = [3, 8, 0, 5]
MAX_SAMPLES = 256
NUM_PARAMETERS = 272_474


def unit(path, count):
    seed = 0xCBF29CE484222325
    for byte in path.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z = z ^ z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def formula(path, shape, is_norm):
    values = unit(path, int(np.prod(shape)))
    leaf = path.rsplit(".", 1)[-1]
    if leaf == "running_var" or (leaf == "weight" and is_norm):
        values = 1 + values * 0.5
    elif leaf == "running_mean" or (leaf == "bias" and is_norm):
        values = values * 0.2
    elif leaf == "bias":
        values = values * 0.1
    elif leaf == "weight":
        values = values * np.sqrt(3 / np.prod(shape[1:]))
    return torch.tensor(values.astype(np.float32)).reshape(shape)


class Block(nn.Module):
    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        self.relu = nn.ReLU()
        self.last_relu = nn.ReLU()

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.last_relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        stages = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(Block(i, o, s), Block(o, o, 1), Block(o, o, 1)) for i, o, s in stages)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def is_norm(network, path):
    return isinstance(network.get_submodule(path.rpartition(".")[0]), nn.BatchNorm2d)


def network():
    resnet = ResNet20()
    assert sum(parameter.numel() for parameter in resnet.parameters()) == NUM_PARAMETERS
    state = {path: tensor if path.endswith("num_batches_tracked") else formula(path, tensor.shape, is_norm(resnet, path))
             for path, tensor in resnet.state_dict().items()}
    resnet.load_state_dict(state, strict=True)
    return resnet.double()


def images(seed):
    return formula(f"images.{seed}", (4, 3, 32, 32), False).double()


def closest_to_zero(resnet, x):
    smallest = []
    hooks = [module.register_forward_pre_hook(lambda _, inputs: smallest.append(inputs[0].abs().min().item()))
             for module in resnet.modules() if isinstance(module, nn.ReLU)]
    with torch.no_grad():
        resnet.train()(x)
    for hook in hooks:
        hook.remove()
    return min(smallest)


def search(count):
    found = []
    for seed in range(count):
        found.append((closest_to_zero(network(), images(seed)), seed))
    print("smallest input of a ReLU, seed:", sorted(found)[-5:])


def one_pass(to):
    resnet = to(network())
    x = to(images(IMAGES_SEED))
    with torch.no_grad():
        logits_eval = resnet.eval()(x)
    logits = resnet.train()(x)
    loss = nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    return resnet, {"logits_eval": logits_eval, "logits_train": logits.detach(), "loss": loss.detach().reshape(1)}


def tensors(resnet, results):
    found = dict(results)
    for path, parameter in resnet.named_parameters():
        gradient = parameter.grad.flatten()
        stride = -(-len(gradient) // MAX_SAMPLES)
        found[f"grad.{path}"] = gradient[::stride]
        found[f"norm.{path}"] = torch.stack([gradient.norm(), gradient.abs().max()])
    for path, buffer in resnet.named_buffers():
        if not path.endswith("num_batches_tracked"):
            found[f"buffer.{path}"] = buffer
    return {name: tensor.float().contiguous() for name, tensor in found.items()}


def spread(reference, resnet, results):
    """How far another way to compute is from the reference, relative to each tensor's largest element."""
    other, worst = tensors(resnet, results), {}
    for name, expected in reference.items():
        kind = name.partition(".")[0]
        # Sampled gradients are measured against the whole gradient's largest element.
        scale = reference[f"norm.{name[5:]}"][1] if kind == "grad" else expected.abs().max()
        worst[kind] = max(worst.get(kind, 0), ((other[name] - expected).abs().max() / scale).item())
    return worst


def main():
    reference = tensors(*one_pass(lambda tensors: tensors))
    ways = {"f32": lambda tensors: tensors.float(),
            "f32 channels_last": lambda tensors: tensors.float().to(memory_format=torch.channels_last)}
    for name, way in ways.items():
        print(f"{name} beside f64:", {kind: f"{worst:.1e}" for kind, worst in spread(reference, *one_pass(way)).items()})
    print("smallest input of a ReLU:", closest_to_zero(network(), images(IMAGES_SEED)))
    for path in ["conv1.weight", "bn1.bias", "layer2.0.downsample.1.running_var", "fc.weight", "fc.bias"]:
        reference[f"check.{path}"] = network().state_dict()[path].float().flatten()[:8].contiguous()
    reference["check.images"] = images(IMAGES_SEED).float().flatten()[:8].contiguous()
    metadata = {"made_with": f"torch {torch.__version__}", "images": f"images.{IMAGES_SEED}",
                "labels": " ".join(map(str, LABELS))}
    save_file(reference, HERE / "resnet20.expected.safetensors", metadata)


if __name__ == "__main__":
    search(int(sys.argv[2])) if sys.argv[1:2] == ["search"] else main()
