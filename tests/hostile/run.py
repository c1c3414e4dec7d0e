"""Damages files of every format that kerasgan reads, reads them, and tells what did not end well.

```
python tests/hostile/run.py --count 20000 --seed 1
```

Each file is read in a child process with 2 GB of memory beyond what its imports take, and 20 seconds of its processor.
It ends well with an error that `kerasgan` shows in a line and that names the file, or with a result. Nothing may be
executed, no other file may change, none may appear. A fault is printed with its number: `--only NUMBER` repeats it,
`--keep FOLDER` keeps the damaged files of all faults.
"""

import argparse
import collections
import functools
import hashlib
import json
import os
import pathlib
import queue
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import mutations  # noqa: E402
import sound  # noqa: E402

_MEMORY = 2 * 2**30  # bytes beyond the imports
_SECONDS = 20  # of the processor
_PATIENCE = 120  # seconds on the clock, where other processes take the processor
_CLEAN = ("ValueError", "OSError", "ImportError", "ArithmeticError")  # what kerasgan.cli.main shows in a line
_ENDS_WELL = ("error", "result")
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TF_ENABLE_ONEDNN_OPTS": "0"}


# Each kind of damage to each file, once: the first numbers. Those that follow are drawn.
EACH_ONCE = [
    (subject, name, kind)
    for subject, names in sound.SUBJECTS.items()
    for name in names
    for kind in mutations.kinds(subject, name)
]


def draw(seed, number):
    """(subject, file, mutation, random generator) of a damaged file."""
    import numpy as np

    random = np.random.default_rng([seed, number])
    if number < len(EACH_ONCE):
        return (*EACH_ONCE[number], random)
    shares = np.array([sound.SHARES.get(subject, 1) for subject in sound.SUBJECTS], float)
    subject = list(sound.SUBJECTS)[random.choice(len(shares), p=shares / shares.sum())]
    name = sound.SUBJECTS[subject][random.integers(len(sound.SUBJECTS[subject]))]
    rare = mutations.RARE.get(subject) if random.random() < 0.02 else None
    return subject, name, rare or functools.partial(mutations.mutate, name), random


# In a child ----------------------------------------------------------------------------------------------------------


def prepare(folder):
    """Makes the sound files."""
    os.environ["HOSTILE_MAKING"] = "1"
    sound.make(pathlib.Path(folder))


def work(folder, seed):
    """Reads numbers from standard input, and says for each how reading its damaged file ended."""
    answers = os.fdopen(os.dup(1), "w")
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    folder = pathlib.Path(folder)
    scratch = pathlib.Path(tempfile.mkdtemp(dir=folder / "scratch"))
    os.environ["HOSTILE_MARK"] = str(scratch / "mark")
    for subject in sound.SUBJECTS:  # what the imports and the first of each take is not the file's
        place = scratch / "warm"
        shutil.copytree(folder / "sound" / subject, place)
        sound.read(subject, place)
        shutil.rmtree(place)
    (scratch / "mark").unlink(missing_ok=True)
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, resource.RLIM_INFINITY))
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(attempt(folder, scratch, seed, int(line))), file=answers, flush=True)


def attempt(folder, scratch, seed, number):
    """How one damaged file ended: {"end": "error", "result" or what is wrong, ...}."""
    subject, name, mutation, random = draw(seed, number)
    place = scratch / "case"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "sound" / subject, place)
    target = place / name
    os.environ["HOSTILE_MAKING"] = "1"
    target.write_bytes(mutation(target.read_bytes(), random))
    del os.environ["HOSTILE_MAKING"]
    sys.modules.pop(mutations.CANARY, None)
    before, began = _digest(place), time.process_time()
    found = {"number": number, "subject": subject, "file": name}
    try:
        sound.read(subject, place)
        found |= {"end": "result"}
    except Exception as error:
        found |= {"end": _judged(error, target, place), "error": f"{type(error).__name__}: {error}"[:600]}
        if found["end"] != "error":
            found["trace"] = traceback.format_exc()[-3000:]
    found["seconds"] = round(time.process_time() - began, 2)
    if found["seconds"] > _SECONDS:
        found["end"] = "slow"
    if (scratch / "mark").exists():
        (scratch / "mark").unlink()
        found["end"] = "executed"
    after = _digest(place)
    after.pop("report.html", None)
    if after != before:
        found["end"] = "changed"
    return found


def _judged(error, target, place):
    kinds = [kind.__name__ for kind in type(error).__mro__]
    if not any(kind in kinds for kind in _CLEAN):
        return "unclean"
    names = {target.name, *target.relative_to(place).parts, *(path.name for path in target.parent.iterdir())}
    return "error" if any(name in str(error) for name in names) else "nameless"


def _digest(place):
    files = [path for path in place.rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# In the parent -------------------------------------------------------------------------------------------------------


class Child:
    """A process that reads damaged files, started again where one ends it."""

    def __init__(self, folder, seed):
        words = [sys.executable, str(HERE / "run.py"), "--child", str(folder), "--seed", str(seed)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self.process = subprocess.Popen(words, env=os.environ | _ENVIRONMENT, **pipes)
        if self._line(600) != "ready":
            raise RuntimeError("the child did not begin: the sound files cannot be read")

    def attempt(self, number):
        """What became of one file; None for one that ended the process, or did not end."""
        self.process.stdin.write(f"{number}\n")
        line = self._line(_PATIENCE)
        return json.loads(line) if line else None

    def _line(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline().strip() if ready else ""

    def end(self):
        """Ends the process; returns how it had ended, in words."""
        code = self.process.poll()
        if code is None:
            time.sleep(0.2)
            code = self.process.poll()
        self.process.kill()
        self.process.wait()
        if code is None:
            return "hangs"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def run(count, seed, processes=2, only=None, keep=None):
    """Reads so many damaged files.

    Returns:
        (what became of each file, the faults among them): lists of dicts.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "scratch").mkdir()
        words = [sys.executable, str(HERE / "run.py"), "--prepare", str(folder / "sound")]
        subprocess.run(words, env=os.environ | _ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        numbers, found = queue.SimpleQueue(), []
        for number in range(count) if only is None else [only]:
            numbers.put(number)
        threads = [threading.Thread(target=_serve, args=(folder, seed, numbers, found)) for _ in range(processes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        faults = [one for one in found if one["end"] not in _ENDS_WELL]
        if keep:
            for fault in faults:
                _keep(folder, seed, fault, pathlib.Path(keep))
    return found, faults


def _serve(folder, seed, numbers, found):
    child = Child(folder, seed)
    while not numbers.empty():
        try:
            number = numbers.get_nowait()
        except queue.Empty:
            break
        one = child.attempt(number)
        if one is None:
            one = {"number": number, "subject": draw(seed, number)[0], "end": child.end()}
            child = Child(folder, seed)
        found.append(one)
        if one["end"] not in _ENDS_WELL or len(found) % 500 == 0:
            print(f"{len(found)} files; {one}", file=sys.stderr, flush=True)
    child.end()


def _keep(folder, seed, fault, keep):
    """Writes the damaged file of a fault once more, to look at."""
    subject, name, mutation, random = draw(seed, fault["number"])
    data = (folder / "sound" / subject / name).read_bytes()
    os.environ["HOSTILE_MAKING"], os.environ["HOSTILE_MARK"] = "1", os.devnull
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{fault['number']}_{pathlib.Path(name).name}").write_bytes(mutation(data, random))


def summary(found, faults):
    """What became of the files, as text."""
    counts = collections.Counter((one["subject"], one["end"]) for one in found)
    lines = [f"{subject:14} {end:20} {number}" for (subject, end), number in sorted(counts.items())]
    for fault in faults:
        lines += [
            "",
            f"FAULT {json.dumps({key: fault[key] for key in fault if key != 'trace'})}",
            fault.get("trace", ""),
        ]
    return "\n".join([*lines, "", f"{len(found)} files, {len(faults)} faults"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="how many files")
    parser.add_argument("--seed", type=int, default=0, help="the same seed damages the same way")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, help="one number")
    parser.add_argument("--keep", help="folder for the damaged files of faults")
    parser.add_argument("--prepare", help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare:
        return prepare(arguments.prepare)
    if arguments.child:
        return work(arguments.child, arguments.seed)
    found, faults = run(arguments.count, arguments.seed, arguments.processes, arguments.only, arguments.keep)
    print(summary(found, faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
