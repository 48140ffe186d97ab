"""Turns a Keras or PyTorch model into ONNX, which Armada runs. Run it where Keras or PyTorch is installed.

    python armada_export.py model.keras model.onnx
    python armada_export.py model.pt model.onnx --input-shape 3,224,224

From .keras, .h5 and a SavedModel: needs TensorFlow and tf2onnx (a SavedModel needs no export: Armada reads it).
From .pt and .pth: a whole module, as torch.save(model, …) or torch.jit.save writes it; needs torch and onnx.
From Python, for a module that is built in code: export_torch(module, "model.onnx", (3, 224, 224)).
"""
import argparse
import os
import sys


def export_keras(path, to):
    """path: .keras, .h5, or a SavedModel folder; to: the .onnx that is written."""
    _need("tensorflow", "tf2onnx")
    import tempfile

    if os.path.isdir(path):
        return _convert_saved_model(path, to)
    import keras

    model = keras.saving.load_model(path, compile=False)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        _convert_saved_model(folder, to)


def _convert_saved_model(folder, to):
    import subprocess

    done = subprocess.run([sys.executable, "-m", "tf2onnx.convert", "--saved-model", folder, "--output", to,
                           "--opset", "17"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"armada_export: tf2onnx could not convert the model:\n{done.stdout}")


def export_torch(module, to, input_shape):
    """module: a torch.nn.Module or a ScriptModule; input_shape: one record's, such as (3, 224, 224)."""
    _need("torch", "onnx")
    import torch

    module = module.eval().cpu()
    torch.onnx.export(module, (torch.zeros(2, *input_shape),), to, input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, dynamo=False)


def _load_torch(path):
    _need("torch")
    import torch

    try:
        return torch.jit.load(path, map_location="cpu")
    except RuntimeError:
        pass  # not written by torch.jit.save
    module = torch.load(path, map_location="cpu", weights_only=False)
    if not isinstance(module, torch.nn.Module):
        sys.exit(f"armada_export: {path} holds a {type(module).__name__}, not a module (a state_dict?): build your "
                 "model, load_state_dict() it, and call armada_export.export_torch(model, 'model.onnx', shape)")
    return module


def _need(*packages):
    import importlib.util

    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"armada_export: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed in "
                 f"this Python: pip install {' '.join(missing)}")


def main():
    parser = argparse.ArgumentParser(description="Turns a Keras or PyTorch model into ONNX.")
    parser.add_argument("model", help=".keras, .h5, a SavedModel folder, .pt or .pth")
    parser.add_argument("onnx", help="the file to write")
    parser.add_argument("--input-shape", metavar="3,224,224", help="PyTorch: the shape of one record")
    options = parser.parse_args()
    if not os.path.exists(options.model):
        sys.exit(f"armada_export: {options.model}: there is no such model")
    if options.model.endswith((".pt", ".pth")):
        if not options.input_shape:
            sys.exit("armada_export: a PyTorch file does not say its input's shape: add --input-shape 3,224,224")
        try:
            shape = tuple(int(size) for size in options.input_shape.split(","))
        except ValueError:
            sys.exit(f"armada_export: --input-shape {options.input_shape}: expected whole numbers, such as 3,224,224")
        export_torch(_load_torch(options.model), options.onnx, shape)
    elif os.path.isdir(options.model) or options.model.endswith((".keras", ".h5", ".hdf5")):
        export_keras(options.model, options.onnx)
    else:
        sys.exit(f"armada_export: {options.model}: expected .keras, .h5, a SavedModel folder, .pt or .pth")
    print(f"{options.onnx}: {os.path.getsize(options.onnx):,} bytes")


if __name__ == "__main__":
    main()
