"""Which costly tests a run of everything takes: a sixth of them, another sixth after each commit.

All of them together take an hour on two cores. What is cheap always runs; what is costly, by type, entry or file, runs
when its turn comes, and at once after a change of the file that it is about. Where changes take much of the time that
there is, a half or a quarter of the sixth comes, and the rest of it in later rounds. `pytest --all` takes everything,
and so does whoever names files, or asks for some by -k or -m.
"""

import pathlib
import re
import subprocess

from kerasgan import registry

TURNS = 6
PARTS = (1, 2, 4)  # of which a sixth comes one, as large as there is time for; each divides the next one
SECONDS = 1600  # of one core for costly tests; cheap ones take 700, and 25 minutes of two cores are 3000
HOURS = 1  # before the newest commit: what was changed in this time is tested in any case

_FOLDERS = ("callbacks", "contract", "export", "layers", "metrics", "models")
_FILES = (
    "test_audio_reader.py",
    "test_augmentation.py",
    "test_auto.py",
    "test_benchmarks.py",
    "test_cli.py",
    "test_convert.py",
    "test_distribution.py",
    "test_endless.py",
    "test_examples.py",
    "test_export_tools.py",
    "test_extension.py",
    "test_faults.py",
    "test_game_variants.py",
    "test_hostile.py",
    "test_image_streams.py",
    "test_notebooks.py",
    "test_overflow.py",
    "test_precision.py",
    "test_publish_entry.py",
    "test_readme.py",
    "test_report.py",
    "test_resume.py",
    "test_score_command.py",
    "test_scores_benchmark.py",
    "test_stages.py",
    "test_synthetic.py",
    "test_tfgan.py",
    "test_train_digits.py",
    "test_train_spoken_digits.py",
    "test_translate_command.py",
)
# What a scope takes, in seconds of one core, where that is far from what others take.
_COSTS = {
    "test_page.py": 250,
    "test_readme.py": 270,
    "resume": 150,
    "test_cli.py": 140,
    "test_game_variants.py": 140,
    "test_hostile.py": 120,
    "test_collapse.py": 100,
    "test_text_to_image.py": 75,
    "test_publish_entry.py": 60,
    "test_stages.py": 55,
    "test_types.py": 50,
    "test_zoo.py": 40,
}
_COST = 15  # of each other scope
_ROOT = pathlib.Path(__file__).parents[1]


def scope(nodeid):
    """What is costly together, by the id of a test: (file, group, type or entry); None of a test that is cheap."""
    path, _, test = nodeid.partition("::")
    file = pathlib.PurePath(path)
    if file.name not in _FILES and file.parent.name not in _FOLDERS:
        return None
    words = re.findall(r"\w+", test.partition("[")[2])
    if file.name in ("test_resume.py", "test_distribution.py"):  # which share the runs of a group
        return "resume", "second" if words[:1] == ["second"] else "first", ""
    about = [word for word in words if word in registry.TYPES or word in registry.ZOO]
    return file.name, "", about[0] if about and file.name in ("test_types.py", "test_zoo.py") else ""


def in_turn(scopes, turn, changed=frozenset()):
    """Those of the scopes that run: those about what was changed, and every `TURNS`th from number `turn` on.

    Where these would take more than `SECONDS`, only every second or fourth of the latter comes, each round of `TURNS`
    turns another one. Whatever the changes are, a scope that a run of fourths takes is in those of halves, too: in four
    rounds each of them comes.

    Args:
        scopes: in the order in which tests are collected, without repetitions.
        turn: any whole number, such as that of the newest commit.
        changed: names of files without their endings, and of entries.
    """
    about = {one for one in scopes if subjects(one) & changed}
    sixth = scopes[turn % TURNS :: TURNS]
    for parts in PARTS:
        chosen = about | set(sixth[turn // TURNS % parts :: parts])
        if sum(map(cost, chosen)) <= SECONDS:
            break
    return chosen


def cost(one):
    """About how many seconds of one core a scope takes."""
    return _COSTS.get(one[0], _COST)


def subjects(one):
    """What a scope is about: names of files without their endings, and of an entry."""
    file, _, about = one
    stem = pathlib.PurePath(file).stem
    own = (
        {about, registry.TYPES[about].path.partition(":")[0].rpartition(".")[2]} if about in registry.TYPES else {about}
    )
    return {stem, stem.removeprefix("test_"), *own} - {"", "types", "zoo"}


def state(root=_ROOT):
    """(number of the newest commit, what was changed lately); None where there is no history to tell."""
    count = _git(root, "rev-list", "--count", "HEAD")
    time = _git(root, "log", "-1", "--format=%ct")
    if count is None or time is None:
        return None
    since = int(time) - 3600 * HOURS
    paths = _git(root, "log", f"--since={since}", "--name-only", "--format=") or ""
    paths += _git(root, "diff", "--name-only", "HEAD") or ""
    return int(count), frozenset(name for line in paths.split("\n") if line for name in _names(line))


def _names(path):
    """What a changed file stands for: its stem, and the entry whose folder it lies in."""
    path = pathlib.PurePath(path)
    yield path.stem
    if path.parts[0] == "zoo" and len(path.parts) > 2:
        yield path.parts[1]


def _git(root, *words):
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
