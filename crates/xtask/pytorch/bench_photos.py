#!/usr/bin/env python3
"""PyTorch's side of `cargo xtask bench-cpu --photos`: says `ready`, then answers a number of steps by seconds.

Needs torch and torchvision, and for efficientnet_lite0 the PyPI package efficientnet-lite-pytorch.
"""
import argparse, contextlib, sys, time

import torch
from torch.nn.functional import cross_entropy


def network(name):
    if name == "efficientnet_lite0":
        from efficientnet_lite_pytorch import EfficientNet
        return EfficientNet.from_name("efficientnet-lite0")
    import torchvision
    return getattr(torchvision.models, name)()


MODES = ["f32", "channels_last", "compile", "bf16"]
parser = argparse.ArgumentParser()
parser.add_argument("--network", required=True)
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--mode", choices=MODES, required=True)
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(0)
net = network(args.network).train()
x, y = torch.rand(args.batch, 3, args.size, args.size), torch.arange(args.batch) % 10
if args.mode != "f32":
    net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
forward = torch.compile(net) if args.mode == "compile" else net
optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)


def precision():
    if args.mode == "bf16":
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def step():
    optimizer.zero_grad(set_to_none=True)
    with precision():
        loss = cross_entropy(forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()  # as any loop that prints its loss does, and as ours


step()
print("ready", flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    for _ in range(int(line)):
        step()
    print(time.perf_counter() - begun, flush=True)
