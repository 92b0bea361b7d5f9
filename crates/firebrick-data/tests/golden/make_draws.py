"""Writes draws.txt: how torchvision's random transforms draw their parameters.

    python3 make_draws.py > draws.txt        (needs torchvision; made with 0.29.2)

One parameter a line: name, then `value:part` for each of some values, where `part` of 100,000 draws are at most
`value`.
"""

import torch
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import autoaugment, v2

torch.manual_seed(1)
NUM = 100_000


def show(name, draws):
    draws = torch.tensor(draws, dtype=torch.float64)
    points = sorted({round(draws.quantile(q / 16).item(), 4) for q in range(17)})
    print(name, *(f"{point}:{(draws <= point).double().mean().item():.5f}" for point in points))


def show_all(name, names, rows):
    for column, label in zip(zip(*rows), names):
        show(f"{name}.{label}", column)


image = torch.zeros(3, 40, 60, dtype=torch.uint8)
places = ["top", "left", "height", "width"]
crops = [T.RandomResizedCrop.get_params(image, (0.08, 1.0), (3 / 4, 4 / 3)) for _ in range(NUM)]
show_all("random_resized_crop", places, crops)
crops = [T.RandomResizedCrop.get_params(image, (0.5, 0.9), (0.2, 6.0)) for _ in range(NUM)]
show_all("random_resized_crop_wide", places, crops)
erased = [T.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4] for _ in range(NUM)]
show_all("random_erasing", places, erased)

jitter = [T.ColorJitter.get_params([0.6, 1.4], [0.5, 1.5], [0.9, 1.1], [-0.1, 0.1]) for _ in range(NUM)]
show("color_jitter.first", [int(draw[0][0]) for draw in jitter])
show("color_jitter.last", [int(draw[0][3]) for draw in jitter])
show_all("color_jitter", ["order", "brightness", "contrast", "saturation", "hue"], [(0, *draw[1:]) for draw in jitter])

affine = [T.RandomAffine.get_params([-10, 30], (0.1, 0.3), (0.8, 1.5), [-5, 5, 2, 8], [60, 40]) for _ in range(NUM)]
show_all(
    "random_affine",
    ["angle", "x", "y", "scale", "shear_x", "shear_y"],
    [(angle, *translate, scale, *shear) for angle, translate, scale, shear in affine],
)
ends = [T.RandomPerspective.get_params(60, 40, 0.5)[1] for _ in range(NUM)]
names = [f"{corner}_{axis}" for corner in ["upper_left", "upper_right", "lower_right", "lower_left"] for axis in "xy"]
show_all("random_perspective", names, [[place for end in row for place in end] for row in ends])
show("random_rotation.angle", [T.RandomRotation.get_params([-15, 15]) for _ in range(NUM)])
show("gaussian_blur.sigma", [T.GaussianBlur.get_params(0.1, 2.0) for _ in range(NUM)])

# The automatic ones: which operation, in the order of their table, and its magnitude.
OPS = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast"]
OPS += ["Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize", "Invert"]
calls = []


def note(img, op_name, magnitude, interpolation, fill):
    calls.append((OPS.index(op_name), magnitude))
    return img


autoaugment._apply_op = note
pil = Image.new("RGB", (60, 40))
for name, transform, num in [
    ("trivial_augment", T.TrivialAugmentWide(), NUM),
    ("rand_augment", T.RandAugment(), NUM // 2),
    ("auto_augment_cifar10", T.AutoAugment(T.AutoAugmentPolicy.CIFAR10), NUM // 2),
    ("auto_augment_imagenet", T.AutoAugment(T.AutoAugmentPolicy.IMAGENET), NUM // 2),
    ("auto_augment_svhn", T.AutoAugment(T.AutoAugmentPolicy.SVHN), NUM // 2),
    ("aug_mix", T.AugMix(), NUM // 20),
]:
    calls.clear()
    for _ in range(num):
        transform(pil)
    show(f"{name}.count", [len(calls) / num])
    show(f"{name}.operation", [operation for operation, _ in calls])
    show(f"{name}.magnitude", [magnitude for _, magnitude in calls])
    for operation in ["TranslateX", "Posterize", "Solarize", "ShearY"]:
        chosen = [magnitude for index, magnitude in calls if OPS[index] == operation]
        if chosen:
            show(f"{name}.{operation}", chosen)

mix = T.AugMix(alpha=0.7)
show("aug_mix.share", [mix._sample_dirichlet(torch.tensor([[0.7, 0.7, 0.7]]))[0, 0].item() for _ in range(NUM)])

batch = torch.zeros(4, 3, 40, 60)
for alpha in [1.0, 0.3]:
    cutmix = v2.CutMix(alpha=alpha, num_classes=2)
    params = [cutmix.make_params([batch]) for _ in range(NUM)]
    rows = [(*draw["box"], draw["lam_adjusted"]) for draw in params]
    show_all(f"cutmix_{alpha}", ["left", "top", "right", "bottom", "share"], rows)
