"""Runs exported .tflite files on an emulated phone's processor (ARM64) and compares their samples with this machine's.

    python tools/verify_arm64.py --prepare
    python tools/verify_arm64.py --model dcgan_celeba,wgan_gp_sprites --quantize float32,int8 -o benchmarks/arm64.md
    python tools/verify_arm64.py faces.tflite

QEMU's user mode translates each ARM64 instruction, so the kernels that run are those of phones (NEON, dot products).
What it shows is the same samples; how fast a phone is, it cannot show.

`--prepare` gets QEMU 10, an ARM64 Python and the ARM64 wheels of LiteRT and NumPy once, 110 MB of downloads, into one
folder: Debian's packages by apt with a root folder of its own (its signatures are checked as always, nothing is
installed on this machine), the wheels by pip. It needs an x86-64 machine with apt and Debian's keyring (on others than
Debian the package `debian-archive-keyring`). QEMU 7 and 8 crash in LiteRT, which is why the machine's own is not used.
"""

import importlib.metadata
import inspect
import json
import math
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

from absl import app, flags, logging

import kerasgan
from kerasgan import export, files, weights
from kerasgan.export import sidecar

CPUS = ("cortex-a76", "max")  # a phone of 2019, and every extension that QEMU knows
# What is still the same sample, values in [0, 1]. Sums in another order cost the last bits of float32; in arithmetic of
# 8 bits such a bit can tip a rounding, which moves a few values by a grey level or two, hardly the whole.
LARGEST = 1e-4  # difference: float32, float16
LOWEST = 60  # PSNR in dB: dynamic, int8; an error of a quarter of a grey level
SUITE, PYTHON = "trixie", "3.13"  # the first Debian with QEMU 10, and its Python
PACKAGES = (f"python{PYTHON}-minimal", f"libpython{PYTHON}-stdlib", "libstdc++6")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")
PREPARED = "prepared.json"
LONGEST = 1800  # seconds for one emulated run; a generator of 10 MB takes a tenth of a second a sample


def default_folder():
    """Where the emulation lies: $KERASGAN_ARM64, or `arm64` in the folder of kerasgan's downloaded files."""
    return pathlib.Path(os.environ.get("KERASGAN_ARM64") or weights.cache_folder() / "arm64")


# Preparing -----------------------------------------------------------------------------------------------------------


def prepare(folder=None, mirror=None):
    """Makes the folder with the emulation, unless it is there with this machine's version of LiteRT.

    Args:
        folder: to make; default `default_folder()`.
        mirror: address of a Debian mirror; default: the one in this machine's apt sources.

    Returns:
        The folder, as a `pathlib.Path`.

    Raises:
        OSError: another kind of machine, apt or Debian's keyring is missing, or the folder holds something else.
        RuntimeError: apt or pip failed; the message ends with what they said. Nothing is left behind.
    """
    folder = pathlib.Path(folder or default_folder()).absolute()
    try:
        return _check_prepared(folder)
    except (FileNotFoundError, ValueError):
        pass
    if folder.exists() and any(folder.iterdir()) and not (folder / PREPARED).is_file():
        raise FileExistsError(f"folder={str(folder)!r} holds other files; give an empty or a new one.")
    if sys.platform != "linux" or platform.machine() != "x86_64" or not shutil.which("apt-get"):
        raise OSError(f"The emulation needs Linux on x86-64 with apt; this is {sys.platform} on {platform.machine()}.")
    if not os.path.exists(KEYRING):
        raise FileNotFoundError(f"{KEYRING} is missing: install the package debian-archive-keyring.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".arm64-", dir=folder.parent) as scratch:
        scratch = pathlib.Path(scratch)
        new = scratch / "new"
        new.mkdir()
        versions = _get_packages(scratch / "apt", new, mirror or _own_mirror()) | _get_wheels(scratch, new)
        (new / PREPARED).write_text(json.dumps(versions, indent=1) + "\n")
        if folder.exists():
            shutil.rmtree(folder)  # an older emulation, or empty
        new.rename(folder)
    return folder


def _check_prepared(folder):
    """The folder, if an emulation for the installed version of LiteRT is in it."""
    if not (folder / PREPARED).is_file():
        raise FileNotFoundError(
            f"folder={str(folder)!r} holds no emulation. Make it: python tools/verify_arm64.py --prepare "
            f"--emulation {folder}"
        )
    held, own = versions(folder)["ai-edge-litert"], importlib.metadata.version("ai-edge-litert")
    if held != own:
        raise ValueError(
            f"folder={str(folder)!r} holds LiteRT {held} and this machine {own}; only the same can be compared. "
            "Make it again with --prepare."
        )
    return folder


def versions(folder):
    """What an emulation consists of, as {"qemu": version, "python": version, "ai-edge-litert": version, ...}."""
    return json.loads((pathlib.Path(folder) / PREPARED).read_text())


def _own_mirror():
    sites = _said(["apt-get", "indextargets", "--format", "$(SITE)", "Origin: Debian"]).split()
    main = [site for site in sites if "security" not in site]
    if not main:
        raise OSError("apt's sources name no Debian mirror; give the address of one with --mirror.")
    return main[0]


def _get_packages(apt, new, mirror):
    """Downloads QEMU and the ARM64 packages and unpacks them; returns the versions."""
    for place in ("lists/partial", "archives/partial"):
        (apt / place).mkdir(parents=True)
    (apt / "status").touch()  # nothing is installed there, so apt finds all that the packages depend on
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    for architecture, packages in (("amd64", ["qemu-user"]), ("arm64", PACKAGES)):
        environment = os.environ | {"APT_CONFIG": str(_apt_configuration(apt, architecture)), "LC_ALL": "C"}
        _said(["apt-get", "-q", "update"], environment)
        _said(["apt-get", "-qy", "--download-only", "install", *packages], environment)
    root = new / "root"
    (root / "usr" / "lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")  # where the loader is looked for
    for package in sorted((apt / "archives").glob("*_arm64.deb")):
        _said(["dpkg-deb", "-x", package, root])
    (qemu,) = (apt / "archives").glob("qemu-user_*.deb")
    # Only one of its 30 processors, of 480 MB.
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", qemu], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["tar", "-x", "-C", new, "--strip-components=3", "./usr/bin/qemu-aarch64"], stdin=tar.stdout, check=True
        )
        tar.stdout.read()
    return {"qemu": _said(["dpkg-deb", "-f", qemu, "Version"]).strip(), "python": PYTHON, "debian": SUITE}


def _apt_configuration(apt, architecture):
    path = apt / f"{architecture}.conf"
    path.write_text(
        f'Dir::State "{apt}";\nDir::State::status "{apt}/status";\nDir::Cache "{apt}";\n'
        f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'APT::Architecture "{architecture}";\nAPT::Architectures {{"{architecture}";}};\n'
        'APT::Install-Recommends "false";\nAcquire::Languages "none";\n'
        + ('APT::Sandbox::User "root";\n' if os.geteuid() == 0 else "")  # else apt's own user could not write there
    )
    return path


def _get_wheels(scratch, new):
    """Downloads and unpacks LiteRT, of the version that is installed here, and what it imports."""
    wanted = f"ai-edge-litert=={importlib.metadata.version('ai-edge-litert')}"
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", PYTHON]
    words += [f"--platform={name}" for name in PLATFORMS]
    _said([*words, "--dest", scratch / "wheels", wanted, "numpy"])
    found = {}
    for wheel in (scratch / "wheels").glob("*.whl"):
        shutil.unpack_archive(wheel, new / "site", "zip")
        name, version, _ = wheel.name.split("-", 2)
        found[name.replace("_", "-")] = version
    return {name: found[name] for name in ("ai-edge-litert", "numpy")}


def _said(words, environment=None):
    """Runs a command; returns what it said, or raises a RuntimeError that ends with it."""
    done = subprocess.run(words, env=environment, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise RuntimeError(f"{words[0]} failed (exit code {done.returncode}):\n{last}")
    return done.stdout


# Running -------------------------------------------------------------------------------------------------------------


def evaluate(path, inputs):
    """Samples of a .tflite file, and whether a delegate (XNNPACK) computes them.

    Its source also runs inside the emulation: it may use nothing of this script.

    Args:
        path: the file, with the signature "serving_default".
        inputs: {name: array (runs, *shape of that input)}.

    Returns:
        (array (runs, *shape of the output), bool)
    """
    import numpy
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    run = interpreter.get_signature_runner("serving_default")
    samples = []
    for i in range(len(next(iter(inputs.values())))):
        (output,) = run(**{name: values[i] for name, values in inputs.items()}).values()
        samples.append(output)
    delegated = any(node["op_name"] == "DELEGATE" for node in interpreter._get_ops_details())
    return numpy.stack(samples), delegated


INSIDE = """
import numpy, sys
for line in open("jobs"):
    number, _, path = line.strip().partition(" ")
    with numpy.load(f"inputs{number}.npz") as inputs:
        samples, delegated = evaluate(path, dict(inputs))
    numpy.savez(f"outputs{number}.npz", samples=samples, delegated=delegated)
"""


def run(paths, inputs, folder=None, cpu=CPUS[0]):
    """Runs .tflite files on an emulated ARM64 processor.

    Args:
        paths: the files.
        inputs: for each file, {name: array (runs, *shape of that input)}.
        folder: made by `prepare`.
        cpu: a processor that QEMU knows, such as "cortex-a76", "cortex-a53", "neoverse-n1", "max".

    Returns:
        For each file (array (runs, *shape of the output), whether XNNPACK computed it).

    Raises:
        FileNotFoundError: no such file, or no emulation in `folder`.
        ValueError: the emulation has another version of LiteRT than this machine.
        RuntimeError: the emulated program failed, as with an unknown processor; with the end of what it said.
    """
    import numpy as np

    folder = _check_prepared(pathlib.Path(folder or default_folder()).absolute())
    paths = [pathlib.Path(path).absolute() for path in paths]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{str(path)!r}: there is no such file.")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "inside.py").write_text(inspect.getsource(evaluate) + INSIDE)
        (scratch / "jobs").write_text("".join(f"{i} {path}\n" for i, path in enumerate(paths)))
        for i, values in enumerate(inputs):
            np.savez(scratch / f"inputs{i}.npz", **values)
        messages = _emulate(folder, cpu, scratch)
        results = []
        for i in range(len(paths)):
            with np.load(scratch / f"outputs{i}.npz") as outputs:
                results.append((outputs["samples"], bool(outputs["delegated"]) and "XNNPACK" in messages))
    return results


def _emulate(folder, cpu, scratch):
    """Runs inside.py there; returns what was written to its standard error."""
    root = folder / "root"
    environment = {
        "PYTHONHOME": root / "usr",
        "PYTHONPATH": folder / "site",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_LIBRARY_PATH": root / "usr/lib/aarch64-linux-gnu",
        "PATH": "/usr/bin",
    }
    words = [folder / "qemu-aarch64", "-cpu", cpu, "-L", root]
    for name, value in environment.items():
        words += ["-E", f"{name}={value}"]
    words += [root / f"usr/bin/python{PYTHON}", "inside.py"]
    try:
        done = subprocess.run(words, cwd=scratch, env={}, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"The emulated run had not ended after {LONGEST} seconds; give fewer --samples.") from error
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise RuntimeError(f"The emulated run failed (cpu={cpu!r}, exit code {done.returncode}):\n{last}")
    return done.stderr


# Comparing -----------------------------------------------------------------------------------------------------------


def inputs_for(described, runs, seed=0):
    """Inputs of a file as its sidecar describes them: {name: array (runs, *shape)}; classes take turns.

    Raises:
        ValueError: an input of a kind that is not known.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    found = {}
    for given in described["inputs"]:
        shape, limits = (runs, *given["shape"]), given.get("range")
        if given["kind"] == "labels":
            low, high = limits
            values = low + np.arange(np.prod(shape)).reshape(shape) % (high - low + 1)
        elif given["kind"] == "latents" and given["distribution"] == "normal":
            values = random.standard_normal(shape)
        elif given["kind"] in ("latents", "image"):
            values = random.uniform(*limits, shape)
        else:
            raise ValueError(f"input {given['name']!r} is of kind {given['kind']!r}, which this tool does not know.")
        found[given["name"]] = values.astype(given["dtype"])
    return found


def compare(path, described, cpu, here, there):
    """One row of the table, as a dict.

    Args:
        path, described: the file and its sidecar.
        cpu: the emulated processor.
        here, there: what `evaluate` and `run` returned for it.
    """
    import numpy as np

    (expected, _), (samples, xnnpack) = here, there
    if samples.shape != expected.shape:
        raise ValueError(f"{path}: samples {samples.shape} there and {expected.shape} here.")
    difference = samples.astype("float64") - expected
    largest, power = float(np.abs(difference).max()), float(np.mean(difference**2))
    psnr = -10 * math.log10(power) if power else math.inf
    close = largest <= LARGEST if described["quantization"] in ("float32", "float16") else psnr >= LOWEST
    return {
        "model": described["name"],
        "quantization": described["quantization"],
        "sha256": described["sha256"],
        "cpu": cpu,
        "samples": len(samples),
        "max_difference": _finite(largest),
        "psnr": _finite(psnr),
        "identical": samples.tobytes() == expected.tobytes(),
        "xnnpack": bool(xnnpack),
        # NaN is close to nothing; equal pictures of nothing (one constant value) would prove nothing.
        "passed": bool(close and np.ptp(expected) > 0 and xnnpack),
    }


def _finite(value):
    return value if math.isfinite(value) else None  # JSON has neither infinity nor NaN


def table(rows):
    """The rows as a Markdown table."""
    lines = ["| model | mode | processor | samples | largest difference | PSNR | XNNPACK | same samples |"]
    lines += ["| --- " * 8 + "|"]
    yes = {True: "yes", False: "no"}
    for row in rows:
        if row["identical"]:
            differences = ("none, bit for bit", "")
        elif row["max_difference"] is None:
            differences = ("not a number", "")
        else:
            differences = (f"{row['max_difference']:.1e}", f"{row['psnr']:.0f} dB")
        cells = (row["model"], row["quantization"], row["cpu"], str(row["samples"]), *differences)
        lines.append(f"| {' | '.join(cells)} | {yes[row['xnnpack']]} | {yes[row['passed']]} |")
    return "\n".join(lines)


def verify(paths, folder=None, cpus=CPUS, samples=8, seed=0):
    """Compares .tflite files that have sidecars on each processor with this machine; returns the rows."""
    described = [_described(path) for path in paths]
    inputs = [inputs_for(each, samples, seed) for each in described]
    here = [evaluate(path, values) for path, values in zip(paths, inputs, strict=True)]
    rows = []
    for cpu in cpus:
        there = run(paths, inputs, folder, cpu)
        rows += [compare(*each) for each in zip(paths, described, [cpu] * len(here), here, there, strict=True)]
    return rows


def _described(path):
    path = pathlib.Path(path)
    if path.suffix != ".tflite" or not path.is_file():
        raise FileNotFoundError(f"{str(path)!r}: expected a .tflite file.")
    described = sidecar.read(path)
    if described is None:
        raise FileNotFoundError(f"{str(path)!r} has no sidecar {sidecar.path_of(path).name!r} beside it.")
    if described.get("sha256") != sidecar.fingerprint(path)["sha256"]:
        raise ValueError(f"{str(path)!r} is not the file that its sidecar describes (another sha256): export it again.")
    return described


def page(found):
    """The results as a Markdown page."""
    emulation = ", ".join(f"{name} {version}" for name, version in found["emulation"].items())
    return f"""# The exported files on a phone's processor

Written by `python tools/verify_arm64.py --prepare --model NAMES --quantize MODES -o benchmarks/arm64.md`.

Each file ran on an ARM64 processor that QEMU emulates instruction by instruction, with LiteRT's own ARM64 build and
XNNPACK, and on this machine (x86-64), on the same {found["rows"][0]["samples"]} latents (seed {found["seed"]}). The
difference is between the two, values in [0, 1]; a mode that an entry does not bear is missing. How fast a phone is, an
emulation cannot show.

Versions: {emulation}, kerasgan {found["kerasgan"]}.

{table(found["rows"])}"""


def main(argv):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)  # TensorFlow tells much of each file that it writes
    folder = pathlib.Path(values.emulation).absolute() if values.emulation else default_folder()
    paths = [pathlib.Path(word) for word in argv[1:]]
    if not (paths or values.model or values.prepare):
        raise app.UsageError("Name models with --model, or .tflite files, or give --prepare.")
    if values.samples < 1:
        raise app.UsageError(f"--samples is {values.samples}; expected 1 or more.")
    try:
        if values.output:
            files.check_output(values.output, (".json", ".md"), name="--output")
        if values.prepare:
            print(f"The emulation is in {prepare(folder, values.mirror)}: {versions(folder)}")
        if not (paths or values.model):
            return 0
        _check_prepared(folder)
        with tempfile.TemporaryDirectory() as scratch:
            for name in values.model:
                for mode in values.quantize:
                    path = pathlib.Path(scratch) / f"{name}-{mode}.tflite"
                    try:
                        export.tflite(name, path, quantize=mode)
                        paths.append(path)
                    except export.ToleranceError as error:  # a mode that this model does not bear: no file to run
                        print(f"{name}, {mode}: {error}", file=sys.stderr)
            rows = verify(paths, folder, values.cpu, values.samples, values.seed)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        sys.exit(f"verify_arm64: error: {error}")
    print(table(rows))
    if values.output:
        found = {"kerasgan": kerasgan.__version__, "emulation": versions(folder), "seed": values.seed, "rows": rows}
        text = page(found) if values.output.endswith(".md") else json.dumps(found, indent=1)
        with files.atomic(values.output) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    return 0 if all(row["passed"] for row in rows) else 1


if __name__ == "__main__":
    flags.DEFINE_list("model", [], "Zoo entries, run folders or .keras files to export, separated by commas.")
    flags.DEFINE_list("quantize", ["float32", "int8"], "Modes to export them in.")
    flags.DEFINE_list("cpu", list(CPUS), "Processors, by QEMU's names.")
    flags.DEFINE_integer("samples", 8, "Samples of each file.", short_name="n")
    flags.DEFINE_integer("seed", 0, "Seed of the latents.")
    flags.DEFINE_string("emulation", None, "Folder of the emulation; default: $KERASGAN_ARM64, or in the cache.")
    flags.DEFINE_boolean("prepare", False, "Get the emulation first, where it is missing.")
    flags.DEFINE_string("mirror", None, "Address of a Debian mirror; default: that of this machine's apt.")
    flags.DEFINE_string("output", None, "File for the results, .json or .md (a page).", short_name="o")
    app.run(main)
