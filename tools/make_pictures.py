#!/usr/bin/env python3
"""Writes tests/pictures/: a small picture of each kind, and what Pillow makes of it.

The files are committed; run this only to change them:
    python3 -m venv V && V/bin/pip install pillow==13.0.0 numpy==2.4.6
    V/bin/python tools/make_pictures.py
It also needs cjpeg and jpegtran of Debian's libjpeg-turbo-progs 2.1.5.

Beside each picture stands NAME.pnm: its pixels by convert("RGB") as binary PPM, and behind them those
by convert("L") as binary PGM. 16-bit grey alone is computed here: Pillow clips it, Armada keeps the
high byte.
"""
import io
import pathlib
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "pictures"
WIDTH, HEIGHT = 23, 17


def base(width=WIDTH, height=HEIGHT, seed=1):
    """A soft colourful picture with some noise."""
    random = np.random.default_rng(seed)
    soft = Image.fromarray(random.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    soft = np.asarray(soft.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return Image.fromarray((soft + random.integers(-8, 9, soft.shape)).clip(0, 255).astype(np.uint8))


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def save(name, data, expected=None, turn=False, gray=None):
    """The picture, and its pixels as Pillow decodes them (or `expected`)."""
    image = expected or Image.open(io.BytesIO(data))
    if turn:
        image = ImageOps.exif_transpose(image)
    (OUT / name).write_bytes(data)
    pixels = encoded(image.convert("RGB"), "ppm") + encoded(gray or image.convert("L"), "ppm")
    (OUT / f"{name}.pnm").write_bytes(pixels)


def turbo(data, program, *options):
    return subprocess.run([program, *options], input=data, capture_output=True, check=True).stdout


def make_jpegs():
    image = base()
    for name, sampling in (("444", "1x1"), ("422", "2x1"), ("420", "2x2"), ("411", "4x1"), ("440", "1x2"),
                           ("410", "4x2")):
        save(f"jpeg-{name}.jpg", turbo(encoded(image, "ppm"), "cjpeg", "-sample", sampling))
    plain = encoded(image, "jpeg", subsampling="4:2:0", quality=85)
    save("jpeg-progressive.jpg", encoded(image, "jpeg", progressive=True, quality=85))
    save("jpeg-restarts.jpg", encoded(image, "jpeg", restart_marker_blocks=1, quality=85))
    save("jpeg-gray.jpg", encoded(image.convert("L"), "jpeg"))
    save("jpeg-gray-progressive.jpg", encoded(image.convert("L"), "jpeg", progressive=True))
    save("jpeg-rgb.jpg", encoded(image, "jpeg", keep_rgb=True))
    save("jpeg-arithmetic.jpg", turbo(plain, "jpegtran", "-arithmetic"))
    save("jpeg-arithmetic-progressive.jpg", turbo(plain, "jpegtran", "-arithmetic", "-progressive"))

    inks = Image.merge("CMYK", [*base(seed=2).split(), base(seed=3).convert("L")])
    cmyk = encoded(inks, "jpeg", quality=85)
    save("jpeg-cmyk.jpg", cmyk)
    save("jpeg-cmyk-progressive.jpg", encoded(inks, "jpeg", progressive=True))
    # Adobe's marker ends with the transform: 0 is CMYK, 2 is YCCK.
    adobe = cmyk.index(b"Adobe") + 11
    save("jpeg-ycck.jpg", cmyk[:adobe] + b"\2" + cmyk[adobe + 1:])
    no_adobe = cmyk.index(b"\xFF\xEE")
    save("jpeg-cmyk-without-adobe.jpg", cmyk[:no_adobe] + cmyk[no_adobe + 16:])

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"exif-{orientation}.jpg", encoded(image, "jpeg", exif=exif), turn=True)

    large = encoded(base(61, 45), "jpeg", quality=85)
    save("jpeg-scaled-1.jpg", large)
    for by in (2, 4, 8):
        small = Image.open(io.BytesIO(large))
        small.draft("RGB", (61 // by, 45 // by))
        save(f"jpeg-scaled-{by}.jpg", large, expected=small)


def png(width, height, bits, color, rows, chunks=(), interlaced=False):
    """rows: the bytes of all rows, a filter byte before each."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png_of(samples, bits, color, chunks=(), interlaced=False):
    """samples: height × width × channels of integers below 2 ** bits."""
    def rows(part):
        flat = part.reshape(part.shape[0], -1)
        if bits == 16:
            packed = flat.astype(">u2").view(np.uint8).reshape(flat.shape[0], -1)
        else:
            ones = np.unpackbits(flat.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - bits:]
            packed = np.packbits(ones.reshape(flat.shape[0], -1), axis=1)
        return b"".join(b"\0" + row.tobytes() for row in packed)
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    data = b"".join(rows(part) for part in passes if part.size)
    return png(samples.shape[1], samples.shape[0], bits, color, data, chunks, interlaced)


def make_pngs():
    image = base()
    wide = np.random.default_rng(4).integers(0, 65536, (HEIGHT, WIDTH, 4))
    palette = np.random.default_rng(5).integers(0, 256, (256, 3), dtype=np.uint8)
    opacities = (b"tRNS", bytes(range(0, 256, 16)))
    for interlaced in (False, True):
        end = "-interlaced.png" if interlaced else ".png"
        for bits in (1, 2, 4, 8):
            samples = wide[:, :, :1] >> (16 - bits)
            save(f"png-gray-{bits}{end}", png_of(samples, bits, 0, (), interlaced))
            entries = (b"PLTE", palette[:1 << bits].tobytes())
            save(f"png-palette-{bits}{end}", png_of(samples, bits, 3, (entries,), interlaced))
        high = Image.fromarray((wide[:, :, 0] >> 8).astype(np.uint8))
        save(f"png-gray-16{end}", png_of(wide[:, :, :1], 16, 0, (), interlaced), expected=high)
        for bits in (8, 16):
            for name, color, channels in (("rgb", 2, 3), ("gray-alpha", 4, 2), ("rgba", 6, 4)):
                samples = wide[:, :, :channels] >> (16 - bits)
                save(f"png-{name}-{bits}{end}", png_of(samples, bits, color, (), interlaced))
    eight = wide[:, :, :3] >> 8
    entries = (b"PLTE", palette[:16].tobytes())
    save("png-palette-transparent.png", png_of(wide[:, :, :1] >> 12, 4, 3, (entries, opacities)))
    save("png-palette-short.png", png_of(wide[:, :, :1] >> 8, 8, 3, (entries,)))
    color_key = (b"tRNS", struct.pack(">HHH", *eight[0, 0]))
    save("png-rgb-transparent.png", png_of(eight, 8, 2, (color_key,)))
    save("png-filtered.png", encoded(image, "png"))


def webp_chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def make_webps():
    image = base()
    clear = image.copy()
    clear.putalpha(base(seed=6).convert("L"))
    save("webp-lossy.webp", encoded(image, "webp", quality=80))
    save("webp-lossless.webp", encoded(image, "webp", lossless=True))
    save("webp-lossy-alpha.webp", encoded(clear, "webp", quality=80))
    save("webp-lossless-alpha.webp", encoded(clear, "webp", lossless=True, exact=True))
    save("webp-animated.webp", encoded(clear, "webp", save_all=True, append_images=[base(seed=7)]))

    # An animation of 31 × 25 whose only frame, lossy with alpha, is 23 × 17 at (6, 4).
    still = encoded(clear, "webp", quality=80)
    chunks = still[still.index(b"ALPH"):]

    def three(value):
        return struct.pack("<I", value)[:3]
    frame = b"".join(map(three, (3, 2, WIDTH - 1, HEIGHT - 1, 100))) + b"\0" + chunks
    riff = (b"WEBP" + webp_chunk(b"VP8X", b"\x12\0\0\0" + three(30) + three(24)) +
            webp_chunk(b"ANIM", b"\0\0\0\0\0\0") + webp_chunk(b"ANMF", frame))
    save("webp-animated-part.webp", b"RIFF" + struct.pack("<I", len(riff)) + riff)


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    make_jpegs()
    make_pngs()
    make_webps()


if __name__ == "__main__":
    main()
