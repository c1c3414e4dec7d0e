"""How fast and how right the scores on features are: kerasgan's beside those of the public tools, in one run.

    pip install scipy pytorch-fid torch-fidelity clean-fid prdc    # those that are missing are left out
    python benchmarks/scores.py                                    # 10,000 samples of 2048 dimensions, 3 rounds
    python benchmarks/scores.py --rounds 1 --dimensions 512 --samples 2000    # a quick look

Everyone scores the same made-up features: rectified mixtures of normal noise, float32, as a network's are; the fakes'
mixture is a little different. Where a tool draws random subsets, it is given one subset of all samples, so that there
is one right value; Inception scores are taken over the splits in the given order.

- Fréchet distance: from two arrays of features; from means and covariances that are there already; and from fewer
  samples than dimensions, where covariances are singular. SciPy's row is the definition with `scipy.linalg.sqrtm`.
- Kernel distance: one block. NumPy's row is the definition in float64: the tools sum float32 numbers, which leaves
  fewer digits of a small difference.
- Inception score: 1008 classes, 10 splits.
- Neighbours: precision, recall, density and coverage with k = 5; torch-fidelity has the first two only.

Every turn of every tool is a process of its own, so that none warms up another's memory; a round gives each tool a
turn, and time ratios are taken within a round. Time is that of the score alone: imports and reading the features do
not count. Memory is the peak of the process while it computes, above what it holds before (features included); on
systems that are not Linux, above its peak before, so that the numbers are too small where importing took more.

kerasgan's scores need NumPy only: `PYTHONPATH=. OTHER/bin/python benchmarks/scores.py` runs all this in a Python that
has the tools but no TensorFlow.
"""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from absl import app, flags


def available_cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


FLAGS = flags.FLAGS
flags.DEFINE_integer("dimensions", 2048, "Dimensions of the features.", lower_bound=2)
flags.DEFINE_integer("samples", 10_000, "Samples of each set for the Fréchet and Inception scores.", lower_bound=100)
flags.DEFINE_integer("rounds", 3, "How often each tool has its turn.", lower_bound=1)
flags.DEFINE_integer("threads", available_cores(), "Threads of each tool.", lower_bound=1)
flags.DEFINE_list("scores", None, "Which scores: frechet, kernel, inception, neighbours. Default: all.")
flags.DEFINE_string("turn", None, "A process's task; the script sets it for itself.")
flags.DEFINE_string("folder", None, "Where the features are; the script sets it for itself.")

OURS, REFERENCE = "kerasgan", "NumPy, by the definition"
CLASSES, SPLITS, NEIGHBOURS = 1008, 10, 5
PACKAGES = {"SciPy": "scipy", "pytorch-fid": "pytorch-fid", "torch-fidelity": "torch-fidelity"}
PACKAGES |= {"clean-fid": "clean-fid", "prdc": "prdc"}


# The tools: each function imports what it needs and returns a function that computes the score ------------------------


def frechet_ours(real, fake):
    from kerasgan.metrics.frechet import frechet_distance

    return lambda: frechet_distance(real, fake)


def frechet_ours_from_moments(real, fake):
    from kerasgan.metrics.moments import Moments

    return frechet_ours(Moments.of(real), Moments.of(fake))


def frechet_scipy(real, fake):
    distance = definition()
    return lambda: distance(*moments(real), *moments(fake))


def frechet_scipy_from_moments(real, fake):
    distance, given = definition(), (*moments(real), *moments(fake))
    return lambda: distance(*given)


def frechet_pytorch_fid(real, fake):
    from pytorch_fid.fid_score import calculate_frechet_distance

    return lambda: calculate_frechet_distance(*moments(real), *moments(fake))


def frechet_torch_fidelity(real, fake):
    import torch
    from torch_fidelity import metric_fid

    def score():
        sides = [metric_fid.fid_features_to_statistics(torch.from_numpy(side)) for side in (real, fake)]
        return metric_fid.fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"]

    return score


def frechet_clean_fid(real, fake):
    from cleanfid.fid import fid_from_feats

    return lambda: fid_from_feats(real, fake)


def moments(features):
    """Mean and covariance, as the tools compute them from features."""
    return np.mean(features, axis=0), np.cov(features, rowvar=False)


def definition():
    from scipy.linalg import sqrtm

    def distance(mean1, covariance1, mean2, covariance2):
        root = sqrtm(covariance1 @ covariance2).real
        return np.square(mean1 - mean2).sum() + np.trace(covariance1 + covariance2 - 2.0 * root)

    return distance


def kernel_ours(real, fake):
    from kerasgan.metrics.kernel import kernel_distance

    return lambda: kernel_distance(real, fake, block_size=len(real)).value


def kernel_reference(real, fake):
    def kernel(x, y):
        return (x.astype("float64") @ y.astype("float64").T / x.shape[1] + 1.0) ** 3

    def score():
        count = len(real)
        of_pairs = [(k.sum() - np.trace(k)) / (count * (count - 1)) for k in (kernel(real, real), kernel(fake, fake))]
        return sum(of_pairs) - 2.0 * kernel(real, fake).mean()

    return score


def kernel_torch_fidelity(real, fake):
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    sides = torch.from_numpy(real), torch.from_numpy(fake)
    arguments = {"kid_subsets": 1, "kid_subset_size": len(real), "rng_seed": 0, "verbose": False}
    return lambda: kid_features_to_metric(*sides, **arguments)["kernel_inception_distance_mean"]


def kernel_clean_fid(real, fake):
    from cleanfid.fid import kernel_distance

    return lambda: kernel_distance(real, fake, num_subsets=1, max_subset_size=len(real))


def inception_ours(logits):
    from kerasgan.metrics.inception_score import inception_score

    return lambda: inception_score(logits, SPLITS, seed=None)


def inception_torch_fidelity(logits):
    import torch
    from torch_fidelity.metric_isc import isc_features_to_metric

    return lambda: isc_features_to_metric(torch.from_numpy(logits), SPLITS, shuffle=False).values()


def neighbours_ours(real, fake):
    from kerasgan.metrics.neighbours import neighbour_scores

    return lambda: neighbour_scores(real, fake, NEIGHBOURS)


def neighbours_prdc(real, fake):
    from prdc import compute_prdc

    return lambda: compute_prdc(real, fake, NEIGHBOURS).values()


def neighbours_torch_fidelity(real, fake):
    import torch
    from torch_fidelity.metric_prc import prc_features_to_metric

    sides = torch.from_numpy(fake), torch.from_numpy(real)
    arguments = {"prc_neighborhood": NEIGHBOURS, "prc_batch_size": 10_000, "save_cpu_ram": False, "verbose": False}
    return lambda: list(prc_features_to_metric(*sides, **arguments).values())[:2]


# {score: (its arrays, {tool: function})}
SCORES = {
    "Fréchet distance": (
        ("real", "fake"),
        {
            OURS: frechet_ours,
            "SciPy": frechet_scipy,
            "pytorch-fid": frechet_pytorch_fid,
            "torch-fidelity": frechet_torch_fidelity,
            "clean-fid": frechet_clean_fid,
        },
    ),
    "Fréchet distance from moments": (
        ("real", "fake"),
        {OURS: frechet_ours_from_moments, "SciPy": frechet_scipy_from_moments},
    ),
    "Fréchet distance of few samples": (
        ("few_real", "few_fake"),
        {OURS: frechet_ours, "pytorch-fid": frechet_pytorch_fid, "torch-fidelity": frechet_torch_fidelity},
    ),
    "Kernel distance": (
        ("some_real", "some_fake"),
        {
            OURS: kernel_ours,
            REFERENCE: kernel_reference,
            "torch-fidelity": kernel_torch_fidelity,
            "clean-fid": kernel_clean_fid,
        },
    ),
    "Inception score": (("logits",), {OURS: inception_ours, "torch-fidelity": inception_torch_fidelity}),
    "Neighbours": (
        ("some_real", "some_fake"),
        {OURS: neighbours_ours, "prdc": neighbours_prdc, "torch-fidelity": neighbours_torch_fidelity},
    ),
}


# The features -------------------------------------------------------------------------------------------------------


def write_features(folder, samples, dimensions):
    """All arrays that the scores need, as .npy files."""
    random = np.random.default_rng(0)
    decay = np.arange(1, dimensions + 1) ** -0.5  # some directions matter more than others
    mixture = decay[:, None] * random.normal(size=(dimensions, dimensions))
    change = 0.1 * decay[:, None] * random.normal(size=(dimensions, dimensions))
    for name, matrix, shift in (("real", mixture, 0.0), ("fake", mixture + change, 0.05)):
        noise = random.normal(size=(samples, dimensions)).astype("float32")
        features = np.maximum(noise @ matrix.astype("float32") + np.float32(shift), 0.0) / 2.0
        np.save(folder / f"{name}.npy", features)
        np.save(folder / f"some_{name}.npy", features[: samples // 2])
        np.save(folder / f"few_{name}.npy", features[: min(samples, dimensions // 2)])
    np.save(folder / "logits.npy", 2.0 * random.normal(size=(samples, CLASSES)).astype("float32"))


# Measuring ----------------------------------------------------------------------------------------------------------


def take_turn(score, tool, folder):
    """What a process does: prints one line of JSON with values, seconds and bytes, or with what is missing."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a tool prints stays out of the answer
    warnings.simplefilter("ignore")
    names, tools = SCORES[score]
    try:
        compute = tools[tool](*(np.load(pathlib.Path(folder) / f"{name}.npy") for name in names))
    except ImportError as error:
        return print(json.dumps({"missing": str(error)}), file=answers, flush=True)
    np.random.default_rng(0).random((300, 300)) @ np.ones((300, 300))  # loads what is loaded late; starts the threads
    before = forget_peak()
    start = time.perf_counter()
    found = compute()
    seconds = time.perf_counter() - start
    values = [float(value) for value in np.atleast_1d(list(found) if hasattr(found, "__iter__") else found)]
    answer = {"values": values, "seconds": seconds, "bytes": max(0, peak() - before)}
    print(json.dumps(answer), file=answers, flush=True)


def forget_peak():
    """Bytes that the process holds; where the system can (Linux), `peak` counts from here on."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    return peak()


def peak():
    """The most bytes that the process has held."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def turn(score, tool, folder, threads):
    """The answer of a process of its own; `missing` also tells of a tool that failed."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **{name: str(threads) for name in names}}
    command = [sys.executable, os.path.abspath(__file__), "--turn", f"{score}/{tool}", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        if tool in (OURS, REFERENCE):
            sys.exit(f"{score}, {tool}: {last}")
        return {"missing": f"failed: {last}"}
    return json.loads(done.stdout)


def measure(score, folder, rounds, threads):
    """{tool: its answers, one a round}; a tool that is missing has one answer only."""
    answers = {tool: [] for tool in SCORES[score][1]}
    for number in range(rounds):
        for tool, given in answers.items():
            if not (given and "missing" in given[0]):
                given.append(turn(score, tool, folder, threads))
        print(f"{score}: round {number + 1} of {rounds}", file=sys.stderr)
    return answers


# The table ----------------------------------------------------------------------------------------------------------

HEADING = [
    "| score | tool | value | relative difference | seconds | kerasgan is faster by | peak memory, MB |",
    "| --- | --- | --- | --- | --- | --- | --- |",
]


def rows(score, answers):
    """Lines of Markdown for the tools that are there; medians over the rounds."""
    ours = answers[OURS]
    lines = []
    for tool, given in answers.items():
        if "missing" in given[0]:
            continue
        values = given[0]["values"]
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(given, ours, strict=True)]
        cells = [score, tool, ", ".join(f"{value:.6g}" for value in values)]
        cells.append("" if tool == OURS else f"{difference(values, ours[0]['values']):.0e}")
        cells.append(f"{statistics.median(answer['seconds'] for answer in given):.3g}")
        cells.append("" if tool == OURS else spread(ratios))
        cells.append(f"{statistics.median(answer['bytes'] for answer in given) / 1e6:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def difference(values, ours):
    """The largest difference of a value from ours, relative to ours; only values that the tool has."""
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(values, ours, strict=False))


def spread(ratios):
    """Median (lowest to highest)."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def left_out(measured):
    """A line for each tool that could not take part."""
    reasons = {}
    for score, answers in measured.items():
        for tool, given in answers.items():
            if "missing" in given[0]:
                reasons.setdefault((tool, given[0]["missing"]), []).append(score)
    return [
        f"{tool} is left out of {', '.join(scores)}: {reason} (pip install {PACKAGES[tool]})."
        for (tool, reason), scores in reasons.items()
    ]


def plain(name):
    return name.lower().replace("é", "e")


def main(_):
    if FLAGS.turn:
        return take_turn(*FLAGS.turn.split("/"), FLAGS.folder)
    wanted = [score for score in SCORES if plain(score).startswith(tuple(map(plain, FLAGS.scores or [""])))]
    if not wanted:
        sys.exit(f"--scores={','.join(FLAGS.scores)} names none of: {', '.join(SCORES)}.")
    with tempfile.TemporaryDirectory() as folder:
        write_features(pathlib.Path(folder), FLAGS.samples, FLAGS.dimensions)
        measured = {score: measure(score, folder, FLAGS.rounds, FLAGS.threads) for score in wanted}
    print(
        f"\n{FLAGS.samples} samples of {FLAGS.dimensions} dimensions ({FLAGS.samples // 2} for kernel and neighbours, "
        f"{min(FLAGS.samples, FLAGS.dimensions // 2)} where they are few); NumPy {np.__version__}, {FLAGS.threads} "
        f"threads.\nMedians (lowest to highest) of {FLAGS.rounds} rounds.\n"
    )
    print(*HEADING, *(line for score, answers in measured.items() for line in rows(score, answers)), sep="\n")
    print(*["", *left_out(measured)], sep="\n")


if __name__ == "__main__":
    app.run(main)
