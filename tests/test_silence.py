"""No line of TensorFlow's log in a plain script; each process does all that is tried in one go."""

import os
import subprocess
import sys

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "CUDA_"))}

WORK = """
import numpy as np

gan = kerasgan.models.VanillaGAN((8, 8, 1), units=8, maxout_units=8)
gan.compile()
gan.fit(np.zeros((16, 8, 8, 1), "float32") - 1, batch_size=8, epochs=1, verbose=0)
gan.save("gan.keras")
gan = kerasgan.load("gan.keras")
gan.generate(2, seed=0)
kerasgan.export.tflite(gan, "gan.tflite")
kerasgan.export.web({"gan": "gan.tflite"}, "page")

from kerasgan.serve import serve


def ready(url):
    raise KeyboardInterrupt  # somebody has seen it, and presses Ctrl-C


serve("page", port=0, ready=ready)
"""


def python(code, folder, **environment):
    environment = ENVIRONMENT | environment
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=folder)


def test_import_fit_load_export_and_serve_say_nothing(tmp_path):
    done = python(f"import kerasgan\nimport keras, tensorflow\n{WORK}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_said_from_the_import_on_where_tensorflow_was_there_before(tmp_path):
    """What it says when somebody else imports it is not ours to hide; finding devices is the next occasion."""
    code = "import sys, tensorflow; sys.stderr.write('--'); sys.stderr.flush(); import kerasgan.console; "
    code += "kerasgan.console.import_tensorflow(); tensorflow.constant(1) + 1"
    done = python(code, tmp_path)
    assert done.returncode == 0 and done.stderr.partition("--")[2] == ""


def pretended(folder, code):
    """A module in the place of TensorFlow, for new processes."""
    (folder / "tensorflow.py").write_text(f"import os, types\nos.write(2, b'a library is missing')\n{code}")
    return {"PYTHONPATH": str(folder)}


def test_what_is_asked_for_is_shown(tmp_path):
    found = pretended(tmp_path, "config = types.SimpleNamespace(list_physical_devices=lambda: None)")
    for level, said in (({}, ""), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "a library is missing")):
        done = python("import kerasgan, tensorflow", tmp_path, **found, **level)
        assert (done.returncode, done.stderr) == (0, said)


def test_an_import_that_fails_says_all(tmp_path):
    done = python("import kerasgan, tensorflow", tmp_path, **pretended(tmp_path, "1 / 0"))
    assert done.returncode == 1 and "a library is missing" in done.stderr and "ZeroDivisionError" in done.stderr


def test_asking_whether_tensorflow_is_there_changes_nothing(tmp_path):
    found = pretended(tmp_path, "config = types.SimpleNamespace(list_physical_devices=lambda: None)")
    code = "import kerasgan, importlib.util; importlib.util.find_spec('tensorflow'); import tensorflow"
    done = python(code, tmp_path, **found)
    assert (done.returncode, done.stderr) == (0, "")
