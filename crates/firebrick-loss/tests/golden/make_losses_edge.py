"""Writes losses_edge.json: the corners of every loss, as PyTorch computes them.

Needs torch and torchvision (made with torch 2.15.0). `python make_losses_edge.py > losses_edge.json`.
The format is that of losses.json: numbers are f32; NaN and infinities are strings; `grads` is the
gradient of `output.sum()`.
"""

import json
import math
import sys

import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

inf, nan = math.inf, math.nan
generator = torch.Generator().manual_seed(1)
cases = []


def number(value):
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
    return value


def dump(tensor):
    tensor = tensor.detach()
    dtype = "i64" if tensor.dtype == torch.int64 else "f32"
    data = [number(value) for value in tensor.flatten().tolist()]
    return {"shape": list(tensor.shape), "dtype": dtype, "data": data}


def focal(input, target, gamma=2.0, weight=None, ignore_index=-100, reduction="mean"):
    """Focal loss of class indices: no torch function, so the paper's formula in torch."""
    input, rows = input.movedim(1, -1).reshape(-1, input.shape[1]), target.flatten()
    kept = rows != ignore_index
    safe = rows.masked_fill(~kept, 0)
    log_q = F.log_softmax(input, 1).gather(1, safe[:, None])[:, 0]
    w = torch.ones(len(rows)) if weight is None else weight[safe]
    w = w * kept
    losses = -w * (1 - log_q.exp()) ** gamma * log_q
    if reduction == "mean":
        return losses.sum() / w.sum()
    return losses.sum() if reduction == "sum" else losses.reshape(target.shape)


FUNCTIONS = {
    "l1": F.l1_loss, "mse": F.mse_loss, "smooth_l1": F.smooth_l1_loss, "huber": F.huber_loss,
    "bce": F.binary_cross_entropy, "bce_with_logits": F.binary_cross_entropy_with_logits,
    "cross_entropy": F.cross_entropy, "nll": F.nll_loss, "kl_div": F.kl_div,
    "poisson_nll": F.poisson_nll_loss, "gaussian_nll": F.gaussian_nll_loss,
    "hinge_embedding": F.hinge_embedding_loss, "cosine_embedding": F.cosine_embedding_loss,
    "margin_ranking": F.margin_ranking_loss, "multi_margin": F.multi_margin_loss,
    "multilabel_margin": F.multilabel_margin_loss,
    "multilabel_soft_margin": F.multilabel_soft_margin_loss, "soft_margin": F.soft_margin_loss,
    "triplet_margin": F.triplet_margin_loss, "ctc": F.ctc_loss,
    "sigmoid_focal": lambda input, target, **arguments: sigmoid_focal_loss(input, target, **arguments),
    "focal": focal,
}
LEARNED = {"input", "input1", "input2", "anchor", "positive", "negative", "var", "log_probs"}


def case(name, loss, reductions=("none", "mean", "sum"), args=None, **inputs):
    for reduction in reductions:
        leaves = {}
        for key, value in inputs.items():
            tensor = value if torch.is_tensor(value) else torch.tensor(value)
            leaves[key] = tensor.clone().requires_grad_(key in LEARNED)
        arguments = dict(args or {})
        tensors = {
            key: torch.tensor(value) if isinstance(value, list) or key.endswith("weight") else value
            for key, value in arguments.items()
            if value is not None
        }
        output = FUNCTIONS[loss](**leaves, **tensors, reduction=reduction)
        learned = {key: leaf for key, leaf in leaves.items() if key in LEARNED}
        if output.requires_grad:
            grads = torch.autograd.grad(output.sum(), list(learned.values()), allow_unused=True)
        else:
            grads = [None] * len(learned)
        cases.append({
            "name": f"{loss}/{name}/{reduction}",
            "loss": loss,
            "args": {**{key: number(value) for key, value in arguments.items()}, "reduction": reduction},
            "inputs": {key: dump(leaf) for key, leaf in leaves.items()},
            "output": dump(output),
            "grads": {
                key: dump(torch.zeros_like(leaf) if grad is None else grad)
                for (key, leaf), grad in zip(learned.items(), grads)
            },
        })


def label(args):
    return "".join(f" {key}={value}" for key, value in args.items())


def randn(*shape):
    return torch.randn(*shape, generator=generator)


def rand(*shape):
    return torch.rand(*shape, generator=generator)


def randint(high, *shape):
    return torch.randint(high, shape, generator=generator)


ONE = ("none",)

# Not a number, infinite, and exactly at the corners.
odd = [nan, inf, -inf, 0.0, 1.0, -1.0, 0.5, 1e30, -1e-30]
zeros = torch.zeros(9)
for loss, args in [("l1", {}), ("mse", {}), ("smooth_l1", {}), ("smooth_l1", {"beta": 0.0}),
                   ("smooth_l1", {"beta": 0.25}), ("huber", {}), ("huber", {"delta": 0.5}), ("huber", {"delta": 3.0})]:
    case(f"odd{label(args)}", loss, ONE, args, input=odd, target=zeros)
    case(f"odd target{label(args)}", loss, ONE, args, input=zeros, target=odd)
case("infinite both", "l1", ONE, input=[inf, -inf], target=[inf, inf])

# Shapes: a single number, one dimension, five dimensions.
for loss in ["l1", "mse", "smooth_l1", "huber", "bce_with_logits", "soft_margin", "kl_div", "poisson_nll",
             "hinge_embedding", "sigmoid_focal"]:
    case("scalar", loss, input=randn(()), target=torch.ones(()))
    case("1d", loss, input=randn(7), target=rand(7))
    case("5d", loss, ("mean",), input=randn(2, 1, 3, 1, 2), target=rand(2, 1, 3, 1, 2))

logits = [inf, -inf, inf, -inf, 0.0, 0.0, 0.0, 200.0, -200.0, 200.0, -200.0, nan, 17.0, -17.0, 1e-8]
targets = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0, 0.3, 0.7, 0.0]
case("odd", "bce_with_logits", ONE, input=logits, target=targets)
case("pos_weight 0", "bce_with_logits", args={"pos_weight": [0.0, 2.0]}, input=randn(3, 2), target=rand(3, 2))
case("pos_weight column", "bce_with_logits", args={"pos_weight": [[0.5], [2.0], [3.0]]}, input=randn(3, 2), target=rand(3, 2))
case("weight column", "bce_with_logits", args={"weight": [[0.5], [2.0], [0.0]]}, input=randn(3, 2), target=rand(3, 2))
case("weight scalar", "bce_with_logits", args={"weight": 0.5}, input=randn(3, 2), target=rand(3, 2))
case("targets beyond 0..1", "bce_with_logits", input=randn(5), target=randn(5))
case("corners", "bce", input=[0.0, 0.0, 1.0, 1.0, 1e-20, 1.0 - 6e-8, 0.5, 0.0, 1.0],
     target=[0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.5, 0.5, 0.5])
case("weight matrix", "bce", args={"weight": [[0.5, 0.0], [2.0, 1.0], [3.0, 4.0]]}, input=rand(3, 2), target=rand(3, 2))
case("weight scalar", "bce", args={"weight": 2.0}, input=rand(3, 2), target=rand(3, 2))
case("scalar", "bce", input=rand(()), target=rand(()))

case("overflow", "soft_margin", ONE, input=[-200.0, 200.0, inf, -inf, nan, 0.0, -88.0, -89.0], target=torch.ones(8))
case("other targets", "soft_margin", input=randn(6), target=randn(6))
case("odd", "hinge_embedding", ONE, input=[1.0, nan, inf, nan, 0.5, 0.5, -inf, 2.0, 1.0, 0.25],
     target=[-1.0, -1.0, -1.0, 1.0, 0.0, 2.0, -1.0, 0.0, 0.0, -1.0])
case("margin", "hinge_embedding", args={"margin": -0.5}, input=randn(8), target=torch.tensor([1.0, -1.0] * 4))
case("margin 2", "hinge_embedding", args={"margin": 2.0}, input=randn(8), target=torch.tensor([1.0, -1.0] * 4))
for margin in [0.0, 1.0, -0.5]:
    case(f"odd margin{margin}", "margin_ranking", ONE, {"margin": margin}, input1=[1.0, 1.0, nan, inf, inf, 0.0, 2.0],
         input2=[1.0, 1.0, 1.0, 0.0, inf, 1.0, 3.0], target=[1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0])
    case(f"3d margin{margin}", "margin_ranking", ("mean",), {"margin": margin}, input1=randn(2, 3, 2), input2=randn(2, 3, 2),
         target=torch.sign(randn(2, 3, 2)))
    case(f"1 pair margin{margin}", "cosine_embedding", args={"margin": margin}, input1=randn(5), input2=randn(5), target=torch.tensor(-1.0))
    case(f"odd margin{margin}", "cosine_embedding", ONE, {"margin": margin},
         input1=[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, inf], [0.0, 0.0], [3.0, 4.0]],
         input2=[[1.0, 1.0], [0.0, 1.0], [1.0, 2.0], [1.0, 1.0], [0.0, 0.0], [3.0, 4.0]],
         target=[1.0, -1.0, 0.0, 1.0, -1.0, -1.0])

case("odd", "kl_div", ONE, input=[-inf, 1.0, -inf, 1.0, nan, 0.0, -1.0], target=[0.0, 0.0, 0.5, -0.5, 1.0, nan, 2.0])
case("odd log", "kl_div", ONE, {"log_target": True}, input=[-inf, 1.0, 0.5, nan, -1.0], target=[-inf, -inf, 0.5, 1.0, 2.0])
case("batch", "kl_div", ("batchmean",), input=randn(3, 4, 2), target=rand(3, 4, 2))
case("batch 1d", "kl_div", ("batchmean",), input=randn(3), target=rand(3))
case("batch log", "kl_div", ("batchmean",), {"log_target": True}, input=randn(3, 4), target=randn(3, 4))
for log_input in [True, False]:
    for full in [True, False]:
        case(f"odd log{log_input} full{full}", "poisson_nll", ONE, {"log_input": log_input, "full": full},
             input=[-1.0, inf, 0.0, 1.0, nan, 2.0, 100.0, 5.0], target=[0.0, 0.0, 0.5, -0.5, 1.0, 3.0, 2.0, 1.0])
        case(f"plain log{log_input} full{full}", "poisson_nll", args={"log_input": log_input, "full": full, "eps": 0.01},
             input=rand(3, 4), target=rand(3, 4) * 5)

case("odd", "gaussian_nll", ONE, input=[0.0, 1.0, 2.0, inf, nan, 3.0], target=[0.0, 0.0, 0.5, 0.0, 0.0, 1.0],
     var=[0.0, 1e-9, inf, 1.0, 1.0, 1e-6])
for full in [True, False]:
    case(f"var row full{full}", "gaussian_nll", args={"full": full, "eps": 0.1}, input=randn(3, 4), target=randn(3, 4), var=rand(3))
    case(f"var column full{full}", "gaussian_nll", args={"full": full}, input=randn(3, 4), target=randn(3, 4), var=rand(3, 1))
    case(f"var inner full{full}", "gaussian_nll", args={"full": full}, input=randn(2, 3, 4), target=randn(2, 3, 4), var=rand(2, 1, 4))
case("scalar", "gaussian_nll", input=randn(()), target=randn(()), var=rand(()))
case("1d, one variance", "gaussian_nll", input=randn(4), target=randn(4), var=rand(()))
case("1d, [1]", "gaussian_nll", input=randn(4), target=randn(4), var=rand(1))

for weight in [None, [1.0, 0.0, 2.5]]:
    args = {"weight": weight}
    case(f"odd weight={weight}", "cross_entropy", ONE, args, target=[0, 0, 0, 0, 0, 1],
         input=[[0.0, -inf, 3.0], [-inf, 0.0, 1.0], [0.0, nan, 1.0], [inf, 0.0, 0.0], [-inf] * 3, [1e30, -1e30, 0.0]])
    case(f"odd smoothed weight={weight}", "cross_entropy", ONE, {**args, "label_smoothing": 0.2}, target=[0, 0, 0, 1],
         input=[[0.0, -inf, 3.0], [0.0, nan, 1.0], [inf, 0.0, 0.0], [1e30, -1e30, 0.0]])
    case(f"one sample weight={weight}", "cross_entropy", args=args, input=randn(3), target=torch.tensor(1))
    case(f"one sample ignored weight={weight}", "cross_entropy", args=args, input=randn(3), target=torch.tensor(-100))
    case(f"one sample, probabilities weight={weight}", "cross_entropy", args={**args, "label_smoothing": 0.3}, input=randn(3), target=rand(3))
    case(f"ignore -1 weight={weight}", "cross_entropy", args={**args, "ignore_index": -1, "label_smoothing": 0.4}, input=randn(4, 3), target=[0, -1, 2, -1])
    case(f"ignore 2 weight={weight}", "cross_entropy", args={**args, "ignore_index": 2}, input=randn(4, 3), target=[0, 2, 2, 1])
    case(f"ignore 70 weight={weight}", "cross_entropy", args={**args, "ignore_index": 70}, input=randn(2, 3, 2), target=[[0, 70], [70, 1]])
    case(f"all ignored smoothed weight={weight}", "cross_entropy", args={**args, "label_smoothing": 0.4}, input=randn(2, 3), target=[-100, -100])
    case(f"smoothing 1 weight={weight}", "cross_entropy", args={**args, "label_smoothing": 1.0}, input=randn(2, 3), target=[2, 0])
    case(f"5d weight={weight}", "cross_entropy", ("none", "mean"), args={**args, "label_smoothing": 0.1}, input=randn(2, 3, 2, 1, 2), target=randint(3, 2, 2, 1, 2))
    case(f"5d probabilities weight={weight}", "cross_entropy", ("none", "mean"), args=args, input=randn(2, 3, 2, 1, 2), target=rand(2, 3, 2, 1, 2))
    case(f"odd weight={weight}", "nll", ONE, args, input=[[-inf, 1.0, 3.0], [1.0, -inf, 1.0], [nan, 1.0, 2.0], [0.0, nan, inf]], target=[0, 1, 0, 2])
    case(f"one sample weight={weight}", "nll", args=args, input=randn(3), target=torch.tensor(2))
    case(f"all ignored weight={weight}", "nll", args={**args, "ignore_index": 1}, input=randn(2, 3), target=[1, 1])
    case(f"5d weight={weight}", "nll", ("none", "mean"), args=args, input=randn(2, 3, 2, 1, 2), target=randint(3, 2, 2, 1, 2))
    case(f"plain weight={weight}", "focal", args=args, input=randn(5, 3), target=randint(3, 5))
    case(f"gamma 0.5 weight={weight}", "focal", args={**args, "gamma": 0.5}, input=randn(5, 3), target=[0, -100, 1, 2, -100])
    case(f"gamma 0 weight={weight}", "focal", args={**args, "gamma": 0.0}, input=randn(5, 3), target=randint(3, 5))
    case(f"4d weight={weight}", "focal", args={**args, "gamma": 3.0}, input=randn(2, 3, 2, 2), target=randint(3, 2, 2, 2))
case("only weight 0", "cross_entropy", args={"weight": [1.0, 0.0, 1.0]}, input=randn(2, 3), target=[1, 1])
case("one class", "cross_entropy", input=randn(4, 1), target=[0, 0, 0, 0])
case("many classes", "cross_entropy", ("mean",), input=randn(3, 300) * 10, target=randint(300, 3))

for p in [1, 2]:
    for margin in [1.0, 0.0, -0.5]:
        for weight in [None, [0.5, 0.0, 3.0]]:
            args = {"p": p, "margin": margin, "weight": weight}
            case(f"plain p={p} margin={margin} weight={weight}", "multi_margin", args=args, input=randn(4, 3), target=[0, 1, 2, 2])
    case(f"odd p={p}", "multi_margin", ONE, {"p": p}, input=[[0.0, -1.0, 3.0], [nan, 0.0, 1.0], [0.0, nan, 1.0], [0.0, inf, -inf], [-inf, 1.0, 1.0]],
         target=[0, 0, 0, 0, 0])
    case(f"one sample p={p}", "multi_margin", args={"p": p}, input=randn(3), target=torch.tensor(1))
case("odd", "multilabel_margin", ONE, input=[[0.0, -1.0, 1.0], [nan, 0.0, 1.0], [0.0, nan, 1.0], [0.0, 1.0, 2.0], [3.0, 2.0, 1.0], [0.0, 0.0, inf]],
     target=[[0, -1, 1], [1, 1, -1], [-1, 0, 1], [2, 0, 1], [2, 2, 0], [0, -1, -1]])
case("one sample", "multilabel_margin", input=randn(4), target=torch.tensor([2, 0, -1, 0]))
case("plain", "multilabel_margin", input=randn(5, 4), target=[[3, 0, -1, 1], [0, 1, 2, 3], [-1, -1, -1, -1], [1, -1, 1, 0], [2, 3, -1, 2]])
case("odd", "multilabel_soft_margin", ONE, input=[[-200.0, 200.0], [inf, 0.0], [0.0, -inf], [nan, 0.0], [0.0, 0.0]], target=[[1.0, 0.0]] * 5)
case("one sample", "multilabel_soft_margin", input=randn(4), target=rand(4))
case("weight column", "multilabel_soft_margin", args={"weight": [[0.5], [0.0], [2.0]]}, input=randn(3, 4), target=rand(3, 4))

for swap in [False, True]:
    for p in [2.0, 1.0, 0.5, 3.0, 1.5, 0.0]:
        args = {"p": p, "swap": swap}
        case(f"plain p{p} swap{swap}", "triplet_margin", args=args, anchor=randn(4, 3), positive=randn(4, 3), negative=randn(4, 3))
        case(f"equal p{p} swap{swap}", "triplet_margin", ONE, {**args, "eps": 0.0, "margin": 2.0}, anchor=[[0.0, 0.0], [1.0, 2.0]],
             positive=[[0.0, 0.0], [1.0, 2.0]], negative=[[0.0, 0.0], [2.0, 1.0]])
    case(f"eps 0.1 swap{swap}", "triplet_margin", args={"eps": 0.1, "margin": 0.3, "swap": swap}, anchor=randn(4, 3), positive=randn(4, 3), negative=randn(4, 3))
    case(f"one sample swap{swap}", "triplet_margin", args={"swap": swap}, anchor=randn(3), positive=randn(3), negative=randn(3))
case("odd", "triplet_margin", ONE, anchor=[[nan, 0.0], [inf, 0.0], [0.0, 0.0]], positive=[[0.0, 0.0]] * 3, negative=[[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])

for alpha in [0.25, 0.9, -1.0, 0.0]:
    for gamma in [2.0, 0.0, 0.5, 5.0]:
        case(f"alpha{alpha} gamma{gamma}", "sigmoid_focal", args={"alpha": alpha, "gamma": gamma}, input=randn(3, 2) * 2, target=(rand(3, 2) > 0.5).float())
case("soft targets", "sigmoid_focal", input=randn(6) * 2, target=rand(6))
case("far", "sigmoid_focal", ONE, input=[30.0, -30.0, 0.0, 10.0], target=[0.0, 1.0, 1.0, 1.0])


def log_probs(*shape):
    return (randn(*shape) * 2).log_softmax(-1)


for blank in [0, 2]:
    for zero_infinity in [False, True]:
        args = {"blank": blank, "zero_infinity": zero_infinity}
        labels = [label for label in range(4) if label != blank]
        pick = lambda *shape: torch.tensor(labels)[randint(3, *shape)]
        case(f"lengths{label(args)}", "ctc", args=args, log_probs=log_probs(9, 4, 4), targets=pick(4, 4), input_lengths=[9, 7, 4, 9], target_lengths=[4, 2, 1, 0])
        case(f"repeats{label(args)}", "ctc", args=args, log_probs=log_probs(8, 2, 4), targets=torch.tensor([[labels[0]] * 3, [labels[1], labels[1], labels[2]]]),
             input_lengths=[8, 6], target_lengths=[3, 3])
        case(f"does not fit{label(args)}", "ctc", args=args, log_probs=log_probs(5, 3, 4), targets=torch.tensor([[labels[0]] * 3, [labels[1]] * 3, [labels[2], labels[0], labels[1]]]),
             input_lengths=[5, 4, 2], target_lengths=[3, 3, 3])
        case(f"concatenated{label(args)}", "ctc", args=args, log_probs=log_probs(6, 3, 4), targets=pick(6), input_lengths=[6, 5, 6], target_lengths=[3, 1, 2])
        case(f"one sample{label(args)}", "ctc", ("mean", "sum"), args=args, log_probs=log_probs(6, 4), targets=pick(3), input_lengths=torch.tensor(6), target_lengths=torch.tensor(3))
impossible = log_probs(4, 1, 3)
impossible[1, 0, 1] = -inf
case("impossible class", "ctc", log_probs=impossible, targets=[[1]], input_lengths=[4], target_lengths=[1])
case("no input", "ctc", log_probs=log_probs(3, 2, 3), targets=[[1], [1]], input_lengths=[0, 3], target_lengths=[1, 1])
case("no input, no target", "ctc", log_probs=log_probs(3, 2, 3), targets=[[1], [1]], input_lengths=[0, 3], target_lengths=[0, 1])
case("long", "ctc", ("mean",), log_probs=log_probs(40, 2, 8), targets=1 + randint(7, 2, 12), input_lengths=[40, 33], target_lengths=[12, 9])
case("label is the blank", "ctc", log_probs=log_probs(6, 1, 4), targets=[[1, 0, 2]], input_lengths=[6], target_lengths=[3])

json.dump({"made_with": f"torch {torch.__version__}", "seed": 1, "cases": cases}, sys.stdout)
