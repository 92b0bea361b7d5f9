#!/usr/bin/env python3
"""Make layers.json and layers.safetensors: layers one by one, each in a small network, against PyTorch.

usage: make_layers.py        (needs torch, torchvision, numpy, safetensors)

Every case is a `sequential`: a 1x1 convolution called `first`, whose gradients show the layer's gradient by its input; the
layer, called `x`; `flatten` unless the case begins with it; and a linear layer `fc` of 5 classes. layers.json has the
layers as a config has them and the shape of the images. Weights are those of make_resnet20.py's formula, images four times
its numbers for the path `images`. Of case N the file has, computed in f64: `N.logits`, `N.grad.PATH` of the mean
cross-entropy with the labels 0 to 2, and `N.repr`, the bytes of PyTorch's line for the layer.
"""
import json, pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.convnext import LayerNorm2d
from torchvision.ops import StochasticDepth

from make_resnet20 import formula, unit

HERE = pathlib.Path(__file__).resolve().parent
BATCH = 3


class PerPixel(nn.Linear):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    def __init__(self, channels, init_value):
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), init_value))

    def forward(self, x):
        return x * self.layer_scale


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


def conv(c, **a):
    return nn.Conv2d(c, **a)


# Channels and image, the layer in a config, whether flatten comes before it, and PyTorch's layer.
CASES = [
    (4, (5, 4), {"name": "relu6"}, False, lambda c, a: nn.ReLU6()),
    (4, (5, 4), {"name": "relu6"}, True, lambda c, a: nn.ReLU6()),
    (4, (5, 4), {"name": "hardswish"}, False, lambda c, a: nn.Hardswish()),
    (4, (5, 4), {"name": "hardsigmoid"}, False, lambda c, a: nn.Hardsigmoid()),
    (4, (5, 4), {"name": "silu"}, False, lambda c, a: nn.SiLU()),
    (4, (5, 4), {"name": "gelu"}, False, lambda c, a: nn.GELU()),
    (4, (5, 4), {"name": "gelu"}, True, lambda c, a: nn.GELU()),
    (4, (5, 4), {"name": "sigmoid"}, False, lambda c, a: nn.Sigmoid()),
    (4, (5, 4), {"name": "log_softmax"}, False, lambda c, a: nn.LogSoftmax(dim=1)),
    (6, (5, 4), {"name": "layer_norm", "eps": 1e-6}, False, lambda c, a: LayerNorm2d(c, **a)),
    (6, (5, 4), {"name": "layer_norm", "bias": False}, True, lambda c, a: nn.LayerNorm(c, **a)),
    (6, (5, 4), {"name": "layer_norm", "elementwise_affine": False}, False, lambda c, a: LayerNorm2d(c, **a)),
    (6, (5, 4), {"name": "group_norm", "num_groups": 2}, False, lambda c, a: nn.GroupNorm(a["num_groups"], c)),
    (6, (3, 3), {"name": "group_norm", "num_groups": 3, "eps": 0.01, "bias": False}, False,
     lambda c, a: nn.GroupNorm(3, c, eps=0.01, bias=False)),
    (6, (3, 3), {"name": "group_norm", "num_groups": 1, "affine": False}, False,
     lambda c, a: nn.GroupNorm(1, c, affine=False)),
    (7, (3, 3), {"name": "local_response_norm", "size": 5}, False, lambda c, a: nn.LocalResponseNorm(**a)),
    (7, (3, 3), {"name": "local_response_norm", "size": 4, "alpha": 2.0, "beta": 0.5, "k": 2.0}, False,
     lambda c, a: nn.LocalResponseNorm(**a)),
    (3, (3, 3), {"name": "local_response_norm", "size": 9, "alpha": 1.0}, False, lambda c, a: nn.LocalResponseNorm(**a)),
    (6, (3, 2), {"name": "channel_shuffle", "groups": 2}, False, lambda c, a: nn.ChannelShuffle(**a)),
    (6, (3, 2), {"name": "channel_shuffle", "groups": 3}, False, lambda c, a: nn.ChannelShuffle(**a)),
    (4, (7, 7), {"name": "max_pool2d", "kernel_size": 3, "stride": 2, "padding": 1}, False, lambda c, a: nn.MaxPool2d(**a)),
    (4, (8, 7), {"name": "max_pool2d", "kernel_size": 3, "stride": 2, "ceil_mode": True}, False, lambda c, a: nn.MaxPool2d(**a)),
    (4, (6, 9), {"name": "max_pool2d", "kernel_size": [2, 3], "stride": [3, 4], "padding": [0, 1], "ceil_mode": True}, False,
     lambda c, a: nn.MaxPool2d(**{key: tuple(v) if isinstance(v, list) else v for key, v in a.items()})),
    (4, (5, 5), {"name": "max_pool2d", "kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True}, False,
     lambda c, a: nn.MaxPool2d(**a)),
    (3, (7, 5), {"name": "adaptive_avg_pool2d", "output_size": [3, 2]}, False, lambda c, a: nn.AdaptiveAvgPool2d((3, 2))),
    (3, (6, 6), {"name": "adaptive_avg_pool2d", "output_size": [3, 2]}, False, lambda c, a: nn.AdaptiveAvgPool2d((3, 2))),
    (3, (3, 2), {"name": "adaptive_avg_pool2d", "output_size": 7}, False, lambda c, a: nn.AdaptiveAvgPool2d(7)),
    (3, (4, 5), {"name": "zero_pad2d", "padding": [1, 0, 2, 3]}, False, lambda c, a: nn.ZeroPad2d(tuple(a["padding"]))),
    (3, (4, 5), {"name": "zero_pad2d", "padding": [0, 0, 0, 0]}, False, lambda c, a: nn.ZeroPad2d(tuple(a["padding"]))),
    (5, (4, 3), {"name": "layer_scale", "init_value": 0.25}, False, lambda c, a: LayerScale(c, 0.25)),
    (5, (4, 3), {"name": "drop_path", "p": 0.0}, False, lambda c, a: StochasticDepth(0.0, "row")),
    (5, (4, 3), {"name": "linear", "out_features": 7, "per_pixel": True}, False, lambda c, a: PerPixel(c, 7)),
    (5, (4, 3), {"name": "linear", "out_features": 7, "per_pixel": True, "bias": False}, False,
     lambda c, a: PerPixel(c, 7, bias=False)),
    (6, (9, 8), {"name": "conv2d", "out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1, "groups": 6}, False, conv),
    (6, (9, 8), {"name": "conv2d", "out_channels": 6, "kernel_size": 5, "stride": 2, "padding": 2, "groups": 6}, False, conv),
    (6, (9, 8), {"name": "conv2d", "out_channels": 6, "kernel_size": 7, "padding": 3, "groups": 6}, False, conv),
    (6, (9, 8), {"name": "conv2d", "out_channels": 9, "kernel_size": 3, "padding": 1, "groups": 3}, False, conv),
    (5, (4, 3), {"name": "scale", "factor": 0.25}, False, lambda c, a: Scale(0.25)),
]


def network(channels, size, layer, flattens_first, make):
    arguments = {key: value for key, value in layer.items() if key != "name"}
    parts = [("first", nn.Conv2d(2, channels, 1))]
    if flattens_first:
        parts.append(("flatten", nn.Flatten()))
    with torch.no_grad():
        x = nn.Sequential(*(part for _, part in parts))(torch.zeros(2, 2, *size))
        layer = make(x.shape[1], **arguments) if make is conv else make(x.shape[1], arguments)
        parts.append(("x", layer))
        if not flattens_first:
            parts.append(("flatten", nn.Flatten()))
        features = nn.Flatten()(layer(x)).shape[1]
    parts.append(("fc", nn.Linear(features, 5)))
    net = nn.Sequential()
    for name, part in parts:
        net.add_module(name, part)
    norms = (nn.LayerNorm, nn.GroupNorm)
    state = {path: formula(path, tuple(value.shape), isinstance(net.get_submodule(path.rpartition(".")[0]), norms))
             for path, value in net.state_dict().items()}
    if "x.layer_scale" in state:
        state["x.layer_scale"] *= 3**0.5
    net.load_state_dict(state, strict=True)
    return net.double()


def main():
    cases, out = [], {}
    for index, (channels, size, layer, flattens_first, make) in enumerate(CASES):
        net = network(channels, size, layer, flattens_first, make)
        images = (unit("images", BATCH * 2 * size[0] * size[1]) * 4).astype(np.float32)
        logits = net(torch.tensor(images).reshape(BATCH, 2, *size).double())
        nn.functional.cross_entropy(logits, torch.arange(BATCH)).backward()
        out[f"{index}.logits"] = logits
        out |= {f"{index}.grad.{path}": value.grad for path, value in net.named_parameters()}
        text = repr(net.x).replace("PerPixel", "Linear").encode()
        out[f"{index}.repr"] = torch.tensor(list(text), dtype=torch.uint8)
        named = {**layer, "as": "x"}
        flatten = {"name": "flatten"}
        layers = [{"name": "conv2d", "as": "first", "out_channels": channels, "kernel_size": 1}]
        layers += [flatten, named] if flattens_first else [named, flatten]
        layers += [{"name": "linear", "as": "fc", "out_features": 5}]
        cases.append({"input_shape": [2, *size], "layers": layers})
    (HERE / "layers.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    tensors = {key: value.detach().contiguous() for key, value in out.items()}
    tensors = {key: value if value.dtype == torch.uint8 else value.float() for key, value in tensors.items()}
    save_file(tensors, HERE / "layers.safetensors")


if __name__ == "__main__":
    main()
