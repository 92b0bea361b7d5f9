"""Writes transforms.txt: what torchvision makes of small images.

    python3 make_transforms.py > transforms.txt        (needs torchvision; made with 0.29.2, Pillow 13.0)

One case a line, fields separated by blanks; pixels are channel by channel, row by row, in hex:
    resize   channels height width new_height new_width pixels result
    grey     height width pixels result
    flip     channels height width pixels result
    pad      mode padding fill channels height width pixels result
    tensor   mean std result               (256 pixel values, f32 bits in hex; mean "-": not normalised)
"""

import random
import struct

import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

random.seed(0)


def make(channels, height, width):
    # Half noise, half edges: noise finds wrong weights, black and white find wrong clipping.
    pixels = [random.choice([0, 255, random.randrange(256)]) for _ in range(channels * height * width)]
    planes = torch.tensor(pixels, dtype=torch.uint8).reshape(channels, height, width)
    return functional.to_pil_image(planes)


def text(image):
    return functional.pil_to_tensor(image).numpy().tobytes().hex()


for shape, size in [
    ((1, 8, 8), (32, 32)),
    ((1, 8, 8), (28, 28)),
    ((1, 28, 28), (32, 32)),
    ((3, 45, 37), (32, 32)),
    ((3, 5, 60), (16, 16)),
    ((3, 33, 31), (32, 32)),
    ((1, 1, 1), (3, 2)),
    ((1, 40, 2), (3, 2)),
]:
    image = make(*shape)
    print("resize", *shape, *size, text(image), text(transforms.Resize(size)(image)))

image = make(3, 16, 16)
print("grey", 16, 16, text(image), text(transforms.Grayscale(1)(image)))
image = make(3, 4, 5)
print("flip", 3, 4, 5, text(image), text(functional.hflip(image)))
for mode, padding, fill in [("constant", 2, 0), ("constant", 1, 7), ("edge", 3, 0), ("reflect", 3, 0), ("symmetric", 4, 0)]:
    image = make(3, 4, 5)
    padded = functional.pad(image, padding, fill=fill, padding_mode=mode)
    print("pad", mode, padding, fill, 3, 4, 5, text(image), text(padded))

ramp = Image.frombytes("L", (16, 16), bytes(range(256)))
for mean, std in [(None, None), (0.4914, 0.2470), (0.4465, 0.2616), (0.1307, 0.3081), (0.485, 0.229), (0.5, 0.5)]:
    steps = [transforms.ToTensor()] + ([transforms.Normalize([mean], [std])] if mean is not None else [])
    values = transforms.Compose(steps)(ramp).flatten().tolist()
    bits = "".join(struct.pack(">f", value).hex() for value in values)
    print("tensor", "-" if mean is None else mean, "-" if std is None else std, bits)
