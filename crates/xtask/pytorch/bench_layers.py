#!/usr/bin/env python3
"""PyTorch's side of `cargo xtask bench-kernels --pytorch`: is told a layer and a pass, then answers a number of calls by
seconds. Everything is channels_last."""
import argparse, sys, time

import torch
from torch.nn.functional import conv2d

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, required=True)
torch.set_num_threads(parser.parse_args().threads)


def prepare(what, batch, cin, cout, size, kernel, stride, padding, groups, has_bias):
    """The call that a line of words and numbers asks for."""
    def values(*shape):
        return torch.rand(*shape).to(memory_format=torch.channels_last)

    x, weight = values(batch, cin, size, size), values(cout, cin // groups, kernel, kernel)
    bias = torch.rand(cout) if has_bias else None
    gradient = torch.rand_like(conv2d(x, weight, bias, stride, padding, 1, groups))
    wanted = {"input": [True, False, False], "weight": [False, True, bool(has_bias)]}.get(what)

    def call():
        if wanted is None:
            return conv2d(x, weight, bias, stride, padding, 1, groups)
        return torch.ops.aten.convolution_backward(
            gradient, x, weight, [cout] if has_bias else None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups, wanted)

    return call


call = None
print("ready", flush=True)
with torch.inference_mode():
    for line in sys.stdin:
        what, *numbers = line.split()
        if numbers:
            call = prepare(what, *map(int, numbers))
            call()
            print("ready", flush=True)
            continue
        begun = time.perf_counter()
        for _ in range(int(what)):
            call()
        print(time.perf_counter() - begun, flush=True)
