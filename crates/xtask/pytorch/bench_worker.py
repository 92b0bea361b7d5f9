#!/usr/bin/env python3
"""PyTorch's side of `cargo xtask bench-cpu`: says `ready`, then answers a number of steps by seconds."""
import argparse, sys, time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, max_pool2d, relu


class Tudui(nn.Module):
    def __init__(self):
        super().__init__()
        self.model1 = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2), nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))

    def forward(self, x):
        return self.model1(x)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = max_pool2d(relu(self.conv2(max_pool2d(relu(self.conv1(x)), 2))), 2)
        return self.fc3(relu(self.fc2(relu(self.fc1(x.flatten(1))))))


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        def conv_norm(cin, kernel, stride):
            return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(cout))
        self.first, self.second = conv_norm(cin, 3, stride), conv_norm(cout, 3, 1)
        self.shortcut = conv_norm(cin, 1, stride) if stride != 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return relu(self.second(relu(self.first(x))) + self.shortcut(x))


def resnet18():
    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    cin = 64
    for width, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        layers += [BasicBlock(cin, width, stride), BasicBlock(width, width, 1)]
        cin = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def mobilenet():
    layers = []
    def add(cin, cout, kernel, stride, groups):
        conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
        layers.extend([conv, nn.BatchNorm2d(cout), nn.ReLU()])
    add(3, 32, 3, 1, 1)
    cin = 32
    for width, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]:
        add(cin, cin, 3, stride, cin)
        add(cin, width, 1, 1, 1)
        cin = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 2048), nn.ReLU(), nn.Linear(2048, 1024), nn.ReLU(),
                         nn.Linear(1024, 10))


networks = {"tudui": Tudui, "lenet": LeNet, "resnet18": resnet18, "mobilenet": mobilenet, "mlp": mlp}
parser = argparse.ArgumentParser()
parser.add_argument("--network", choices=networks, required=True)
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--pass", dest="mode", choices=["train", "forward"], required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--channels-last", action="store_true")
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(0)
net = networks[args.network]()
channels = 1 if args.network == "lenet" else 3
x, y = torch.rand(args.batch, channels, 32, 32), torch.arange(args.batch) % 10
if args.channels_last:
    net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)


def step():
    if args.mode == "forward":
        with torch.inference_mode():
            return net(x)
    optimizer.zero_grad(set_to_none=True)
    loss = cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()  # as any loop that prints its loss does, and as ours


net.train(args.mode == "train")
step()
print("ready", flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    for _ in range(int(line)):
        step()
    print(time.perf_counter() - begun, flush=True)
