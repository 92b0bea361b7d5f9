"""Writes functional.txt: what torchvision's transforms.functional makes of PIL images.

    python3 make_functional.py > functional.txt        (needs torchvision; made with 0.29.2, Pillow 13.0)

One line each, fields separated by blanks; pixels are channel by channel, row by row, in hex:
    image  name channels height width pixels
    case   function image arguments... height width result
"""

import math
import random

import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, functional as F
from torchvision.transforms.autoaugment import _apply_op

random.seed(1)
IMAGES = {}


def add(name, planes):
    planes = torch.tensor(planes, dtype=torch.uint8)
    IMAGES[name] = F.to_pil_image(planes)
    print("image", name, *planes.shape, planes.numpy().tobytes().hex())


def smooth(channels, height, width):
    def value(channel, y, x):
        wave = math.sin(x * 0.35 + channel * 2) + math.cos(y * (0.2 + 0.1 * channel)) + math.sin((x + y) * 0.15)
        return max(0, min(255, int(128 + 45 * wave + random.randrange(-6, 7))))

    return [[[value(c, y, x) for x in range(width)] for y in range(height)] for c in range(channels)]


def noise(channels, height, width):
    pick = lambda: random.choice([0, 255, random.randrange(256)])
    return [[[pick() for _ in range(width)] for _ in range(height)] for _ in range(channels)]


add("smooth", smooth(3, 18, 23))
add("noise", noise(3, 11, 13))
add("grey", smooth(1, 16, 12))
add("square", noise(3, 9, 9))
add("dark", [[[40 + (x * y) % 50 for x in range(20)] for y in range(20)]] * 3)
add("flat", [[[90] * 6 for _ in range(5)]] * 3)
add("tiny", noise(3, 2, 2))
ALL = list(IMAGES)
SOME = ["smooth", "noise", "grey"]


def case(function, name, arguments, result):
    if isinstance(result, Image.Image):
        result = F.pil_to_tensor(result)
    text = [str(argument).lower() if isinstance(argument, bool) else str(argument) for argument in arguments]
    print("case", function, name, *text, *result.shape[-2:], result.numpy().tobytes().hex())


MODES = {
    "nearest": InterpolationMode.NEAREST,
    "bilinear": InterpolationMode.BILINEAR,
    "bicubic": InterpolationMode.BICUBIC,
}

for mode in MODES:
    for name, window, size in [
        ("smooth", (2, 3, 12, 15), (8, 8)),
        ("smooth", (0, 0, 18, 23), (7, 21)),
        ("noise", (1, 0, 5, 13), (9, 11)),
        ("noise", (0, 5, 11, 1), (11, 6)),
        ("grey", (3, 2, 10, 9), (10, 14)),
        ("grey", (0, 0, 16, 2), (4, 2)),
    ]:
        result = F.resized_crop(IMAGES[name], *window, list(size), MODES[mode])
        case("resized_crop", name, [*window, mode], result)

for name in ALL:
    image = IMAGES[name]
    case("hflip", name, [], F.hflip(image))
    case("vflip", name, [], F.vflip(image))
    case("invert", name, [], F.invert(image))
    case("equalize", name, [], F.equalize(image))
    case("autocontrast", name, [], F.autocontrast(image))
for name in SOME:
    image = IMAGES[name]
    case("rgb_to_grayscale", name, [], F.rgb_to_grayscale(image, len(image.getbands())))
    for bits in [1, 4, 7]:
        case("posterize", name, [bits], F.posterize(image, bits))
    for threshold in [0.0, 100.0, 99.5, 255.0]:
        case("solarize", name, [threshold], F.solarize(image, threshold))
    for factor in [0.0, 0.37, 1.0, 1.9]:
        case("adjust_brightness", name, [factor], F.adjust_brightness(image, factor))
        case("adjust_contrast", name, [factor], F.adjust_contrast(image, factor))
        case("adjust_saturation", name, [factor], F.adjust_saturation(image, factor))
        case("adjust_sharpness", name, [factor], F.adjust_sharpness(image, factor))
    for factor in [-0.5, -0.13, 0.0, 0.05, 0.5]:
        case("adjust_hue", name, [factor], F.adjust_hue(image, factor))
case("adjust_sharpness", "tiny", [0.0], F.adjust_sharpness(IMAGES["tiny"], 0.0))

for name, window, colour in [
    ("smooth", (3, 4, 8, 9), (10, 20, 30)),
    ("noise", (0, 0, 11, 12), (0, 0, 0)),
    ("grey", (15, 11, 1, 1), (77,)),
]:
    planes = F.pil_to_tensor(IMAGES[name])
    value = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    case("erase", name, [*window, ",".join(map(str, colour))], F.erase(planes, *window, value))

for name, padding, fill, mode in [
    ("smooth", [2, 1, 4, 3], (9, 8, 7), "constant"),
    ("noise", [1, 2, 3, 0], (0, 0, 0), "edge"),
    ("noise", [2, 2, 5, 4], (0, 0, 0), "reflect"),
    ("grey", [3, 1, 2, 6], (0,), "symmetric"),
    ("grey", [3, 1, 2, 6], (200,), "constant"),
]:
    result = F.pad(IMAGES[name], padding, fill if len(fill) > 1 else fill[0], mode)
    case("pad", name, [*padding, ",".join(map(str, fill)), mode], result)

for name in SOME:
    for top, left, height, width in [(2, 3, 7, 6), (-2, 4, 9, 20), (30, 1, 4, 4)]:
        case("crop", name, [top, left, height, width], F.crop(IMAGES[name], top, left, height, width))


def colour(name, values):
    return values if len(IMAGES[name].getbands()) > 1 else values[:1]


for mode in MODES:
    for name, angle, expand, center, fill in [
        ("smooth", 30.0, False, None, (0, 0, 0)),
        ("smooth", -101.5, True, None, (5, 6, 7)),
        ("noise", 10.0, False, (2.0, 3.0), (255, 0, 1)),
        ("grey", 45.0, True, None, (9,)),
        ("grey", 90.0, False, None, (0,)),
        ("grey", 90.0, True, None, (0,)),
        ("grey", 180.0, False, None, (0,)),
        ("noise", 0.0, False, (1.0, 1.0), (0, 0, 0)),
        ("square", 270.0, False, None, (0, 0, 0)),
        ("square", -90.0, False, (4.0, 4.0), (0, 0, 0)),
    ]:
        fill = colour(name, fill)
        result = F.rotate(IMAGES[name], angle, MODES[mode], expand, center, fill if len(fill) > 1 else fill[0])
        where = "-" if center is None else f"{center[0]},{center[1]}"
        case("rotate", name, [angle, mode, expand, where, ",".join(map(str, fill))], result)

    for name, angle, translate, scale, shear, center, fill in [
        ("smooth", 12.0, (2, -3), 1.2, (5.0, -7.0), None, (0, 0, 0)),
        ("smooth", 0.0, (4, 1), 1.0, (0.0, 0.0), None, (1, 2, 3)),
        ("noise", -70.0, (0, 0), 0.6, (20.0, 0.0), (3.0, 1.5), (0, 9, 0)),
        ("noise", 0.0, (0, 0), 1.7, (0.0, 0.0), None, (0, 0, 0)),
        ("noise", 0.0, (0, 0), 0.5, (0.0, 0.0), (0.0, 0.0), (0, 0, 0)),
        ("grey", 0.0, (0, 0), 1.0, (16.7, 0.0), (0.0, 0.0), (0,)),
        ("grey", 0.0, (0, 0), 1.0, (0.0, -30.0), (0.0, 0.0), (50,)),
    ]:
        fill = colour(name, fill)
        options = dict(interpolation=MODES[mode], center=center, fill=fill if len(fill) > 1 else fill[0])
        result = F.affine(IMAGES[name], angle, translate, scale, shear, **options)
        where = "-" if center is None else f"{center[0]},{center[1]}"
        case("affine", name, [angle, *translate, scale, *shear, mode, where, ",".join(map(str, fill))], result)

    for name, ends, fill in [
        ("smooth", [[2, 1], [19, 3], [21, 15], [0, 17]], (0, 0, 0)),
        ("noise", [[1, 0], [12, 1], [11, 10], [0, 9]], (0, 0, 0)),
        ("noise", [[3, 2], [10, 0], [11, 8], [1, 10]], (7, 8, 9)),
        ("grey", [[1, 4], [11, 2], [9, 15], [3, 12]], (33,)),
    ]:
        image = IMAGES[name]
        width, height = image.size
        starts = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        result = F.perspective(image, starts, ends, MODES[mode], fill if len(fill) > 1 else fill[0])
        flat = ",".join(str(value) for end in ends for value in end)
        case("perspective", name, [flat, mode, ",".join(map(str, fill))], result)

for name, kernel, sigma in [
    ("smooth", [5, 5], [1.3, 1.3]),
    ("noise", [3, 7], [0.4, 2.0]),
    ("noise", [1, 1], [1.0, 1.0]),
    ("grey", [9, 3], [0.1, 2.0]),
]:
    case("gaussian_blur", name, [*kernel, *sigma], F.gaussian_blur(IMAGES[name], kernel, sigma))

for name in ["smooth", "grey"]:
    for op, magnitude in [
        ("Identity", 0.0), ("ShearX", 0.3), ("ShearX", -0.99), ("ShearY", 0.2), ("TranslateX", 5.9),
        ("TranslateX", -5.9), ("TranslateY", 3.2), ("Rotate", 17.0), ("Rotate", -120.0), ("Brightness", -0.4),
        ("Color", 0.9), ("Contrast", 0.5), ("Sharpness", 0.99), ("Posterize", 3), ("Solarize", 161.5),
        ("AutoContrast", 0.0), ("Equalize", 0.0), ("Invert", 0.0),
    ]:
        for mode in ["nearest", "bilinear"] if op[:3] in ["She", "Rot"] else ["nearest"]:
            result = _apply_op(IMAGES[name], op, magnitude, MODES[mode], None)
            case("apply_op", name, [op, magnitude, mode], result)
