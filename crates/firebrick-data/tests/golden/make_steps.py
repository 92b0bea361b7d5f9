"""Writes steps.txt: what torchvision and Pillow make of images that change their size, and of mixed batches.

    python3 make_steps.py > steps.txt        (needs torchvision; made with 0.29.2, Pillow 13.0)

One case a line, fields separated by blanks; pixels are channel by channel, row by row, in hex:
    shorter     channels height width side pixels new_height new_width result
    center      channels height width new_height new_width pixels result
    fit         channels height width shorter crop pixels result       (Resize(shorter), then CenterCrop(crop))
    bicubic     channels height width shorter crop pixels result       (the same, bicubic)
    letterbox   channels height width new_height new_width pixels result
    mixup       images values classes share labels pixels result probabilities     (f32 bits in hex; share as f64 bits)
    cutmix      images channels height width classes left top right bottom share labels pixels result probabilities
"""

import random
import struct

import torch
from PIL import Image, ImageOps
from torchvision.transforms import functional, v2

random.seed(1)


def make(channels, height, width):
    pixels = [random.choice([0, 255, random.randrange(256)]) for _ in range(channels * height * width)]
    planes = torch.tensor(pixels, dtype=torch.uint8).reshape(channels, height, width)
    return functional.to_pil_image(planes)


def text(image):
    return functional.pil_to_tensor(image).numpy().tobytes().hex()


def floats(tensor):
    return "".join(struct.pack(">f", value).hex() for value in tensor.flatten().tolist())


SHAPES = [(1, 9, 12), (3, 12, 9), (3, 7, 7), (1, 5, 40), (3, 33, 6)]

for shape in SHAPES:
    for side in [4, 7, 13]:
        image = make(*shape)
        resized = functional.resize(image, side)
        print("shorter", *shape, side, text(image), resized.height, resized.width, text(resized))

for shape in SHAPES:
    for size in [(4, 4), (5, 6), (8, 7), (15, 10), (6, 41)]:
        image = make(*shape)
        print("center", *shape, *size, text(image), text(functional.center_crop(image, size)))

for shape in SHAPES:
    for shorter, crop in [(8, 8), (9, 6), (12, 7)]:
        image = make(*shape)
        result = functional.center_crop(functional.resize(image, shorter), crop)
        print("fit", *shape, shorter, crop, text(image), text(result))

for shape in SHAPES:
    for height, width in [(8, 8), (5, 11), (14, 6)]:
        image = make(*shape)
        result = ImageOps.pad(image, (width, height), method=Image.Resampling.BILINEAR)
        print("letterbox", *shape, height, width, text(image), text(result))

for num, share in [(1, 0.3), (2, 0.9), (5, 0.123456789), (3, 1.0)]:
    images = torch.randn(num, 1, 2, 3, generator=torch.Generator().manual_seed(num))
    labels = torch.tensor([(index * 2) % 4 for index in range(num)])
    mixup = v2.MixUp(alpha=1.0, num_classes=4)
    mixup.make_params = lambda _: {"lam": share}
    mixed, probabilities = mixup(images, labels)
    numbers = ",".join(str(label) for label in labels.tolist())
    print("mixup", num, 6, 4, struct.pack(">d", share).hex(), numbers, floats(images), floats(mixed), floats(probabilities))

for shape in SHAPES:
    for shorter, crop in [(8, 8), (9, 6), (12, 7)]:
        image = make(*shape)
        resized = functional.resize(image, shorter, functional.InterpolationMode.BICUBIC)
        print("bicubic", *shape, shorter, crop, text(image), text(functional.center_crop(resized, crop)))
for num, box in [(1, (0, 1, 2, 3)), (2, (1, 0, 4, 5)), (4, (0, 0, 4, 5)), (3, (2, 3, 2, 4)), (3, (3, 2, 4, 3))]:
    images = torch.randn(num, 2, 5, 4, generator=torch.Generator().manual_seed(num))
    labels = torch.tensor([(index * 2) % 3 for index in range(num)])
    share = 1.0 - (box[2] - box[0]) * (box[3] - box[1]) / 20
    cutmix = v2.CutMix(alpha=1.0, num_classes=3)
    cutmix.make_params = lambda _: {"box": box, "lam_adjusted": share}
    mixed, probabilities = cutmix(images, labels)
    numbers = ",".join(str(label) for label in labels.tolist())
    shares = struct.pack(">d", share).hex()
    print("cutmix", num, 2, 5, 4, 3, *box, shares, numbers, floats(images), floats(mixed), floats(probabilities))
