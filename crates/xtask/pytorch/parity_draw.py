#!/usr/bin/env python3
"""The PyTorch side of `cargo xtask parity draw`.

usage: parity_draw.py FOLDER...        (needs torch, torchvision, safetensors)

Each folder holds `config.toml` (every key resolved), `run.json` and `start.safetensors` (start weights, batches, test
images). The steps are taken in several ways that PyTorch calls the same: in f32, in f64, and in f32 with another order of
the additions or with batch normalisation written out. `torch.json` and `torch.safetensors` hold what came out of each.

A step of several batches is defined as the step of one batch that holds them all. So the outputs of its batches are put
one behind the other before the criterion sees them. Batch normalisation alone sees each batch by itself.
"""
import copy, fnmatch, json, sys, tomllib, warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.ops import sigmoid_focal_loss

NUM_CLASSES = 10


class NotInPyTorch(Exception):
    """PyTorch cannot take these steps."""


# Networks -----------------------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(self, body, shortcut, after):
        super().__init__()
        self.body, self.shortcut, self.after = body, shortcut, after

    def forward(self, x):
        return self.after(self.body(x) + self.shortcut(x))


class Concat(nn.Module):
    def __init__(self, branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Gate(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x * self.body(x)


class PlainBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation as its formula has it, added up in the tensors' own type. So do PyTorch's CUDA kernels; those of
    the CPU add f32 up in f64."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
        with torch.no_grad():
            count = x.numel() / x.shape[1]
            self.running_mean.lerp_(mean.flatten(), self.momentum)
            self.running_var.lerp_(variance.flatten() * (count / (count - 1)), self.momentum)
        y = (x - mean) / (variance + self.eps).sqrt()
        return y if self.weight is None else y * self.weight[:, None, None] + self.bias[:, None, None]


def lenet(num_classes):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, num_classes))


def layer(spec, x):
    """One layer or block for the input `x`, whose shape says how many channels come in."""
    arguments = {key: value for key, value in spec.items() if key not in ("name", "as")}
    channels = x.shape[1]
    match spec["name"]:
        case "conv2d":
            return nn.Conv2d(channels, **arguments)
        case "batch_norm2d":
            bias = arguments.pop("bias", True)
            assert bias, "no draw has a normalisation without a bias"
            return nn.BatchNorm2d(channels, **arguments)
        case "linear":
            return nn.Linear(channels, **arguments)
        case "max_pool2d":
            return nn.MaxPool2d(**arguments)
        case "avg_pool2d":
            return nn.AvgPool2d(**arguments)
        case "adaptive_avg_pool2d":
            return nn.AdaptiveAvgPool2d(**arguments)
        case "relu":
            return nn.ReLU()
        case "sigmoid":
            return nn.Sigmoid()
        case "log_softmax":
            return nn.LogSoftmax(1)
        case "flatten":
            return nn.Flatten()
        case "residual":
            body = sequence(arguments["body"], x)
            shortcut = sequence(arguments.get("shortcut", []), x)
            return Residual(body, shortcut, sequence(arguments.get("after", []), body(x)))
        case "concat":
            return Concat([sequence(branch, x) for branch in arguments["branches"]])
        case "gate":
            return Gate(sequence(arguments["body"], x))
        case other:
            raise ValueError(f"no layer {other}")


def sequence(specs, x):
    layers = []
    for spec in specs:
        layers.append(layer(spec, x).eval())
        x = layers[-1](x)
    return nn.Sequential(*layers)


def network(model):
    if model["name"] == "lenet":
        return lenet(model["num_classes"])
    return sequence(model["layers"], torch.zeros(1, *model["input_shape"]))


# Losses -------------------------------------------------------------------------------------------


def one_hot(labels, dtype):
    return F.one_hot(labels, NUM_CLASSES).to(dtype)


def criterion(loss, dtype):
    """The loss of outputs and classes."""
    arguments = {key: value for key, value in loss.items() if key != "name"}
    for key in ("weight", "pos_weight"):
        if key in arguments:
            arguments[key] = torch.tensor(arguments[key], dtype=dtype)
    name = loss["name"]
    if name == "sigmoid_focal":
        return lambda outputs, labels: sigmoid_focal_loss(outputs, one_hot(labels, dtype), **arguments)
    torch_loss = {
        "l1": nn.L1Loss, "mse": nn.MSELoss, "smooth_l1": nn.SmoothL1Loss, "huber": nn.HuberLoss, "bce": nn.BCELoss,
        "bce_with_logits": nn.BCEWithLogitsLoss, "cross_entropy": nn.CrossEntropyLoss, "nll": nn.NLLLoss,
        "kl_div": nn.KLDivLoss, "poisson_nll": nn.PoissonNLLLoss, "hinge_embedding": nn.HingeEmbeddingLoss,
        "multi_margin": nn.MultiMarginLoss, "multilabel_margin": nn.MultiLabelMarginLoss,
        "multilabel_soft_margin": nn.MultiLabelSoftMarginLoss, "soft_margin": nn.SoftMarginLoss,
    }[name](**arguments)
    match name:
        case "cross_entropy" | "nll" | "multi_margin":
            return torch_loss
        case "multilabel_margin":
            nothing = lambda labels: torch.full((len(labels), NUM_CLASSES - 1), -1)
            return lambda outputs, labels: torch_loss(outputs, torch.cat([labels[:, None], nothing(labels)], 1))
        case "soft_margin" | "hinge_embedding":
            return lambda outputs, labels: torch_loss(outputs, one_hot(labels, dtype) * 2 - 1)
        case _:
            return lambda outputs, labels: torch_loss(outputs, one_hot(labels, dtype))


# Optimisers and schedules -------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad, "adadelta": torch.optim.Adadelta, "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam, "radam": torch.optim.RAdam,
}


def free_of_decay(model):
    """Biases, and the parameters of normalisation."""
    norms = [p for module in model.modules() if isinstance(module, nn.BatchNorm2d) for p in module.parameters()]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    return {id(p) for p in norms + biases}


def optimizer(config, model, parameters):
    """One of torch's groups for each parameter, for groups of the config may overlap."""
    arguments = {key: value for key, value in config.items() if key not in ("name", "groups")}
    free = free_of_decay(model) if arguments.pop("no_decay_on_bias_and_norm", False) else set()
    groups = []
    for name, parameter in parameters.items():
        group = {"params": [parameter]}
        if id(parameter) in free:
            group["weight_decay"] = 0.0
        for other in config.get("groups", []):
            if fnmatch.fnmatchcase(name, other["match"]):
                group.update({key: value for key, value in other.items() if key != "match"})
        groups.append(group)
    return OPTIMIZERS[config["name"]](groups, **arguments)


def scheduler(config, optimiser, run):
    arguments = {key: value for key, value in config.items() if key not in ("name", "per")}
    unit = 1 if config.get("per") == "step" else run["steps_per_epoch"]
    length = -(-run["schedule_steps"] // unit)
    match config["name"]:
        case "none":
            return None
        case "step":
            return lr_scheduler.StepLR(optimiser, **arguments)
        case "multistep":
            return lr_scheduler.MultiStepLR(optimiser, **arguments)
        case "exponential":
            return lr_scheduler.ExponentialLR(optimiser, **arguments)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimiser, **{"T_max": length, **arguments})
        case "cosine_warm_restarts":
            return lr_scheduler.CosineAnnealingWarmRestarts(optimiser, **{"T_0": length, **arguments})
        case "one_cycle":
            highest = {"max_lr": optimiser.defaults["lr"], "total_steps": length}
            try:
                return lr_scheduler.OneCycleLR(optimiser, **{**highest, **arguments})
            except ZeroDivisionError as error:
                raise NotInPyTorch("OneCycleLR divides by the length of a phase without a step") from error
        case "linear":
            return lr_scheduler.LinearLR(optimiser, **arguments)
        case "polynomial":
            return lr_scheduler.PolynomialLR(optimiser, **arguments)
        case "constant":
            return lr_scheduler.ConstantLR(optimiser, **arguments)
        case "cyclic":
            return lr_scheduler.CyclicLR(optimiser, **arguments)
        case other:
            raise ValueError(f"no schedule {other}")


# A run --------------------------------------------------------------------------------------------


def named(model, names):
    """The tensors of the state dict, which stand in the same order, by Firebrick's names."""
    tensors = [t for name, t in model.state_dict(keep_vars=True).items() if not name.endswith("num_batches_tracked")]
    assert len(tensors) == len(names), (names, list(model.state_dict()))
    return dict(zip(names, tensors))


def evaluate(model, loss, images, labels):
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        return loss(model(images), labels).item()


class Way:
    """How a run computes: the element type, and what changes the order of its additions."""

    def __init__(self, dtype=torch.float32, memory_format=torch.contiguous_format, flipped=False, onednn=True,
                 plain_norms=False):
        self.dtype, self.memory_format, self.flipped = dtype, memory_format, flipped
        self.onednn, self.plain_norms = onednn, plain_norms

    def images(self, tensor):
        return self.order(tensor).to(self.dtype).contiguous(memory_format=self.memory_format)

    def order(self, tensor):
        return tensor.flip(0) if self.flipped else tensor


WAYS = {
    "float": Way(),
    "double": Way(dtype=torch.float64),
    "flipped": Way(flipped=True),
    "channels_last": Way(memory_format=torch.channels_last),
    "without_onednn": Way(onednn=False),
    "plain_norms": Way(plain_norms=True),
    "plain_norms_flipped": Way(plain_norms=True, flipped=True),
}


def take(config, run, tensors, way):
    with torch.backends.mkldnn.flags(enabled=way.onednn):
        return steps(config, run, tensors, way)


def steps(config, run, tensors, way):
    trainer, dtype = config["trainer"], way.dtype
    model = network(config["model"]).to(dtype=dtype, memory_format=way.memory_format)
    for module in model.modules():
        if way.plain_norms and isinstance(module, nn.BatchNorm2d):
            module.__class__ = PlainBatchNorm2d
    state = named(model, run["parameters"])
    for name, tensor in state.items():
        start = tensors[f"weight.{name}"]
        assert start.shape == tensor.shape, (name, start.shape, tensor.shape)
        tensor.data.copy_(start)
    parameters = {name: tensor for name, tensor in state.items() if isinstance(tensor, nn.Parameter)}
    loss_of = criterion(config["loss"], dtype)
    optimiser = optimizer(config["optimizer"], model, parameters)
    schedule = scheduler(config.get("schedule", {"name": "none"}), optimiser, run)
    per_step = config.get("schedule", {}).get("per") == "step"
    average = None
    if "ema" in trainer:
        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(trainer["ema"]["decay"]))
    # The rate of the optimiser's own parameters: that of a group which no pattern matches, or of a second optimiser.
    own = OPTIMIZERS[config["optimizer"]["name"]](
        [nn.Parameter(torch.zeros(1))],
        **{k: v for k, v in config["optimizer"].items() if k not in ("name", "groups", "no_decay_on_bias_and_norm")})
    own_schedule = scheduler(config.get("schedule", {"name": "none"}), own, run)
    losses, norms, rates = [], [], []
    model.train()
    for step, num_batches in enumerate(run["batches"]):
        places = [f"batch.{step}.{index}" for index in range(num_batches)]
        outputs = torch.cat([model(way.images(tensors[f"{place}.images"])) for place in places])
        loss = loss_of(outputs, torch.cat([way.order(tensors[f"{place}.labels"]) for place in places]))
        optimiser.zero_grad()
        loss.backward()
        rates.append(own.param_groups[0]["lr"])
        most = trainer.get("clip_grad_norm", float("inf"))
        norms.append(nn.utils.clip_grad_norm_(parameters.values(), most).item())
        if "clip_grad_value" in trainer:
            nn.utils.clip_grad_value_(parameters.values(), trainer["clip_grad_value"])
        optimiser.step()
        own.step()
        losses.append(loss.item())
        if average:
            average.update_parameters(model)
        if schedule and (per_step or (step + 1) % run["steps_per_epoch"] == 0):
            schedule.step()
            own_schedule.step()
    images = torch.cat([tensors[f"test.{index}.images"] for index in range(run["test_batches"])]).to(dtype)
    labels = torch.cat([tensors[f"test.{index}.labels"] for index in range(run["test_batches"])])
    numbers = {"losses": losses, "gradient norms": norms, "learning rates": rates}
    weights = {}
    for what, trained in [("weights", model), ("average", average.module if average else None)]:
        if trained:
            numbers[f"test loss of the {what}"] = evaluate(trained, loss_of, images, labels)
            ordered = named(trained, run["parameters"]).values()
            weights[what] = torch.cat([tensor.detach().double().flatten() for tensor in ordered])
    return numbers, weights


def main():
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="TF32 acceleration on top of oneDNN")
    for folder in map(Path, sys.argv[1:]):
        config = tomllib.loads((folder / "config.toml").read_text())
        run = json.loads((folder / "run.json").read_text())
        tensors = load_file(folder / "start.safetensors")
        document, weights = {}, {}
        try:
            for kind, way in WAYS.items():
                document[kind], taken = take(config, run, tensors, way)
                weights.update({f"{kind}.{what}": tensor for what, tensor in taken.items()})
        except NotInPyTorch as error:
            document = {"refused": str(error)}
        except Exception as error:
            error.add_note(str(folder))
            raise
        (folder / "torch.json").write_text(json.dumps(document))
        save_file(weights, folder / "torch.safetensors")


if __name__ == "__main__":
    main()
