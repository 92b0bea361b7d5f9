"""Record a PyTorch training run, so that `firebrick verify --against TRACE.json` can follow it.

Copy `Recorder` into your own script and call it after each `optimizer.step()`:

    torch.save(model.state_dict(), "start.pt")           # model.weights in Firebrick's config
    recorder = Recorder(model)
    for images, labels in DataLoader(dataset, batch_size=64, shuffle=False):
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recorder.step(loss)
    recorder.save("trace.json")

Then, with `data.shuffle = false`, the same batch size and the same optimiser in the config:

    firebrick verify --against trace.json --config config.toml --set model.weights=start.pt

With `trainer.accumulate_grad_batches = k` a step of Firebrick is that of one batch which holds its k batches. Record that
one batch: put the outputs of the k batches one behind the other before the criterion sees them,

    outputs = torch.cat([model(images) for images, _ in batches])
    loss = criterion(outputs, torch.cat([labels for _, labels in batches]))

(Batch normalisation sees each batch by itself, in Firebrick as here.) The usual `(loss / k).backward()` for each batch is
the same only where all batches are equally large and the criterion is a mean without weights and without ignored
classes.
"""
import json

import torch


class Recorder:
    """The loss of each step, and the L2 norm of each tensor of the state dict after it."""

    def __init__(self, model):
        self.model, self.steps = model, []

    def step(self, loss):
        tensors = self.model.state_dict().items()
        norms = {name: t.double().norm().item() for name, t in tensors if t.is_floating_point()}
        self.steps.append({"step": len(self.steps) + 1, "loss": loss.item(), "weights": norms})

    def save(self, path):
        document = {"format": "firebrick-trace-1", "made_with": f"torch {torch.__version__}", "steps": self.steps}
        with open(path, "w") as file:
            json.dump(document, file, indent=1, allow_nan=False)
