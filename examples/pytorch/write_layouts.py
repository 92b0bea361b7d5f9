"""Writes the images of CIFAR-10's binary files in every format that Firebrick reads, for `cargo xtask layouts DATA --made OUT`.

python write_layouts.py DATA/cifar-10-batches-bin OUT      (numpy, Pillow, pyarrow)
"""
import io
import json
import os
import pathlib
import sys
import tarfile
import zipfile

import numpy
import pyarrow
import pyarrow.parquet
from PIL import Image

source, out = map(pathlib.Path, sys.argv[1:3])
NAMES = [str(label) for label in range(10)]


def records(names):
    files = [numpy.fromfile(source / f"{name}.bin", "uint8").reshape(-1, 3073) for name in names]
    rows = numpy.concatenate(files)
    return rows[:, 0], rows[:, 1:].reshape(-1, 3, 32, 32)


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def table(images, labels):
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    columns = {
        "image": pyarrow.array([{"bytes": image, "path": None} for image in images], kind),
        "label": pyarrow.array(labels.astype("int64")),
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pyarrow.table(columns).replace_schema_metadata(metadata)


for name in ["numpy", "npz", "parquet", "webdataset", "list", "zip"]:
    (out / name).mkdir(parents=True)
arrays, rows = {}, ["path,label,split"]
archive = zipfile.ZipFile(out / "zip" / "images.zip", "w")
for split, names in [("train", [f"data_batch_{number}" for number in range(1, 6)]), ("test", ["test_batch"])]:
    labels, images = records(names)
    numpy.save(out / "numpy" / f"x_{split}.npy", images)
    numpy.save(out / "numpy" / f"y_{split}.npy", labels.astype("int64"))
    arrays |= {f"x_{split}": images.transpose(0, 2, 3, 1).copy(), f"y_{split}": labels}
    files = [png(image) for image in images]
    for shard, part in enumerate(numpy.array_split(numpy.arange(len(files)), len(names))):
        name = f"{split}-{shard:05}-of-{len(names):05}.parquet"
        shown = table([files[index] for index in part], labels[part])
        pyarrow.parquet.write_table(shown, out / "parquet" / name, row_group_size=1000)
        with tarfile.open(out / "webdataset" / f"{split}-{shard:04}.tar", "w") as shard_file:
            for index in part:
                for ending, contents in [("png", files[index]), ("cls", str(labels[index]).encode())]:
                    entry = tarfile.TarInfo(f"{index:06}.{ending}")
                    entry.size = len(contents)
                    shard_file.addfile(entry, io.BytesIO(contents))
    (out / "list" / split).mkdir()
    for index, contents in enumerate(files):
        name, class_name = f"{index:06}.png", NAMES[labels[index]]
        (out / "list" / split / name).write_bytes(contents)
        folder = out / "folder" / split / class_name
        folder.mkdir(parents=True, exist_ok=True)
        os.link(out / "list" / split / name, folder / name)
        archive.writestr(f"{split}/{class_name}/{name}", contents)
        rows.append(f"{split}/{name},{class_name},{split}")
archive.close()
(out / "list" / "images.csv").write_text("\n".join(rows) + "\n")
numpy.savez_compressed(out / "npz" / "images.npz", **arrays)
