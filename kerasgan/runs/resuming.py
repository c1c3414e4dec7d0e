"""Going on with a training: what makes two commands the same training, and the same data."""

import hashlib
import json

from kerasgan.recipes import NOT_TRAINED, changed, differences, what_is_trained
from kerasgan.runs.folder import RECIPE, holds_recipe, read
from kerasgan.runs.reading import read_epoch


class _Nothing:
    """Stands for an argument that was not given."""

    def __repr__(self):
        return "nothing given"


_NOTHING = _Nothing()


def request(recipe, follow_data, initial):
    """What makes two commands the same training. Epochs may grow."""
    return {**what_is_trained(recipe), "follow_data": follow_data, "initial": None if initial is None else str(initial)}


def earlier(folder, asked):
    """What `recipe.json` says of an earlier training in the folder; None if there was none.

    Raises:
        ValueError: the folder holds another training, or something else.
    """
    if not holds_recipe(folder):
        if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise ValueError(f"out={str(folder)!r} holds files but no {RECIPE}: give a new folder, or an empty one.")
        return None
    from kerasgan import precision

    before = read(folder)
    # A number format that was chosen stays the same on another machine, and may be given instead of "auto".
    dtype = asked["dtype"] if asked["dtype"] == precision.AUTO else before["recipe"].dtype
    there = {name: value for name, value in (before["asked"] or {}).items() if name not in NOT_TRAINED}
    there["dtype"] = dtype
    if _begun_before_clips(there.get("data", {})) and asked["data"].get("crop") == "start":
        there["data"] = {**there["data"], "crop": "start"}
    found = (f"{name}: there {then!r}, now {now!r}" for name, then, now in differences(there, asked, _NOTHING))
    if others := "; ".join(found):
        again = f", or go on with: {before['command']}" if before["command"] else ""
        raise ValueError(
            f"out={str(folder)!r} holds a training with another recipe ({others}). Give another folder{again}."
        )
    return before


def _begun_before_clips(data):
    """Whether a recipe's data may be sounds that were cut at their start, as they were once unless a crop was given."""
    return data.get("reader") == "audio" and "crop" not in data


def read_as_before(recipe, source, before):
    """The recipe and its data, as a training that is gone on with read them when it began."""
    dataset = read_epoch(recipe, source)
    if before and _begun_before_clips(recipe.data) and before.get("fingerprint") != dataset.fingerprint:
        then = changed(recipe, {"data.crop": "start"})
        cut = read_epoch(then, source)
        if cut.fingerprint == before["fingerprint"]:
            return then, cut
    return recipe, dataset


def check_same_data(folder, before, dataset, source):
    """Raises a ValueError if an earlier training in the folder was one on other data."""
    known = before and before.get("fingerprint")
    if known and known != dataset.fingerprint:
        counts = before.get("count"), dataset.count
        same = counts[0] == counts[1]
        differ = "as many, but other samples" if same else f"{counts[0]} samples then, {counts[1]} now"
        raise ValueError(
            f"data={str(source)!r} is not what {str(folder)!r} was trained on, {before['data']!r} as it was then: "
            f"{differ}. Going on would not be the same training: give the same data, or another folder, with "
            "--finetune to start from this model."
        )


def check_agreement(strategy, values):
    """Raises a ValueError if these values, from which the training follows, are not the same on all workers."""
    from kerasgan import distribution

    digest = hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).digest()
    digests = distribution.values_of_workers(strategy, int.from_bytes(digest[:4], "big") >> 1)
    others = [str(number) for number, other in enumerate(digests) if other != digests[0]]
    if others:
        raise ValueError(
            f"Not all workers would do the same training as worker 0: {', '.join(others)} found another recipe, other "
            "data or another checkpoint. Start the same command on all of them, with a run folder that all of them see "
            "(a shared file system) and the same data."
        )
