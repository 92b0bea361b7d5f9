#!/usr/bin/env python3
"""Make the pictures of the old runs: images/ (train and test, three classes) and digit.png, a digit of the bundled ones.

usage: make_images.py        (needs numpy, Pillow)
"""
import gzip, pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
DIGITS = HERE.parents[4] / "data/digits/t10k-images-idx3-ubyte.gz"


def picture(rng, kind, height, width):
    pixels = rng.integers(0, 60, (height, width, 3))
    if kind == "rows":
        pixels[::2] += 120
    elif kind == "columns":
        pixels[:, ::2] += 120
    else:
        pixels[height // 3 : -height // 3, width // 3 : -width // 3, 1] += 160
    return Image.fromarray(pixels.astype(np.uint8))


def main():
    rng = np.random.default_rng(5)
    for split, count in [("train", 6), ("test", 3)]:
        for kind in ["middle", "rows", "columns"]:
            folder = HERE / "images" / split / kind
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                size = (8, 8) if number % 2 else (9, 11)
                picture(rng, kind, *size).save(folder / f"{number}.png")
    digit = np.frombuffer(gzip.open(DIGITS).read(), np.uint8, offset=16).reshape(-1, 8, 8)[7]
    Image.fromarray(digit).save(HERE / "digit.png")


if __name__ == "__main__":
    main()
