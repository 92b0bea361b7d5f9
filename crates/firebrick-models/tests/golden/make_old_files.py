"""Files as PyTorch wrote them before 1.6: a stream of pickles with the numbers behind them, no zip archive.

    python3 make_old_files.py

`lenet_legacy.pth` is what today's PyTorch writes with `_use_new_zipfile_serialization=False`. `lenet_2017.pth` is as that of
2017 wrote torchvision's first files: parameters on a GPU, each rebuilt by `_rebuild_parameter` around `_rebuild_tensor`.
Both hold the weights of `lenet.safetensors` as f16. `harmful_legacy.pth` calls a function when it is executed.
"""

import io
import os
import pathlib
import pickle
import struct
import sys
from collections import OrderedDict

import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


class Storage:
    def __init__(self, tensor, key):
        self.values, self.key = tensor.contiguous().flatten(), key


class Tensor:
    def __init__(self, tensor, key):
        self.storage, self.size, self.stride = Storage(tensor, key), tuple(tensor.shape), tensor.stride()

    def __reduce__(self):
        return torch._utils._rebuild_tensor, (self.storage, 0, self.size, self.stride)


class Parameter:
    def __init__(self, tensor, key):
        self.tensor = Tensor(tensor, key)

    def __reduce__(self):
        return torch._utils._rebuild_parameter, (self.tensor, True, OrderedDict())


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmful-legacy-was-executed",)


def write(path, root):
    storages = {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Storage):
                return None
            storages[value.key] = value.values
            return "storage", torch.HalfStorage, value.key, "cuda:0", value.values.numel(), None

    out = io.BytesIO()
    for part in (MAGIC, PROTOCOL, SYSTEM):
        pickle.dump(part, out, protocol=2)
    Pickler(out, protocol=2).dump(root)
    pickle.dump(sorted(storages), out, protocol=2)
    for key in sorted(storages):
        values = storages[key]
        out.write(struct.pack("<q", values.numel()) + values.numpy().tobytes())
    path.write_bytes(out.getvalue())


def main():
    weights = {name: tensor.half() for name, tensor in load_file(HERE / "lenet.safetensors").items()}
    legacy = OrderedDict(weights)
    torch.save(legacy, HERE / "lenet_legacy.pth", _use_new_zipfile_serialization=False)
    old = OrderedDict((name, Parameter(tensor, str(94_000_000 + at))) for at, (name, tensor) in enumerate(weights.items()))
    write(HERE / "lenet_2017.pth", old)
    write(HERE / "harmful_legacy.pth", OrderedDict([("conv1.weight", Harmful())]))
    for name in ("lenet_legacy.pth", "lenet_2017.pth"):
        found = torch.load(HERE / name, map_location="cpu", weights_only=True)
        assert all(torch.equal(found[key], weights[key]) for key in weights), name


sys.exit(main())
