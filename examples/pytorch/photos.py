"""The twin of `train FOLDER` in PyTorch: the recipe for a few photos and published weights, and the one without weights.

    python photos.py ants-bees --weights efficientnet-lite0.pth --seeds 5
    python photos.py ants-bees --from-scratch

FOLDER holds `train` and `val`. Needs torch, torchvision and, for `--weights`, efficientnet-lite-pytorch. Prints, for each
seed, accuracy after the last epoch and the best of all epochs, seconds from start to end, and training images a second.
"""
import argparse
import time
from pathlib import Path

import torch
from torch import nn
from torchvision import models, transforms
from torchvision.datasets import ImageFolder

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pretrained(weights, num_classes):
    """EfficientNet-Lite0 with a new last layer; everything else is frozen, its running statistics, too."""
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    model.requires_grad_(False)
    model._fc = nn.Linear(model._fc.in_features, num_classes)

    def train(model):
        model.eval()
        model._dropout.train()

    return model, train, list(model._fc.parameters())


def small_resnet(num_classes, width):
    """ResNet-18 with `width` channels in its first stage in place of 64."""
    model = models.ResNet.__new__(models.ResNet)
    nn.Module.__init__(model)
    model._norm_layer, model.inplanes, model.dilation = nn.BatchNorm2d, width, 1
    model.groups, model.base_width = 1, 64
    model.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
    model.bn1, model.relu = nn.BatchNorm2d(width), nn.ReLU()
    model.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
    block = models.resnet.BasicBlock
    for stage in range(4):
        layer = model._make_layer(block, width << stage, 2, stride=1 if stage == 0 else 2)
        setattr(model, f"layer{stage + 1}", layer)
    model.avgpool, model.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(width << 3, num_classes)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model, lambda model: model.train(), list(model.parameters())


def mixed(images, labels, num_classes, alpha):
    """Every image with the one before it, in one share for the batch."""
    targets = nn.functional.one_hot(labels, num_classes).float()
    if alpha == 0:
        return images, targets
    share = torch.distributions.Beta(alpha, alpha).sample()
    return share * images + (1 - share) * images.roll(1, 0), share * targets + (1 - share) * targets.roll(1, 0)


@torch.inference_mode()
def accuracy(model, loader):
    model.eval()
    correct = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return correct / len(loader.dataset)


def run(arguments, seed):
    torch.manual_seed(seed)
    begun = time.perf_counter()
    side = arguments.side
    numbers = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    steps = [transforms.RandomResizedCrop(side, scale=(arguments.scale, 1)), transforms.RandomHorizontalFlip()]
    if arguments.jitter:
        steps.append(transforms.ColorJitter(arguments.jitter, arguments.jitter, arguments.jitter))
    folder = Path(arguments.folder)
    train = ImageFolder(folder / "train", transforms.Compose(steps + numbers))
    val = ImageFolder(
        folder / "val", transforms.Compose([transforms.Resize(arguments.shorter), transforms.CenterCrop(side), *numbers])
    )
    num_classes = len(train.classes)
    options = {"batch_size": arguments.batch_size, "num_workers": 2, "persistent_workers": True}
    train_loader = torch.utils.data.DataLoader(train, shuffle=True, **options)
    val_loader = torch.utils.data.DataLoader(val, **options)
    if arguments.weights:
        model, begin_training, parameters = pretrained(arguments.weights, num_classes)
    else:
        model, begin_training, parameters = small_resnet(num_classes, arguments.width)
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(parameters, lr=arguments.lr, weight_decay=arguments.weight_decay)
    num_steps = arguments.epochs * len(train_loader)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    criterion = nn.CrossEntropyLoss(label_smoothing=arguments.label_smoothing)
    accuracies, seconds = [], 0.0
    for _ in range(arguments.epochs):
        begin_training(model)
        epoch_begun = time.perf_counter()
        for images, labels in train_loader:
            images, targets = mixed(images, labels, num_classes, arguments.mixup)
            loss = criterion(model(images.contiguous(memory_format=torch.channels_last)), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        seconds += time.perf_counter() - epoch_begun
        accuracies.append(accuracy(model, val_loader))
    images_per_second = arguments.epochs * len(train) / seconds
    elapsed = time.perf_counter() - begun
    print(
        f"seed {seed}: accuracy {accuracies[-1]:.2%}, best {max(accuracies):.2%}, {elapsed:.0f} s, "
        f"{images_per_second:.0f} images/s",
        flush=True,
    )
    return accuracies[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--weights", help="efficientnet-lite0.pth")
    start.add_argument("--from-scratch", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    recipe = FINE_TUNE if arguments.weights else SCRATCH
    for key, value in recipe.items():
        if getattr(arguments, key, None) is None:
            setattr(arguments, key, value)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    found = sorted(run(arguments, seed) for seed in range(arguments.seeds))
    print(f"median {found[len(found) // 2]:.2%}, lowest {found[0]:.2%}, {len(found)} seeds")


FINE_TUNE = {
    "side": 256,
    "shorter": 256,
    "scale": 0.25,
    "jitter": 0,
    "mixup": 0,
    "label_smoothing": 0.0,
    "batch_size": 16,
    "lr": 2e-3,
    "weight_decay": 0.01,
    "epochs": 15,
}
SCRATCH = {
    "side": 128,
    "shorter": 147,
    "width": 32,
    "scale": 0.2,
    "jitter": 0.4,
    "mixup": 0.4,
    "label_smoothing": 0.0,
    "batch_size": 32,
    "lr": 2e-3,
    "weight_decay": 0.05,
    "epochs": 250,
}

if __name__ == "__main__":
    main()
