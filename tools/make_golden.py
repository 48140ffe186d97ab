#!/usr/bin/env python3
"""tools/make_golden.py PHOTOS: writes tests/golden/resize.bin and tests/golden/presets.json.

What Pillow, OpenCV and Keras make of pixels, for the tests of src/data and of the engine's graph. Run once, in a
virtual environment with
  pip install 'pillow==12.*' 'opencv-python-headless==4.*' 'tensorflow==2.21.*'
where PHOTOS is the folder usr/share/backgrounds/mate of Debian's mate-backgrounds (dpkg-deb -x). The versions that were
used are in the files. torchvision's transforms are written out here: for PIL images they are a few lines around Pillow.

resize.bin: a line of JSON, then bytes. "pictures" and "cases" name their first byte behind that line ("at"); a
picture's bytes are its pixels, a case's are the pixels that come out.
presets.json: 8 × 8 RGB pixels, and for each preset the float32 tensor that its library feeds to the model.
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
import PIL
from PIL import Image, ImageOps

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOLDEN = os.path.join(ROOT, "tests", "golden")

FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
           "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
# File, its width before the crop, the crop's corner and size, channels.
CROPS = [
    ("nature/LadyBird.jpg", 480, (180, 90), (120, 90), 3),
    ("nature/Dune.jpg", 320, (100, 60), (61, 90), 3),
    ("abstract/Elephants.jpg", 640, (250, 150), (97, 64), 1),
    ("nature/FreshFlower.jpg", 400, (170, 100), (9, 7), 3),
    ("nature/Garden.jpg", 400, (150, 100), (1, 1), 3),
    ("nature/Garden.jpg", 400, (170, 80), (1, 33), 3),
]
# Width, height, short side of resize-then-crop.
SIZES = [(32, 32, 36), (45, 20, 30), (17, 39, 24), (1, 1, 3), (8, 3, 1)]
LARGE = [(91, 67, 70), (60, 45, 50)]  # of the first picture; 60 × 45 is half of it


def resize_pillow(image, size, method):
    return image.resize(size, method)


def resize_opencv(image, size, _):
    return Image.fromarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_LINEAR))


def contain(image, size, method, resize):
    """ImageOps.pad with any resize; it is Pillow's own below."""
    if resize is resize_pillow:
        return ImageOps.pad(image, size, method, color=0)
    small = resize(image, ImageOps.contain(image, size).size, method)
    result = Image.new(image.mode, size)
    result.paste(small, (round((size[0] - small.width) * 0.5), round((size[1] - small.height) * 0.5)))
    return result


def resize_then_crop(image, size, short_side, method, resize):
    """torchvision 0.29: functional._compute_resized_output_size and functional.center_crop."""
    width, height = image.size
    short, long = (width, height) if width <= height else (height, width)
    long_side = int(short_side * long / short)
    new = (short_side, long_side) if width <= height else (long_side, short_side)
    if new != image.size:
        image = resize(image, new, method)
    missing = [max(size[axis] - new[axis], 0) for axis in (0, 1)]
    if any(missing):
        image = ImageOps.expand(image, (missing[0] // 2, missing[1] // 2,
                                        (missing[0] + 1) // 2, (missing[1] + 1) // 2), fill=0)
    left = int(round((image.width - size[0]) / 2.0))
    top = int(round((image.height - size[1]) / 2.0))
    return image.crop((left, top, left + size[0], top + size[1]))


def fitted(image, fit, size, short_side, method, resize):
    if fit == "stretch":
        return resize(image, size, method)
    if fit == "cover":
        return ImageOps.fit(image, size, method)
    if fit == "contain":
        return contain(image, size, method, resize)
    return resize_then_crop(image, size, short_side, method, resize)


def read_pictures(photos):
    for name, width, (left, top), (crop_width, crop_height), channels in CROPS:
        image = Image.open(os.path.join(photos, name)).convert("RGB")
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        image = image.crop((left, top, left + crop_width, top + crop_height))
        yield name, image if channels == 3 else image.convert("L")


def write_resize(photos, versions):
    index = {"versions": versions, "pictures": [], "cases": []}
    data = bytearray()
    for number, (name, image) in enumerate(read_pictures(photos)):
        index["pictures"].append({"name": name, "width": image.width, "height": image.height,
                                  "channels": len(image.getbands()), "at": len(data)})
        data += image.tobytes()
        for width, height, short_side in SIZES + (LARGE if number == 0 else []):
            for fit in ("stretch", "cover", "contain", "resize-then-crop"):
                for filter_name in [*FILTERS, "bilinear-noaa"]:
                    noaa = filter_name == "bilinear-noaa"
                    if noaa and fit == "cover":  # a box of fractions: OpenCV has none
                        continue
                    try:
                        result = fitted(image, fit, (width, height), short_side, FILTERS.get(filter_name),
                                        resize_opencv if noaa else resize_pillow)
                    except ValueError:  # ImageOps.pad, when a side rounds to 0
                        assert fit == "contain"
                        continue
                    assert result.size == (width, height) and result.mode == image.mode
                    index["cases"].append({"picture": number, "fit": fit, "filter": filter_name, "width": width,
                                           "height": height, "short_side": short_side, "at": len(data)})
                    data += result.tobytes()
    with open(os.path.join(GOLDEN, "resize.bin"), "wb") as file:
        file.write(json.dumps(index, separators=(",", ":")).encode() + b"\n" + data)
    print(f"resize.bin: {len(index['cases'])} cases, {len(data)} bytes")


def numbers(tensor):
    """float32 as the shortest decimals that give the same float32 again."""
    assert tensor.dtype == np.float32
    return [float(np.format_float_positional(value, unique=True)) for value in tensor.ravel()]


def torchvision_tensor(pixels):
    """ToTensor(), Normalize(ImageNet's mean and std): in float32, channels first."""
    mean = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
    std = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]
    return (pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255) - mean) / std


def write_presets(photos, versions):
    image = next(read_pictures(photos))[1].resize((8, 8), Image.Resampling.BILINEAR)
    pixels = np.array(image)
    # All of a byte's extremes and middle are in it.
    pixels[0, 0], pixels[0, 1], pixels[0, 2] = (0, 255, 128), (255, 0, 127), (1, 254, 64)
    presets = {"none": {"layout": "NHWC", "values": numbers(pixels.astype(np.float32))}}
    for mode in ("caffe", "tf", "torch"):
        tensor = keras.applications.imagenet_utils.preprocess_input(
            pixels.astype(np.float32), data_format="channels_last", mode=mode)
        presets[f"keras-{mode}"] = {"layout": "NHWC", "values": numbers(tensor)}
    presets["torchvision"] = {"layout": "NCHW", "values": numbers(torchvision_tensor(pixels))}
    with open(os.path.join(GOLDEN, "presets.json"), "w", encoding="utf-8") as file:
        json.dump({"versions": versions, "width": 8, "height": 8, "color": "rgb",
                   "pixels": pixels.ravel().tolist(), "presets": presets}, file)
        file.write("\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if int(PIL.__version__.split(".")[0]) not in (11, 12):
        sys.exit("Pillow 13 does the vertical pass first for some sizes, and so rounds otherwise: use Pillow 12")
    versions = {"pillow": PIL.__version__, "opencv": cv2.__version__, "keras": keras.__version__,
                "numpy": np.__version__}
    print(versions)
    os.makedirs(GOLDEN, exist_ok=True)
    write_resize(sys.argv[1], versions)
    write_presets(sys.argv[1], versions)


if __name__ == "__main__":
    main()
