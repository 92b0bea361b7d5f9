"""Writes optim_extras.json with PyTorch: what optimizers.json and schedules.json do not cover.

    python3 make_optim_extras.py > optim_extras.json

Same shapes of cases as those two files, plus clipping, cycled momentum, parameter groups, warm-up,
averaged weights and accumulated gradients. Muon runs with its bfloat16 replaced by float32, which is what Firebrick does;
Lion, which PyTorch lacks, is the paper's algorithm 2 in float32.
"""

import json
import math
import sys

import torch
import torch.optim._muon as muon_module
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

torch.manual_seed(20)
NUM_STEPS = 12


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["m"] = torch.zeros_like(p)
                update = (state["m"] * beta_1 + p.grad * (1 - beta_1)).sign()
                state["m"] = state["m"] * beta_2 + p.grad * (1 - beta_2)
                if group["weight_decay"] != 0:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(update * group["lr"])


OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "lion": Lion,
    "muon": torch.optim.Muon,
}


def in_float32():
    """Muon's Newton-Schulz iteration without its rounding to bfloat16."""
    source = open(muon_module.__file__).read().replace("torch.bfloat16", "torch.float32")
    namespace = {"__name__": "torch.optim._muon32", "__package__": "torch.optim"}
    exec(compile(source, "muon32", "exec"), namespace)
    return namespace["Muon"]


OPTIMIZERS["muon"] = in_float32()


def optimizer_case(name, args, shapes):
    params = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    start = [p.detach().flatten().tolist() for p in params]
    optimizer = OPTIMIZERS[name](params, **args)
    gradients, parameters = [], []
    for step in range(NUM_STEPS):
        for p in params:
            p.grad = torch.randn(p.shape) * (0.1 if step % 3 else 2.0)
        gradients.append([p.grad.flatten().tolist() for p in params])
        optimizer.step()
        parameters.append([p.detach().flatten().tolist() for p in params])
    return {"optimizer": name, "args": args, "start": start, "shapes": shapes,
            "gradients": gradients, "parameters": parameters}


def optimizer_cases():
    mixed = [[2, 1, 2, 2], [3], [2, 2], [1, 2, 2]]
    matrices = [[2, 4], [4, 2], [3, 3]]
    settings = [
        ("sgd", {"lr": 0.05, "momentum": 0.9, "maximize": True, "weight_decay": 0.1}),
        ("adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "maximize": True}),
        ("adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
        ("adam", {"lr": 0.01, "betas": [0.3, 0.9]}),
        ("adamw", {"lr": 0.01, "amsgrad": True, "maximize": True}),
        ("rmsprop", {"lr": 0.01, "weight_decay": 0.1, "centered": True, "maximize": True}),
        ("rmsprop", {"lr": 0.01, "momentum": 0.5, "eps": 1e-3}),
        ("adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True}),
        ("adadelta", {"rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
        ("adamax", {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-3, "betas": [0.7, 0.8]}),
        ("nadam", {"lr": 0.01, "weight_decay": 0.1, "momentum_decay": 0.1}),
        ("nadam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
        ("radam", {"lr": 0.01, "betas": [0.8, 0.9], "weight_decay": 0.1}),
        ("radam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "eps": 1e-3}),
        ("lion", {"lr": 0.01}),
        ("lion", {"lr": 0.01, "betas": [0.7, 0.8], "weight_decay": 0.1}),
    ]
    cases = [optimizer_case(name, args, mixed) for name, args in settings]
    for args in [{}, {"lr": 0.02, "nesterov": False, "momentum": 0.8, "weight_decay": 0.0},
                 {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
                 {"lr": 0.02, "adjust_lr_fn": "spectral_unclamped",
                  "ns_coefficients": [3.0, -4.0, 1.5], "eps": 1e-3}]:
        cases.append(optimizer_case("muon", args, matrices))
    return cases


SCHEDULES = {
    "step": lr_scheduler.StepLR,
    "multistep": lr_scheduler.MultiStepLR,
    "exponential": lr_scheduler.ExponentialLR,
    "cosine": lr_scheduler.CosineAnnealingLR,
    "cosine_warm_restarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "one_cycle": lr_scheduler.OneCycleLR,
    "linear": lr_scheduler.LinearLR,
    "polynomial": lr_scheduler.PolynomialLR,
    "constant": lr_scheduler.ConstantLR,
    "cyclic": lr_scheduler.CyclicLR,
    "plateau": lr_scheduler.ReduceLROnPlateau,
}


def schedule_case(name, args, optimizer_name="sgd", warmup=None, metric=None, num_steps=40):
    """Learning rates of two parameter groups, and the momentum, before each step."""
    base_lrs = [0.1, 0.03]
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in base_lrs]
    optimizer = OPTIMIZERS[optimizer_name](groups, lr=base_lrs[0])
    if warmup is None:
        schedule = SCHEDULES[name](optimizer, **args)
    else:
        rise = lr_scheduler.LinearLR(
            optimizer, start_factor=warmup["start_factor"], total_iters=warmup["steps"])
        schedule = lr_scheduler.SequentialLR(
            optimizer, [rise, SCHEDULES[name](optimizer, **args)], milestones=[warmup["steps"]])
    case = {"schedule": name, "args": args, "base_lrs": base_lrs, "lrs": [], "momentum": []}
    if warmup is not None:
        case["warmup"] = warmup
    if metric is not None:
        case["metric"] = metric
    for step in range(num_steps):
        case["lrs"].append([group["lr"] for group in optimizer.param_groups])
        group = optimizer.param_groups[0]
        case["momentum"].append(group["betas"][0] if "betas" in group else group["momentum"])
        optimizer.step()
        schedule.step(*([] if metric is None else [metric[step]]))
    return case


def schedule_cases():
    metric = [math.sin(i / 3) + 0.01 * (i % 5) for i in range(40)]
    bumps = [0.5 + 0.1 * (i // 7) for i in range(40)]
    # Gets better all the time, but mostly by less than a threshold of 0.1 asks for.
    crawl = [(1.0 - 0.02 * i) * (-1.0 if i > 36 else 1.0) for i in range(40)]
    warmup = {"steps": 7, "start_factor": 0.01}
    return [
        schedule_case("step", {"step_size": 3, "gamma": 0.5}),
        schedule_case("multistep", {"milestones": [9, 2, 9, 0], "gamma": 0.5}),
        schedule_case("exponential", {"gamma": 0.9}),
        schedule_case("cosine", {"T_max": 7, "eta_min": 0.02}),
        schedule_case("cosine_warm_restarts", {"T_0": 5, "eta_min": 0.02}),
        schedule_case("cosine_warm_restarts", {"T_0": 2, "T_mult": 3}),
        schedule_case("linear", {}),
        schedule_case("linear", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 20}),
        schedule_case("polynomial", {}),
        schedule_case("polynomial", {"total_iters": 30, "power": 0.7}),
        schedule_case("constant", {}),
        schedule_case("one_cycle", {"max_lr": 0.3, "total_steps": 41}),
        schedule_case("one_cycle", {"max_lr": 0.3, "total_steps": 41, "pct_start": 0.45,
                                    "three_phase": True, "base_momentum": 0.5}, "adamw"),
        schedule_case("one_cycle", {"max_lr": 0.3, "total_steps": 41, "pct_start": 0.0,
                                    "anneal_strategy": "linear", "cycle_momentum": False}),
        schedule_case("cyclic", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3,
                                 "step_size_down": 5, "mode": "exp_range", "gamma": 0.97}),
        schedule_case("cyclic", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4,
                                 "mode": "triangular2", "base_momentum": 0.6}, "adam"),
        schedule_case("cyclic", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4,
                                 "cycle_momentum": False}),
        schedule_case("plateau", {"mode": "max", "patience": 1, "factor": 0.3, "cooldown": 3},
                      metric=metric),
        schedule_case("plateau", {"mode": "max", "patience": 3, "threshold": 0.05,
                                  "threshold_mode": "abs", "min_lr": 0.02}, metric=bumps),
        schedule_case("plateau", {"patience": 0, "threshold": 0.2, "threshold_mode": "abs",
                                  "eps": 1e-3}, metric=metric),
        schedule_case("plateau", {"patience": 2, "threshold": 0.1, "factor": 0.9}, metric=crawl),
        schedule_case("plateau", {"mode": "max", "patience": 2, "threshold": 0.1, "factor": 0.9},
                      metric=[2.0 - value for value in crawl]),
        schedule_case("plateau", {"patience": 3, "threshold": 0.1, "threshold_mode": "abs",
                                  "factor": 0.9}, metric=crawl),
        schedule_case("plateau", {"mode": "max", "patience": 2, "threshold": 0.1,
                                  "threshold_mode": "abs", "factor": 0.9},
                      metric=[2.0 - value for value in crawl]),
        schedule_case("plateau", {"patience": 1}, metric=[1.0 - 4e-5 * i for i in range(40)]),
        schedule_case("cyclic", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3,
                                 "mode": "exp_range"}),
        schedule_case("cosine", {"T_max": 33, "eta_min": 0.001}, warmup=warmup),
        schedule_case("exponential", {"gamma": 0.9}, warmup=warmup),
        schedule_case("step", {"step_size": 4}, warmup=warmup),
    ]


def clip_cases():
    shapes = [[2, 3], [4]]
    cases = []
    for max_norm, norm_type in [(1.0, 2.0), (0.3, 1.0), (0.5, math.inf), (0.7, 3.0), (100.0, 2.0), (0.0, 2.0)]:
        params = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
        for p in params:
            p.grad = torch.randn(p.shape)
        gradients = [p.grad.flatten().tolist() for p in params]
        norm = torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type)
        cases.append({"max_norm": max_norm, "norm_type": "inf" if math.isinf(norm_type) else norm_type,
                      "shapes": shapes, "gradients": gradients, "norm": norm.item(),
                      "clipped": [p.grad.flatten().tolist() for p in params]})
    # A limit just above the norm, where scaling up would begin.
    just_above = {**cases[0], "max_norm": cases[0]["norm"] * 1.0005}
    params = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for p, gradient in zip(params, just_above["gradients"]):
        p.grad = torch.tensor(gradient).reshape(p.shape)
    torch.nn.utils.clip_grad_norm_(params, just_above["max_norm"], 2.0)
    cases.append({**just_above, "clipped": [p.grad.flatten().tolist() for p in params]})
    params = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for p in params:
        p.grad = torch.randn(p.shape)
    gradients = [p.grad.flatten().tolist() for p in params]
    torch.nn.utils.clip_grad_value_(params, 0.4)
    cases.append({"clip_value": 0.4, "shapes": shapes, "gradients": gradients,
                  "clipped": [p.grad.flatten().tolist() for p in params]})
    return cases


def ema_cases():
    cases = []
    for decay in [0.9, 0.3]:
        model = torch.nn.Linear(1, 1, bias=False)
        model.weight = torch.nn.Parameter(torch.randn(2, 3))
        averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
        weights, averages = [], []
        for _ in range(6):
            with torch.no_grad():
                model.weight.add_(torch.randn(2, 3))
            averaged.update_parameters(model)
            weights.append(model.weight.detach().flatten().tolist())
            averages.append(averaged.module.weight.detach().flatten().tolist())
        cases.append({"decay": decay, "shape": [2, 3], "weights": weights, "averages": averages})
    return cases


def accumulation_cases():
    """Gradients of the mean loss of several batches, and of all their samples as one batch."""
    cases = []
    for sizes in [[4, 4, 4], [5, 5, 2]]:
        inputs, targets = torch.randn(sum(sizes), 3), torch.randn(sum(sizes), 2)
        model = torch.nn.Linear(3, 2, bias=False)

        def gradient(x, y):
            model.zero_grad()
            torch.nn.functional.mse_loss(torch.tanh(model(x)), y).backward()
            return model.weight.grad.flatten().tolist()

        batches = [gradient(x, y) for x, y in zip(inputs.split(sizes), targets.split(sizes))]
        cases.append({"sizes": sizes, "shape": [2, 3], "batches": batches, "whole": gradient(inputs, targets)})
    return cases


json.dump({"made_with": f"torch {torch.__version__}", "optimizers": optimizer_cases(),
           "schedules": schedule_cases(), "clip": clip_cases(), "ema": ema_cases(),
           "accumulation": accumulation_cases()}, sys.stdout)
