"""Writes a parity sample: some inputs, and what your own code predicts for them. Needs pyarrow and numpy.

Armada compares its own predictions with it before a job begins: `parity: {expected: sample.parquet}` in the job
file. Some hundred records are enough; take them at random, with whatever is rare among them. Load, resize and
scale them as you always do; do not copy what the job file says, for that is what is to be checked.

Keras:

    import numpy as np
    from keras.saving import load_model
    from keras.utils import img_to_array, load_img
    from keras.applications.mobilenet_v2 import preprocess_input

    model = load_model("model.keras")
    pictures = [img_to_array(load_img(path, target_size=(224, 224))) for path in paths]
    write_sample("sample.parquet", paths, model.predict(preprocess_input(np.stack(pictures))))

PyTorch:

    with torch.inference_mode():
        scores = model.eval()(torch.stack([transform(Image.open(path).convert("RGB")) for path in paths]))
    write_sample("sample.parquet", paths, scores.numpy())

scikit-learn, rows of a table:

    write_sample("sample.parquet", {name: table[name] for name in features}, model.predict_proba(table[features]))
"""
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def write_sample(path, inputs, predictions, names=None):
    """Writes the sample.

    inputs: paths of picture files (their bytes are stored as they are), or features: a dict or DataFrame of columns,
        named as in the job's input, or a 2-D array with a row a record, in the order of the job's columns.
    predictions: what the model itself gives, before any softmax or top-k of yours: an array of a row a record, or a
        dict {output's name: array} of a model with several outputs.
    names: the records' names in messages; else the paths, or the rows' numbers.
    """
    if hasattr(inputs, "columns"):  # a DataFrame
        inputs = {str(name): inputs[name] for name in inputs.columns}
    if isinstance(inputs, dict):
        columns = {name: pa.array(np.asarray(values, np.float32)) for name, values in inputs.items()}
    elif len(inputs) and isinstance(inputs[0], (str, os.PathLike)):
        names = [os.fspath(item) for item in inputs] if names is None else names
        columns = {"input": pa.array([_bytes_of(item) for item in inputs], pa.binary())}
    else:
        columns = {"input": _lists(inputs)}
    clashes = [name for name in columns if name == "id" or name.split(".")[0] == "expected"]
    if clashes:
        raise ValueError(f"columns can't be called {clashes}: give the features as a 2-D array instead")
    rows = len(next(iter(columns.values())))
    names = [str(name) for name in (range(rows) if names is None else names)]
    if isinstance(predictions, dict):
        expected = {f"expected.{name}": _lists(values) for name, values in predictions.items()}
    else:
        expected = {"expected": _lists(predictions)}
    table = {"id": pa.array(names, pa.string()), **columns, **expected}
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) != 1 or rows == 0:
        raise ValueError(f"a sample needs one prediction and one name a record, and at least one record: {lengths}")
    pq.write_table(pa.table(table), path)


def _bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def _lists(values):
    """A row a record, flattened: list<float>."""
    array = np.asarray(values, np.float32)
    array = array.reshape(len(array), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1]).cast(pa.list_(pa.float32()))
