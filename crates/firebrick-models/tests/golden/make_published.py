"""What torchvision publishes for the networks of the zoo, as `published.json` beside this file.

    python3 make_published.py           # writes it
    python3 make_published.py --check   # says whether the installed torchvision still says the same

A test of the crate compares the file with the table that the networks hold.
"""

import json
import pathlib
import sys

from torchvision.models import get_model_weights
from torchvision.models._meta import _IMAGENET_CATEGORIES

HERE = pathlib.Path(__file__).parent
OUT = HERE / "published.json"
CLASSES = HERE / "../../src/published/imagenet_classes.txt"
NETWORKS = """resnet18 resnet34 resnet50 resnet101 resnext50_32x4d wide_resnet50_2 vgg11 vgg11_bn vgg13 vgg13_bn vgg16
vgg16_bn vgg19 vgg19_bn alexnet squeezenet1_1 densenet121 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large
shufflenet_v2_x1_0 regnet_y_400mf efficientnet_b0 convnext_tiny convnext_small""".split()


def described(weights):
    recipe = weights.transforms()
    (shorter,), (crop,) = recipe.resize_size, recipe.crop_size
    assert recipe.antialias, weights
    return {
        "name": weights.name.lower(),
        "url": weights.url,
        "mebibytes": weights.meta["_file_size"],
        "top1": weights.meta["_metrics"]["ImageNet-1K"]["acc@1"],
        "shorter": shorter,
        "crop": crop,
        "interpolation": recipe.interpolation.value,
        "mean": recipe.mean,
        "std": recipe.std,
    }


def published(network):
    """The weights with a classifier, the default last."""
    enum = get_model_weights(network)
    whole = [weights for weights in enum if weights.meta["categories"] is not None]
    assert all(weights.meta["categories"] == _IMAGENET_CATEGORIES for weights in whole), network
    return [described(weights) for weights in sorted(whole, key=lambda weights: weights == enum.DEFAULT)]


def main():
    found = json.dumps({network: published(network) for network in NETWORKS}, indent=1) + "\n"
    classes = "\n".join(_IMAGENET_CATEGORIES) + "\n"
    if "--check" in sys.argv[1:]:
        same = OUT.read_text() == found and CLASSES.read_text() == classes
        print("the same" if same else "not the same; write the file anew, and change the networks' tables")
        sys.exit(0 if same else 1)
    OUT.write_text(found)
    CLASSES.parent.mkdir(exist_ok=True)
    CLASSES.write_text(classes)


main()
