"""Writes tests/data/files: small data sets in formats for which Rust has no writer here.

python make_sources.py OUT      (numpy, Pillow, pyarrow 26, scipy 1.17)

Image `i` of label `i % 3` has the pixel (31 i + 7 channel + 5 row + 3 column) mod 256.
"""
import io
import json
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.parquet
import scipy.io
from PIL import Image

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def pixels(index, side):
    channel, row, column = numpy.meshgrid(range(3), range(side), range(side), indexing="ij")
    return ((31 * index + 7 * channel + 5 * row + 3 * column) % 256).astype("uint8")


def png(index):
    buffer = io.BytesIO()
    Image.fromarray(pixels(index, 8).transpose(1, 2, 0)).save(buffer, "png")
    return buffer.getvalue()


def table(indices):
    image = [{"bytes": png(index), "path": f"{index}.png"} for index in indices]
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog", "owl"], "_type": "ClassLabel"},
        "id": {"dtype": "int64", "_type": "Value"},
    }
    columns = {
        "id": pyarrow.array(indices, pyarrow.int64()),
        "image": pyarrow.array(image, kind),
        "label": pyarrow.array([index % 3 for index in indices], pyarrow.int64()),
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pyarrow.table(columns).replace_schema_metadata(metadata)


def write(name, indices, **options):
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table(indices), path, **options)


write("hub/data/train-00000-of-00002.parquet", range(0, 7), row_group_size=3)
write("hub/data/train-00001-of-00002.parquet", range(7, 12))
write("hub/data/test-00000-of-00001.parquet", range(12, 15))
write("gzip/train.parquet", range(0, 12), compression="gzip", data_page_version="2.0")
write("plain/train.parquet", range(0, 12), compression="none", use_dictionary=False)
write("pages/train.parquet", range(0, 12), compression="snappy", data_page_version="2.0", write_batch_size=2, data_page_size=64)
write("zstd/train.parquet", range(0, 12), compression="zstd")
text = table(range(0, 12)).drop(["label"]).replace_schema_metadata(None)
names = pyarrow.array([["cat", "dog", "owl"][index % 3] for index in range(12)], pyarrow.string())
(out / "text").mkdir(exist_ok=True)
pyarrow.parquet.write_table(text.append_column("kind", names), out / "text" / "train.parquet")

for name, count in [("train", 4), ("test", 2)]:
    images = numpy.stack([pixels(index, 32) for index in range(count)]).transpose(2, 3, 1, 0)
    labels = numpy.array([[10 if index % 3 == 0 else index % 3] for index in range(count)], "uint8")
    (out / "svhn").mkdir(exist_ok=True)
    scipy.io.savemat(out / "svhn" / f"{name}_32x32.mat", {"X": images, "y": labels}, do_compression=True)
