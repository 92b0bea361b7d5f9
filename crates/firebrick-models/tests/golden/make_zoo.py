#!/usr/bin/env python3
"""The PyTorch side of the zoo's tests.

    make_zoo.py table                     zoo.json: of every network the parameter count for 1000 classes and its tensors' names
    make_zoo.py small [NAME ..]           zoo/NAME.safetensors: one training step and one evaluation on small images, those
                                          that the file has used before
    make_zoo.py search [NAME ..]          the same on images that are far from every kink, see below
    make_zoo.py photos WEIGHTS EXPECTED PHOTOS OUT
                                          for `cargo xtask parity-published`: the images that the metadata of EXPECTED names,
                                          below PHOTOS/val, as the network takes them, and a training step with WEIGHTS
    make_zoo.py full NAME OUT [SIZE ..]   for `cargo xtask parity-zoo`: OUT/SIZE.state_dict.safetensors, torchvision's first
                                          weights for a seed with norms and biases scattered and moved away from kinks, and
                                          OUT/SIZE.safetensors: what they give at that size in f64, and under `pytorch.` how far
                                          PyTorch's f32 is from it: as it is, with channels_last, without oneDNN

Needs torch, torchvision, numpy, safetensors, and for efficientnet_lite0 efficientnet-lite-pytorch. Without it (or any one
package that a network comes from) that network alone is left out.

The networks have 7 classes, no dropout and no stochastic depth. The weights of `small` would fill gigabytes, so that they
are a formula, which `formula` here and tests/models/zoo_formula.rs compute to the same bits. With

    table = the first 65,521 numbers of `unit("zoo")` of make_resnet20.py, from -1 to below 1

element e (in torch's row-major order) of the tensor called `path` is, in f64 and rounded to f32 at the end,

    unit = table[(FNV-1a of path + e) mod 65521]

    weight of a convolution or linear layer,
    and what is neither norm nor bias         unit * sqrt(6 / fan_in), fan_in the product of all dimensions but the first;
                                              for the evaluation sqrt(3 / fan_in)
    bias                                      unit * 0.1
    weight of a norm, running_var             1 + unit * 0.5
    bias of a norm                            1 + unit for the training step, so that most of what follows is open;
                                              unit * 0.2 for the evaluation, so that activations stay small
    running_mean                              unit * 0.2
    images (path "images.SEED")               unit

Of each gradient and running statistic nine numbers are kept: `scale`, to which errors of elements and of the largest
magnitude are relative; `spread`, to which errors of the norm and of the projection are; the largest magnitude, the L2
norm, the projection, which is the sum of element e times `unit` of the path "projection" and that e, and the elements 0,
n/4, n/2 and 3n/4. `spread` is the norm, or an eighth of scale * sqrt(n) where that is more: what small errors in all
elements add up to. `scale` is the largest magnitude, but where a gradient is 0 in exact arithmetic (a bias before a norm), it is
that of the layer's weight; and it is at least 50,000 times what PyTorch's own f32 is off by, because a small difference
of large numbers has no more digits. `small` says for how many gradients it is not the largest magnitude.
Rows are in the order of the names. Everything is computed in f64 from the f32 weights.

A ReLU whose input is next to zero may open in one program and stay shut in another; then gradients differ by much more
than rounding; so it is where the two largest numbers of a pool's window are alike. So the images are those of a seed for which
no such function is near a kink, measured by how far PyTorch's f32 is from its f64 there.
"""
import json, math, pathlib, sys, warnings

import numpy as np
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.models import resnet

HERE = pathlib.Path(__file__).resolve().parent
NUM_CLASSES = 7
HIDDEN = 64  # length of the hidden linear layers of VGG and AlexNet in `small`
PERIOD = 65521
FULL_SEEDS = 2  # images that `full` tries
FULL_BATCH = 2


class CifarResNet(nn.Module):
    """Section 4.2 of the paper, with torchvision's blocks."""

    def __init__(self, depth, num_classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for stage in range(3):
            width, blocks = 16 << stage, []
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                shortcut = None
                if stride != 1:
                    shortcut = nn.Sequential(resnet.conv1x1(channels, width, stride), nn.BatchNorm2d(width))
                blocks.append(resnet.BasicBlock(channels, width, stride, shortcut))
                channels = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def efficientnet_lite0(num_classes, size):
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name(
        "efficientnet-lite0", num_classes=num_classes, image_size=list(size), dropout_rate=0.0, drop_connect_rate=0.0)
    return net


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


class AirbenchBlock(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.norm1 = nn.BatchNorm2d(width, eps=1e-12, momentum=0.4)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width, eps=1e-12, momentum=0.4)
        self.activ = nn.GELU()

    def forward(self, x):
        x = self.activ(self.norm1(self.pool(self.conv1(x))))
        return self.activ(self.norm2(self.conv2(x)))


def airbench94(num_classes):
    """The network of "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", as its author's nn.Sequential names it."""
    return nn.Sequential(
        nn.Conv2d(3, 24, 2), nn.GELU(),
        AirbenchBlock(24, 64), AirbenchBlock(64, 256), AirbenchBlock(256, 256),
        nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, num_classes, bias=False), Scale(1 / 9))


def cifar_stem(num_classes):
    net = torchvision.models.resnet18(num_classes=num_classes)
    net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    net.maxpool = nn.Identity()
    return net


PLAIN = ["resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d", "wide_resnet50_2",
         "shufflenet_v2_x1_0", "regnet_y_400mf", "densenet121"]
VGG = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
DROPOUT = VGG + ["alexnet", "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]
DROP_PATH = ["convnext_tiny", "convnext_small"]
CIFAR = {"resnet20": 3, "resnet56": 9, "resnet110": 18}
NAMES = PLAIN + DROPOUT + DROP_PATH + list(CIFAR) + ["efficientnet_b0", "efficientnet_lite0", "resnet18_cifar", "airbench94"]


def build(name, num_classes=NUM_CLASSES, size=(224, 224)):
    """The network without dropout and stochastic depth."""
    if name in CIFAR:
        return CifarResNet(CIFAR[name], num_classes)
    if name == "efficientnet_lite0":
        return efficientnet_lite0(num_classes, size)
    if name == "resnet18_cifar":
        return cifar_stem(num_classes)
    if name == "airbench94":
        return airbench94(num_classes)
    arguments = {"num_classes": num_classes}
    if name in DROPOUT or name == "efficientnet_b0":
        arguments["dropout"] = 0.0
    if name in DROP_PATH or name == "efficientnet_b0":
        arguments["stochastic_depth_prob"] = 0.0
    return getattr(torchvision.models, name)(**arguments)


def shrink(name, net):
    """Short hidden layers for those that have two long ones."""
    if name in VGG or name == "alexnet":
        linear = [index for index, layer in enumerate(net.classifier) if isinstance(layer, nn.Linear)]
        sizes = [net.classifier[linear[0]].in_features, HIDDEN, HIDDEN, NUM_CLASSES]
        for index, inputs, outputs in zip(linear, sizes, sizes[1:]):
            net.classifier[index] = nn.Linear(inputs, outputs)
    return net


def train_size(name):
    """Odd, and no last image so small that a norm sees two numbers alone."""
    if name in CIFAR or name == "airbench94":
        return (29, 25)
    return {"alexnet": (71, 67), "densenet121": (71, 67), "resnet18_cifar": (29, 25)}.get(name, (49, 35))


def eval_size(name):
    return (32, 32) if name == "airbench94" else (64, 64)


def fnv(path):
    seed = 0xCBF29CE484222325
    for byte in path.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    return seed


def table():
    with np.errstate(over="ignore"):
        z = np.uint64(fnv("zoo")) + np.arange(PERIOD, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z = z ^ z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


TABLE = table()


def unit(path, count):
    return np.resize(np.roll(TABLE, -(fnv(path) % PERIOD)), count)


def formula(path, shape, is_norm, trains):
    values = unit(path, math.prod(shape))
    leaf = path.rsplit(".", 1)[-1]
    if leaf == "running_var" or (leaf == "weight" and is_norm):
        values = 1 + values * 0.5
    elif leaf == "running_mean":
        values = values * 0.2
    elif leaf == "bias" and is_norm:
        values = 1 + values if trains else values * 0.2
    elif leaf == "bias":
        values = values * 0.1
    else:
        values = values * np.sqrt((6 if trains else 3) / math.prod(shape[1:]))
    return torch.tensor(values.astype(np.float32)).reshape(shape)


def fill(net, trains=True):
    norms = (nn.BatchNorm2d, nn.LayerNorm)
    state = {}
    for path, value in net.state_dict().items():
        is_norm = isinstance(net.get_submodule(path.rpartition(".")[0]), norms)
        state[path] = value if path.endswith("num_batches_tracked") else formula(path, tuple(value.shape), is_norm, trains)
    net.load_state_dict(state, strict=True)
    return net


def images(seed, count, size):
    values = unit(f"images.{seed}", count * 3 * size[0] * size[1])
    return torch.tensor(values.astype(np.float32)).reshape(count, 3, *size)


def lead(x, kernel, stride=None, padding=(0, 0), dilation=(1, 1), ceil_mode=False):
    """How much the largest number of each window is above the second; a large number where it is 0, behind a ReLU."""
    padding = list(padding) * 2 if len(padding) == 1 else padding
    below = [kernel[0] * bool(ceil_mode), kernel[1] * bool(ceil_mode)]
    x = F.pad(x.detach().double(), (padding[1], padding[1] + below[1], padding[0], padding[0] + below[0]), value=-1e9)
    windows = x.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1]).flatten(4)
    first, second = windows.topk(2, dim=4).values.unbind(4)
    return torch.where(first > 0, first - second, 1e9)


class Kinks(TorchDispatchMode):
    """The distance from a kink of every input of a function that has one."""

    AT = {"relu": [0.0], "hardtanh": [0.0, 6.0], "hardswish": [-3.0, 3.0], "hardsigmoid": [-3.0, 3.0]}

    def __init__(self):
        super().__init__()
        self.inputs = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.removeprefix("aten::").rstrip("_")
        if name in self.AT:
            self.inputs.append((self.AT[name], args[0].detach().double().clone()))
        if name.startswith("max_pool2d"):
            self.inputs.append(([0.0], lead(*args)))
        return function(*args, **(kwargs or {}))


def margin(net32, net64, x):
    """The smallest distance from a kink, in units of how far f32 is from f64 in that layer."""
    inputs = []
    for net, x in [(net32, x), (net64, x.double())]:
        with Kinks() as kinks, torch.no_grad():
            net(x)
        inputs.append(kinks.inputs)
    smallest = math.inf
    for (at, exact), (_, rounded) in zip(inputs[1], inputs[0]):
        error = (exact - rounded).square().mean().sqrt().item() + 1e-12
        smallest = min([smallest] + [(exact - kink).abs().min().item() / error for kink in at])
    return smallest


def nine(values, scale):
    values = values.detach().double().flatten().numpy()
    count = len(values)
    projection = (values * unit("projection", count)).sum()
    samples = [values[count * quarter // 4] for quarter in range(4)]
    norm = np.sqrt((values**2).sum())
    return [scale, max(norm, scale * count**0.5 / 8), np.abs(values).max(), norm, projection, *samples]


def gradient_scales(net64, net32):
    rounded, exact = dict(net32.named_parameters()), dict(net64.named_parameters())
    largest = {path: value.grad.abs().max().item() for path, value in exact.items()}
    scales = {}
    for path, own in largest.items():
        error = (rounded[path].grad - exact[path].grad).abs().max().item()
        weight = largest.get(path.rpartition(".")[0] + ".weight", own)
        scales[path] = max(weight if own < 1e-9 * weight else own, 5e4 * error)
    return scales


def step(net, x, labels):
    net.train()
    logits = net(x)
    loss = F.cross_entropy(logits, torch.tensor(labels))
    net.zero_grad()
    loss.backward()
    return logits, loss


def summary_of_step(net, net32, x, labels):
    """Also how many gradients have a larger scale than their largest magnitude."""
    step(net32, x, labels)
    logits, loss = step(net, x.double(), labels)
    scales = gradient_scales(net, net32)
    raised = sum(scales[path] > value.grad.abs().max() for path, value in net.named_parameters())
    gradients = [nine(value.grad, scales[path]) for path, value in sorted(net.named_parameters())]
    statistics = [(path, value) for path, value in sorted(net.named_buffers()) if "running" in path]
    statistics = [nine(value, value.abs().max().item()) for _, value in statistics]
    return {"logits_train": logits, "loss": loss.reshape(1), "gradients": torch.tensor(gradients),
            "statistics": torch.tensor(statistics).reshape(-1, 9)}, raised


LABELS = [1, 4]


def search(name, seeds):
    """The images that are furthest from every kink, or the first that are far enough."""
    size, best = train_size(name), (-1.0, 0)
    make = lambda: fill(shrink(name, build(name, size=size)))
    with torch.no_grad():
        net32, net64 = make().train(), make().double().train()
        for seed in seeds:
            best = max(best, (margin(net32, net64, images(seed, 2, size)), seed))
            if best[0] > 8:
                break
    return best


def small(name, searches):
    path, size = HERE / "zoo" / f"{name}.safetensors", train_size(name)
    make = lambda size=size: fill(shrink(name, build(name, size=size)))
    if path.exists() and not searches:
        with safe_open(path, "pt") as file:
            seeds = [int(file.metadata()["images"].split(".")[1])]
    else:
        seeds = range(80)
    best = search(name, seeds)
    seed = best[1]
    net = fill(shrink(name, build(name, size=eval_size(name))), trains=False).eval()
    x = images(seed, 2, eval_size(name))
    with torch.no_grad():
        rounded = net(x)
        evaluated = net.double()(x.double())
    eval_error = (rounded - evaluated).abs().max().item() / evaluated.abs().max().item()
    x = images(seed, 2, size)
    expected, raised = summary_of_step(make().double(), make(), x, LABELS)
    out = {key: value.detach().float().contiguous() for key, value in {"logits_eval": evaluated, **expected}.items()}
    metadata = {"images": f"images.{seed}", "labels": " ".join(map(str, LABELS)),
                "train_size": f"{size[0]} {size[1]}", "eval_size": "{} {}".format(*eval_size(name))}
    path.parent.mkdir(exist_ok=True)
    save_file(out, path, metadata)
    largest = evaluated.abs().max().item()
    print(f"{name}: images {seed}, margin {best[0]:.1f}, logits to {largest:.2g}, f32 is off by {eval_error:.1e}; {raised} scales raised", flush=True)


def names_hash(net):
    shapes = [f"{path}:{','.join(map(str, value.shape))}\n" for path, value in sorted(net.state_dict().items())
              if not path.endswith("num_batches_tracked")]
    return f"{fnv(''.join(shapes)):016x}"


def write_table():
    rows = {}
    for name in NAMES:
        num_classes = 10 if name in [*CIFAR, "resnet18_cifar", "airbench94"] else 1000
        net = build(name, num_classes)
        count = sum(value.numel() for value in net.parameters())
        rows[name] = {"num_classes": num_classes, "parameters": count, "names": names_hash(net)}
    (HERE / "zoo.json").write_text(json.dumps(rows, indent=1) + "\n")


def scattered(net):
    """Norms and biases as training leaves them, not as it finds them: neither 1 nor 0."""
    for layer in net.modules():
        if isinstance(layer, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, 0.5, 2.5)
        elif getattr(layer, "bias", None) is not None:
            nn.init.uniform_(layer.bias, -0.1, 0.1)
    return net


class OpenKinks(TorchDispatchMode):
    """Moves the bias before every function with a kink, channel by channel, so that no input is next to the kink.

    Among the numbers of a channel there are gaps: the bias is moved, by a quarter of their deviation at most, so that the
    kink lies in the middle of the widest. What follows sees the moved numbers, so one forward pass does it for all layers.
    """

    def __init__(self, net):
        super().__init__()
        self.last = None
        for layer in net.modules():
            if isinstance(getattr(layer, "bias", None), nn.Parameter):
                layer.register_forward_hook(self.remember)

    def remember(self, layer, inputs, output):
        self.last = layer

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kinks = Kinks.AT.get(function._schema.name.removeprefix("aten::").rstrip("_"))
        if kinks is not None:
            x, bias = args[0], self.last.bias
            channels = x.transpose(0, 1).flatten(1).numpy()
            assert len(bias) == len(channels), "the bias before this function is none of its channels'"
            shifts = np.array([widest_gap(np.sort(values), kinks) for values in channels])
            moved = (bias.detach() + torch.tensor(shifts)).float().double()
            x.add_((moved - bias).reshape([1, -1] + [1] * (x.dim() - 2)))
            bias.copy_(moved)
        return function(*args, **(kwargs or {}))


def widest_gap(values, kinks):
    """How far to move sorted values so that the nearest one is as far from every kink as possible."""
    reach = values.std() / 4 if len(values) > 1 else 0.25
    candidates = [0.0, -reach, reach]
    for kink in kinks:
        inside = values[np.searchsorted(values, kink - reach):np.searchsorted(values, kink + reach)]
        gaps = inside[1:] - inside[:-1]
        widest = np.argsort(gaps)[-16:] if len(kinks) > 1 else [gaps.argmax()] if len(gaps) else []
        candidates += [kink - (inside[at] + inside[at + 1]) / 2 for at in widest]

    def nearest(shift):
        at = [np.searchsorted(values, kink - shift) for kink in kinks]
        near = [abs(values[max(0, i - 1):i + 1] + shift - kink).min() for i, kink in zip(at, kinks)]
        return min(near)

    return max(candidates, key=nearest)


def far_from_kinks(name, size):
    """Weights and images for which no function with a kink has an input next to it: of some images, for which a pool's two
    largest numbers are not alike either."""
    best = (-1.0, None, None)
    for seed in range(FULL_SEEDS):
        torch.manual_seed(0)
        net64 = scattered(build(name, size=(size, size))).double().train()
        torch.manual_seed(1 + seed)
        x = torch.randn(FULL_BATCH, 3, size, size)
        with torch.no_grad():
            with OpenKinks(net64):
                net64(x.double())
            net64 = fresh_statistics(net64)
            state = {path: value.clone() for path, value in net64.state_dict().items()}
            net32 = build(name, size=(size, size)).train()
            net32.load_state_dict(state, strict=True)
            best = max(best, (margin(net32, net64, x), state, x), key=lambda found: found[0])
        if best[0] > 3:
            break
    print(f"{name}, images of {size}: {best[0]:.1f} roundings away from the next kink; below some 3, one may have moved", flush=True)
    return best[1:]


def fresh_statistics(net):
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
    return net


def full(name, out, sizes):
    out.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        state, x = far_from_kinks(name, size)
        state = {path: value.float() if value.is_floating_point() else value for path, value in state.items()}

        def make():
            net = build(name, size=(size, size))
            net.load_state_dict(state, strict=True)
            return net

        save_file({path: value.contiguous() for path, value in state.items()}, out / f"{size}.state_dict.safetensors")
        labels = LABELS[:len(x)]
        expected = {"images": x, "labels": torch.tensor(labels)}
        expected["parameters"] = torch.tensor([sum(value.numel() for value in make().parameters())])
        exact = everything(make().double(), x.double(), labels)
        runs = [everything(*run, labels) for run in pytorch_runs(make, x)]
        with warnings.catch_warnings(action="ignore"), torch.backends.mkldnn.flags(enabled=False):
            runs.append(everything(make(), x, labels))
        for key, value in exact.items():
            expected[key] = value
            expected[f"pytorch.{key}"] = torch.stack([(run[key].double() - value).abs().max() for run in runs])
        expected |= {f"scale.{path}": torch.tensor([scale]) for path, scale in zero_scales(exact).items()}
        save(expected, out / f"{size}.safetensors")


def pytorch_runs(make, x):
    """PyTorch's f32 with oneDNN, whose order of additions follows the layout of memory."""
    last = torch.channels_last
    return [(make(), x), (make().to(memory_format=last), x.contiguous(memory_format=last))]


def everything(net, x, labels):
    """Logits of an evaluation; then logits, loss, gradients and running statistics of a training step."""
    with torch.no_grad():
        evaluated = net.eval()(x)
    logits, loss = step(net, x, labels)
    found = {"logits_eval": evaluated, "logits_train": logits.detach(), "loss": loss.detach().reshape(1)}
    found |= {f"grad.{path}": value.grad for path, value in net.named_parameters()}
    return found | {f"after.{path}": value.clone() for path, value in net.named_buffers() if "running" in path}


def zero_scales(exact):
    """Where a gradient is 0 but for rounding (a bias before a norm), the largest magnitude of the layer's weight's."""
    largest = {key[5:]: value.abs().max().item() for key, value in exact.items() if key.startswith("grad.")}
    weights = {path: largest.get(path.rpartition(".")[0] + ".weight", own) for path, own in largest.items()}
    return {path: weights[path] for path, own in largest.items() if own < 1e-9 * weights[path]}


def training_step(make, x, labels):
    """Gradients with their scales and running statistics after a step in f64, of the network that `make` gives."""
    net, rounded = make().double(), make()
    logits, loss = step(net, x.double(), labels)
    step(rounded, x, labels)
    expected = {"labels": torch.tensor(labels), "logits_train": logits, "loss": loss.reshape(1)}
    expected |= {f"grad.{path}": value.grad for path, value in net.named_parameters()}
    expected |= {f"scale.{path}": torch.tensor([scale]) for path, scale in gradient_scales(net, rounded).items()}
    return expected | {f"after.{path}": value for path, value in net.named_buffers() if "running" in path}


def save(tensors, path):
    rounded = {key: value if value.dtype == torch.int64 else value.float() for key, value in tensors.items()}
    save_file({key: value.detach().contiguous() for key, value in rounded.items()}, path)


def photos(weights, expected, folder, out):
    from PIL import Image
    from torchvision import transforms

    with safe_open(expected, "pt") as file:
        names, labels = file.metadata()["files"].split(";"), file.get_tensor("labels").tolist()
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    prepare = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
                                  transforms.Normalize(mean, deviation)])
    x = torch.stack([prepare(Image.open(folder / "val" / name).convert("RGB")) for name in names])
    state = torch.load(weights, map_location="cpu", weights_only=True)

    def make():
        net = efficientnet_lite0(1000, (224, 224))
        net.load_state_dict(state, strict=True)
        return net

    save({"images": x, **training_step(make, x, labels)}, out)


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "table":
        write_table()
    elif command in ("small", "search"):
        for name in sys.argv[2:] or NAMES:
            small(name, command == "search")
    elif command == "photos" and len(sys.argv) == 6:
        photos(*(pathlib.Path(path) for path in sys.argv[2:]))
    elif command == "full" and len(sys.argv) >= 4:
        full(sys.argv[2], pathlib.Path(sys.argv[3]), [int(size) for size in sys.argv[4:]] or [224])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
