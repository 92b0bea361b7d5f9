"""Write expected.json from the runs that make.sh has made."""
import json, pathlib

RUNS = pathlib.Path("runs")
NAMES = ["lenet", "sequential", "image_folder"]


def read(name):
    return json.loads((RUNS / name).read_text())


def evaluation(name):
    found = read(name)
    return {key: found[key] for key in ["step", "loss", "accuracy", "images", "correct", "confusion"]}


def timeless(name):
    summary = read(f"{name}/summary.json")
    return {key: value for key, value in summary.items() if key not in ("seconds", "images_per_second")}


expected = {}
for name in NAMES:
    whole, uncut = timeless(f"{name}.whole"), timeless(f"{name}.uncut")
    for key in ["weights_sha256", "ema_sha256", "final", "ema"]:
        assert whole.get(key) == uncut.get(key), (name, key, whole, uncut)
    expected[name] = {
        "stopped": timeless(name),
        "evaluate": evaluation(f"{name}.evaluate.json"),
        "predict": read(f"{name}.predict.json"),
        "resumed": whole,
        "evaluate_resumed": evaluation(f"{name}.whole.evaluate.json"),
    }
expected["sequential"]["evaluate_ema"] = evaluation("sequential.evaluate_ema.json")
# A line for each thing.
runs = [f'"{name}": {{\n' + ",\n".join(f' "{key}": {json.dumps(value)}' for key, value in found.items()) + "\n}"
        for name, found in expected.items()]
pathlib.Path("expected.json").write_text("{\n" + ",\n".join(runs) + "\n}\n")
