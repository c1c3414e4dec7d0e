"""Exports zoo entries in every mode, verifies and times each file, and writes the tables of the cards and the README.

    python tools/benchmark_generators.py                      # all entries
    python tools/benchmark_generators.py --names dcgan_celeba
    python tools/benchmark_generators.py --prove              # no latencies: only that the tables still hold

Into `zoo/<name>/` go `phone.json` (everything that was measured) and the section "On a phone" of `card.md`; the table
of all entries goes into the README. A mode that misses its tolerance is listed with what was measured: it is refused.
Latencies are of this machine, all runtimes in turns; only their ratios say something about another one.

`phone.json` also has a proof: what the files were made from and by (see `kerasgan.export.proof`). As long as that is
the same, the tests leave out modes that take long. After a change of the export, `--prove` exports and verifies all
modes again, and writes the proof anew if they are as `phone.json` says.
"""

import json
import math
import os
import pathlib
import platform
import re
import sys
import tempfile
import time

from absl import app, flags, logging

import kerasgan
from kerasgan import export, files, registry
from kerasgan.export import network, proof, runtimes, tolerance

ROOT = pathlib.Path(__file__).resolve().parents[1]
MARKS = ("<!-- phone table, written by tools/benchmark_generators.py -->", "<!-- end of phone table -->")
SECTION = re.compile(r"^## On a phone\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
RUNTIMES = ("LiteRT, 1 thread", "LiteRT, 2 threads", "Keras", "ONNX Runtime, 1 thread")


SIZES = 0.01  # by which the size of a file may differ from what its card says


def measure(name, runs=200):
    """Every mode that can be written: `Verification`s, those that were refused without latencies, and the proof.

    Args:
        name: of the entry.
        runs: of each runtime; 0 for no latencies.
    """
    exportable = network.Exportable.of(name)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        paths = {mode: pathlib.Path(folder) / f"{mode}.tflite" for mode in export.MODES}
        for mode, path in paths.items():
            try:
                found.append(export.tflite(exportable, path, mode))
                if runs:
                    found[-1] = export.verify(exportable, path, runs=runs)
            except export.ToleranceError as refusal:
                found.append(refusal.verification)
            except export.UnsupportedOperation:  # there is no such file, which the tables show by an empty cell
                continue
        return found, proof.circumstances(exportable, paths["float32"])


def publish(name, found, proven, zoo):
    """Writes the record and the section of an entry's card."""
    folder = pathlib.Path(zoo) / name
    modes = [one.to_dict() for one in found]
    record = {"machine": machine(), "kerasgan": kerasgan.__version__, "proof": proven, "modes": modes}
    _write(folder, record)
    card = SECTION.sub("", (folder / "card.md").read_text(encoding="utf-8"))
    before, limits, after = card.partition("## Limits")
    with files.atomic(folder / "card.md") as temporary:
        temporary.write_text(
            f"{before.rstrip()}\n\n{section(record)}\n\n{limits}{after}".rstrip() + "\n", encoding="utf-8"
        )


def prove(name, zoo):
    """Exports and verifies an entry in all modes, and writes the proof into its record, whose measurements stay.

    Raises:
        ValueError: a file is not as the record says.
    """
    folder = pathlib.Path(zoo) / name
    record = json.loads((folder / registry.PHONE).read_text(encoding="utf-8"))
    found, proven = measure(name, runs=0)
    for one, recorded in zip(found, record["modes"], strict=True):
        same = math.isclose(one.size, recorded["size"], rel_tol=SIZES) and one.passed == recorded["passed"]
        if not same or one.quantization != recorded["quantization"]:
            raise ValueError(
                f"{name}, {one.quantization}: {one.size} bytes, {'passed' if one.passed else 'refused'}, where "
                f"{registry.PHONE} has {recorded['size']} and passed={recorded['passed']}; measure it anew, without "
                "--prove."
            )
    _write(folder, {**{key: record[key] for key in ("machine", "kerasgan")}, "proof": proven, "modes": record["modes"]})


def _write(folder, record):
    with files.atomic(folder / registry.PHONE) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def section(record):
    """The section of a card from its record."""
    lines = [
        "## On a phone",
        "",
        f"`kerasgan export {record['modes'][0]['name']} --quantize MODE` writes it; "
        f"{record['modes'][0]['samples']} fixed samples of every file were held against Keras.",
        "",
        "| mode | size | furthest from Keras | PSNR | " + " | ".join(f"{name}, ms" for name in RUNTIMES) + " |",
        "| --- " * (4 + len(RUNTIMES)) + "|",
    ]
    for mode in record["modes"]:
        times = [f"{mode['latencies'][name]['median']:.2f}" if name in mode["latencies"] else "" for name in RUNTIMES]
        lines.append(f"| {' | '.join([mode['quantization'], *_quality(mode), *times])} |")
    operators = ", ".join(record["modes"][0]["operators"])
    refused = [mode for mode in record["modes"] if not mode["passed"]]
    lines += ["", f"Medians of one sample on {record['machine']}, all runtimes in turns. Operators: {operators}."]
    for mode in refused:
        advice = tolerance.advice(mode["quantization"])
        lines += ["", f"{mode['quantization']} is refused: the tolerance is {mode['tolerance']}. {advice}"]
    return "\n".join(lines)


def write_readme(readme, zoo):
    """Puts the table between its marks in the README."""
    before, mark, rest = readme.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        raise ValueError(
            f"{str(readme)!r} has no place for the table: put the marks {MARKS[0]} and {MARKS[1]} into it."
        )
    with files.atomic(readme) as temporary:
        temporary.write_text(f"{before}{mark}\n{readme_table(zoo, registry.ZOO)}\n{end}{after}", encoding="utf-8")


def readme_table(zoo, names):
    """The table of all entries that were measured."""
    lines = [
        "| model | float32 | float16 | dynamic | int8 | float32, against Keras |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        path = pathlib.Path(zoo) / name / registry.PHONE
        if path.is_file():
            modes = {mode["quantization"]: mode for mode in json.loads(path.read_text(encoding="utf-8"))["modes"]}
            cells = [_cell(modes[mode]) if mode in modes else "" for mode in export.MODES]
            times = modes["float32"]["latencies"]
            ratio = times["Keras"]["median"] / times["LiteRT, 1 thread"]["median"]
            lines.append(f"| `{name}` | {' | '.join(cells)} | {ratio:.1f} times as fast |")
    return "\n".join(lines)


def _cell(mode):
    size, _, quality = _quality(mode)
    return f"{size}, {quality}" if mode["passed"] else f"refused ({quality})"


def _quality(mode):
    quality = "equal" if mode["psnr"] is None else f"{mode['psnr']:.0f} dB"
    return f"{mode['size'] / 1e6:.2f} MB", f"{mode['max_difference']:.2g}", quality


def machine():
    """The processor, in words, without the machine's name."""
    model = ""
    if pathlib.Path("/proc/cpuinfo").is_file():
        model = re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        model = model[1] if model else ""
    return f"{model or platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def main(argv):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)  # TensorFlow tells much of each file that it writes
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    zoo = pathlib.Path(values.zoo)
    try:
        runtimes.check_installed("tflite")
        for name in values.names or registry.ZOO:
            start = time.process_time()
            if values.prove:
                prove(name, zoo)
                print(f"{name}: as before in all modes ({time.process_time() - start:.0f} s of CPU)", flush=True)
            else:
                found, proven = measure(name, values.runs)
                publish(name, found, proven, zoo)
                print("\n".join(map(str, found)), flush=True)
        if values.readme and not values.prove:
            write_readme(pathlib.Path(values.readme), zoo)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"benchmark_generators: error: {error}")


if __name__ == "__main__":
    flags.DEFINE_list("names", None, "Entries; default: all.")
    flags.DEFINE_integer("runs", 200, "Runs of each runtime.")
    flags.DEFINE_boolean("prove", False, "Only export and verify, and write the proof of entries that were measured.")
    flags.DEFINE_string("zoo", str(ROOT / "zoo"), "The folder of all entries.")
    flags.DEFINE_string("readme", str(ROOT / "README.md"), "The README with the table; empty for none.")
    app.run(main)
