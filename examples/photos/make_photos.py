#!/usr/bin/env python3
"""Makes photos to predict: JPEGs of 500 × 375, cut at random out of a dozen large ones.

  make_photos.py --from FOLDER [--count N] [--folder DIR] [--tar FILE] [--parquet FILE]

The large photos are those of Debian's mate-backgrounds (tools/bootstrap --photos unpacks them). The same seed gives
the same cuts, and photo i is the same for every count. --folder keeps the files that are there already.
"""
import argparse
import concurrent.futures
import io
import itertools
import os
import pathlib
import random
import tarfile

from PIL import Image

SIZE = (500, 375)
AT_ONCE = 512


def originals(folder):
    paths = sorted(path for path in pathlib.Path(folder).rglob("*.jpg") if path.parent.name == "nature")
    if not paths:
        raise SystemExit(f"{folder}: no photos (…/nature/*.jpg): run tools/bootstrap --photos, or check --from")
    return [Image.open(path).convert("RGB") for path in paths]


def photo(large, seed, i, quality):
    """JPEG bytes of photo i: a part of a large photo, between 1 and 2.5 times the size wanted, made that size."""
    rng = random.Random(f"{seed}/{i}")
    image = rng.choice(large)
    zoom = rng.uniform(1, min(2.5, image.width / SIZE[0], image.height / SIZE[1]))
    width, height = SIZE[0] * zoom, SIZE[1] * zoom
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    with io.BytesIO() as to:
        cut = image.resize(SIZE, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        cut.save(to, "JPEG", quality=quality)
        return to.getvalue()


def photos(options):
    """(name, bytes) of each, in order; two at a time, since Pillow lets go of Python's lock."""
    large = originals(options.originals)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for begin in range(0, options.count, AT_ONCE):
            numbers = range(begin, min(begin + AT_ONCE, options.count))
            made = pool.map(photo, itertools.repeat(large), itertools.repeat(options.seed), numbers,
                            itertools.repeat(options.quality))
            yield from zip((f"{i:06}.jpg" for i in numbers), made)


def write_folder(folder, name, jpeg):
    path = folder / name
    if not path.exists():
        part = folder / f".{name}.part"
        part.write_bytes(jpeg)
        part.rename(path)


def add_to_tar(tar, name, jpeg):
    member = tarfile.TarInfo(name)
    member.size = len(jpeg)
    tar.addfile(member, io.BytesIO(jpeg))


def write_parquet(path, names, jpegs):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"name": names, "jpeg": pyarrow.array(jpegs, pyarrow.binary())})
    pyarrow.parquet.write_table(table, path, row_group_size=AT_ONCE, compression="NONE", use_dictionary=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="originals", required=True, help="where mate-backgrounds was unpacked")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", default="photos")
    parser.add_argument("--quality", type=int, default=85)
    parser.add_argument("--folder", type=pathlib.Path, help="loose files, 000000.jpg and so on")
    parser.add_argument("--tar", help="one sample a photo, as WebDataset does; gzipped where the name ends in .gz")
    parser.add_argument("--parquet", help="columns name and jpeg (bytes)")
    options = parser.parse_args()
    if not (options.folder or options.tar or options.parquet):
        parser.error("name at least one of --folder, --tar, --parquet")
    if options.folder and not (options.tar or options.parquet):
        there = {path.name for path in options.folder.glob("*.jpg")}
        if {f"{i:06}.jpg" for i in range(options.count)} <= there:
            return
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    tar = tarfile.open(options.tar, "w:gz" if options.tar.endswith("gz") else "w") if options.tar else None
    names, jpegs = [], []
    for name, jpeg in photos(options):
        if options.folder:
            write_folder(options.folder, name, jpeg)
        if tar:
            add_to_tar(tar, name, jpeg)
        if options.parquet:
            names.append(name)
            jpegs.append(jpeg)
    if tar:
        tar.close()
    if options.parquet:
        write_parquet(options.parquet, names, jpegs)


if __name__ == "__main__":
    main()
