#!/usr/bin/env python3
"""Writes tests/models/: tiny models in each format, on which src/engine's tests run.

The files are committed; run this only to change them:
    python3 -m venv V && V/bin/pip install onnx==1.23.2 tensorflow==2.21.0 keras==3.15.1 openvino==2026.4.1
    V/bin/python tools/make_models.py

Wherever a model is called "dense" it computes softmax(x·W + b) of a record x of 2 × 3 numbers, with
W[i][j] = ((7·i + 3·j) mod 11 − 5) / 10 and b[j] = j / 10, so that a test can compute it too.
"""
import os
import pathlib
import shutil
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "models"
W = np.array([[((7 * i + 3 * j) % 11 - 5) / 10 for j in range(4)] for i in range(6)], np.float32)
B = np.array([j / 10 for j in range(4)], np.float32)


def save_onnx(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, OUT / f"{name}.onnx")


def dense_nodes(shape, source="x"):
    """Nodes and constants for scores = softmax(reshape(source, shape)·W + b)."""
    nodes = [
        helper.make_node("Reshape", [source, "flat"], ["rows"]),
        helper.make_node("Gemm", ["rows", "W", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    return nodes, [("flat", np.array(shape, np.int64)), ("W", W), ("b", B)]


def onnx_models():
    x, scores = ("x", T.FLOAT, ["N", 2, 3]), ("scores", T.FLOAT, ["N", 4])
    nodes, constants = dense_nodes([-1, 6])
    save_onnx("dense", nodes, [x], [scores], constants)
    # Exported for one record: the first can be reshaped to any batch, the others can't.
    save_onnx("batch1", nodes, [("x", T.FLOAT, [1, 2, 3])], [("scores", T.FLOAT, [1, 4])], constants)
    for rows in (1, 4):
        fixed, fixed_constants = dense_nodes([rows, 6])
        save_onnx(f"batch{rows}_only", fixed, [("x", T.FLOAT, [rows, 2, 3])],
                  [("scores", T.FLOAT, [rows, 4])], fixed_constants)
    save_onnx(
        "outputs",
        nodes + [
            helper.make_node("ArgMax", ["logits"], ["best"], axis=1, keepdims=0),
            helper.make_node("Cast", ["logits"], ["half"], to=T.FLOAT16),
            helper.make_node("Greater", ["logits", "zero"], ["positive"]),
        ],
        [x],
        [scores, ("best", T.INT64, ["N"]), ("half", T.FLOAT16, ["N", 4]), ("positive", T.BOOL, ["N", 4])],
        constants + [("zero", np.float32(0))],
    )
    save_onnx(
        "tokens",
        [helper.make_node("Gather", ["table", "ids"], ["rows"]),
         helper.make_node("ReduceSum", ["rows", "axis"], ["sums"], keepdims=0)],
        [("ids", T.INT64, ["N", 5])], [("sums", T.FLOAT, ["N", 2])],
        [("table", np.arange(20, dtype=np.float32).reshape(10, 2)), ("axis", np.array([1], np.int64))],
    )
    save_onnx("identity", [helper.make_node("Identity", ["x"], ["y"])],
              [x], [("y", T.FLOAT, ["N", 2, 3])])
    # What a picture's preprocessing gives: 8 × 8 of three channels, last and first.
    for name, shape in (("pixels_nhwc", ["N", 8, 8, 3]), ("pixels_nchw", ["N", 3, 8, 8])):
        save_onnx(name, [helper.make_node("Identity", ["pixels"], ["values"])],
                  [("pixels", T.FLOAT, shape)], [("values", T.FLOAT, shape)])
    save_onnx("two_inputs", [helper.make_node("Add", ["left", "right"], ["sum"])],
              [("left", T.FLOAT, ["N", 3]), ("right", T.FLOAT, ["N", 3])], [("sum", T.FLOAT, ["N", 3])])
    save_onnx("open_size", [helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)],
              [("image", T.FLOAT, ["N", 3, "H", "W"])], [("mean", T.FLOAT, ["N", 3])])
    save_onnx("open_output", [helper.make_node("NonZero", ["x"], ["where"])],
              [x], [("where", T.INT64, [3, "K"])])
    save_onnx("no_batch", [helper.make_node("ReduceSum", ["x", "axis"], ["total"], keepdims=0)],
              [x], [("total", T.FLOAT, [2, 3])], [("axis", np.array([0], np.int64))])
    save_onnx("mixes_records", [helper.make_node("Softmax", ["x"], ["y"], axis=0)],
              [x], [("y", T.FLOAT, ["N", 2, 3])])
    save_onnx("text", [helper.make_node("Identity", ["words"], ["same"])],
              [("words", T.STRING, ["N", 1])], [("same", T.STRING, ["N", 1])])


def picture_models():
    """scores = pooled(relu(conv(image)))·W + b of a picture of 32 × 32 × 3, channels first or last. Pooling keeps a
    coarse grid, so that where things are in a picture makes a difference."""
    random = np.random.RandomState(7)
    constants = [("kernel", (random.randn(8, 3, 3, 3) / 5).astype(np.float32)),
                 ("bias", (random.randn(8) / 5).astype(np.float32)),
                 ("W", (random.randn(128, 5) / 5).astype(np.float32)),
                 ("b", (random.randn(5) / 5).astype(np.float32))]

    def nodes(source):
        return [helper.make_node("Conv", [source, "kernel", "bias"], ["maps"], strides=[2, 2], pads=[0, 0, 1, 1]),
                helper.make_node("Relu", ["maps"], ["positive"]),
                helper.make_node("AveragePool", ["positive"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
                helper.make_node("Flatten", ["pooled"], ["row"], axis=1),
                helper.make_node("Gemm", ["row", "W", "b"], ["scores"])]

    scores = ("scores", T.FLOAT, ["N", 5])
    save_onnx("picture_nchw", nodes("image"), [("image", T.FLOAT, ["N", 3, 32, 32])], [scores], constants)
    save_onnx("picture_nhwc",
              [helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2]), *nodes("planes")],
              [("image", T.FLOAT, ["N", 32, 32, 3])], [scores], constants)


def tensorflow_models():
    import keras
    import tensorflow as tf

    x = keras.Input((2, 3), name="x")
    flat = keras.layers.Flatten()(x)
    scores = keras.layers.Dense(4, activation="softmax", name="scores")(flat)
    total = keras.layers.Dense(1, kernel_initializer="ones", name="total")(flat)
    model = keras.Model(x, [scores, total])
    model.get_layer("scores").set_weights([W, B])
    model.export(str(OUT / "saved_model"), verbose=False)
    shutil.rmtree(OUT / "saved_model" / "assets", ignore_errors=True)

    single = keras.Model(x, scores)
    (OUT / "dense.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(single).convert())
    tiny = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    tiny.save(OUT / "tiny.keras")
    tiny.save(OUT / "tiny.h5")


def openvino_models():
    import openvino as ov
    from openvino import opset13 as ops

    ov.save_model(ov.Core().read_model(OUT / "dense.onnx"), OUT / "dense.xml", compress_to_fp16=False)
    x = ops.parameter([-1, 3], np.float32, name="x")
    state = ops.read_value(x, "total", np.float32, [-1, 3])
    total = ops.add(state, x)
    model = ov.Model([ops.result(total, name="sum")], [ops.assign(total, "total")], [x], "stateful")
    ov.save_model(model, OUT / "stateful.xml", compress_to_fp16=False)


def torch_file():
    """The skeleton of what torch.save() writes: enough to be recognised."""
    with zipfile.ZipFile(OUT / "tiny.pt", "w") as archive:
        for name in ("tiny/data.pkl", "tiny/version"):
            archive.writestr(zipfile.ZipInfo(name), b"3\n")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    onnx_models()
    picture_models()
    tensorflow_models()
    openvino_models()
    torch_file()
    print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes in", OUT)
