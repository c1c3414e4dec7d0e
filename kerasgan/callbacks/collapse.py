"""The health of a training: a collapse is noticed in minutes, and a training can go back to before it."""

import itertools
import json
import math
import os
import pathlib
import statistics
import warnings

import keras
import numpy as np
import tensorflow as tf

from kerasgan import distribution, files
from kerasgan.callbacks import variety
from kerasgan.checks import is_whole
from kerasgan.console import say
from kerasgan.keras_file import contents
from kerasgan.structures import each, joined, length

PATIENCE = 100_000  # samples seen after which samples must differ, even if they never did; slow learners need 80,000
_PLAYERS = ("discriminator", "generator")
_COLLAPSED, _VARIED = 0.35, 0.5  # diversity below which samples have collapsed, and above which they have not
_ALIKE, _DISTINCT = 0.5, 0.25  # the same of the share of duplicates
_ALWAYS = 0.99  # share of pairs won by a discriminator that always wins
_FAR_AHEAD = 0.965  # mean share of pairs won, over some checks, by one that the generator learns little from
_FACTOR = 100  # how far a gradient norm leaves the run's median before it counts as exploding, or as vanished
_NOTHING = 1e-7  # a gradient norm that moves nothing, whatever the median
_CALM = 3  # checks without findings before their median means something
_AHEAD = 3  # checks over which that mean is taken
_EARLY = 25_000  # samples before which it says nothing
_FALLS = 3  # checks in a row at which a loss scale fell
_KEYS = {"epoch", "step", "samples"}
_ADVICE = {
    "collapsing": "The generator makes ever fewer different samples. Look at the newest samples; then start again with "
    'a lower learning rate, with augmentation (augmentation="adaptive"), with a penalty such as R1, or with a larger '
    "batch.",
    "one-sided": "The discriminator always wins, and hardly any gradient reaches the generator: it learns nothing. "
    "Start again with a lower learning rate for the discriminator, with a penalty such as R1, with augmentation, or "
    'with the loss "non_saturating".',
    "unequal": "The discriminator tells nearly all pairs apart, and the generator learns slowly from it: samples stay "
    "blurred. Start again with a discriminator that finds it harder: without batch normalization in it "
    '(normalization="none"), with a penalty such as R1, with augmentation (augmentation="translation" or "adaptive").',
    "exploding": "Weights are about to be lost. Start again with a lower learning rate, or with clip_gradients=10.",
    "losing precision": "Gradients overflow in float16 again and again. Train in mixed_bfloat16 or in float32.",
}
_GOING_BACK = ("collapsing", "one-sided", "exploding")  # another seed does not help against the last one


class CollapseWarning(UserWarning):
    """A training that goes wrong: samples that grow alike, a game that one player has won, gradients that explode."""


class CollapseMonitor(keras.callbacks.Callback):
    """Watches the health of a training: says it in a line, warns when it goes wrong, and can go back.

    Every 10,000 samples or so it looks at

    - 64 samples of the generator as it is trained (its moving average hides a collapse for a while): how much they
      differ, beside real ones (`diversity`, 1 is as varied as the data), and how many have another one nearly like
      them (`duplicates`), which finds a generator that makes a few things over and over;
    - the share of pairs of a real and a fake sample that the discriminator gets right, since the last check;
    - the norms of both players' gradients, beside their medians in this run;
    - in float16, the loss scales.

    What it finds is a line, `health: good - ...`, one an epoch at most and one when something changes; numbers in the
    epoch's logs (`sample_diversity`, `duplicate_samples`), for callbacks that come after this one; and a row in
    `health.json`. When something begins to go wrong, a `CollapseWarning` says what to do:

    - `collapsing`: diversity below 0.35, or half of the samples duplicates. Samples of an untrained generator are all
      alike, too: it counts only once they were varied, or after 100,000 samples seen.
    - `one-sided`: the discriminator wins all pairs *and* the generator's gradient has vanished, below 1/100 of its
      median. (A Wasserstein critic may win all pairs and be right to.)
    - `unequal`: the discriminator won nearly all pairs in three checks, after 25,000 samples or later. Not where it is
      a critic, or where the generator minimizes more than the adversarial loss and learns from that, too.
    - `exploding`: a gradient norm above 100 times its median.
    - `losing precision`: a loss scale of 1 or below, or one that keeps falling.

    A check does not alter the training. It takes place at the same step whenever the training is interrupted, and
    going on with the same folder goes on with its rows.

    With `rollback`, the model at the end of an epoch whose check was good is kept as `healthy.keras`. After two bad
    checks in a row (`collapsing`, `one-sided` or `exploding`), everything that was learned goes back to it: networks,
    moving average, both optimizers, loss scales, augmentation, samples seen. The seed of the training changes, so that
    it does not run into the same collapse; the order of the data and the numbers of epochs go on. After the allowed
    number of returns, the next collapse goes back a last time and ends the training.

    ```python
    gan.fit(photos, epochs=100, callbacks=[kerasgan.callbacks.CollapseMonitor("run/", rollback=2)])
    ```

    Args:
        folder: where `health.json` and `healthy.keras` go; made if it is missing.
        every: samples seen between two checks, about: they are at epochs' ends or divide an epoch evenly.
        real: samples to compare with: an array in natural units, or a `tf.data.Dataset` of batches in model range, of
            which the first 64 are taken. None takes the first ones that the training sees; where that is not possible
            (on several devices), samples are compared with the run's own most varied ones.
        network: what samples are seen through, as in `kerasgan.metrics.evaluate`; None compares coarse pixels, which is
            cheap and does for any kind of sample.
        rollback: how many times a training may go back.
        seed: of the samples, the same at every check.
        checkpoint: the `Checkpoint` of this training, which comes later in the list: it tells where an interrupted
            epoch goes on, and saves after a return.

    Raises:
        ValueError: an argument is not what it should be; when training begins, `rollback` on several machines.
        OSError: when training begins, if nothing can be written in the folder; later, if that changes.
    """

    filename = "health.json"
    healthy = "healthy.keras"

    def __init__(self, folder, every=10_000, real=None, network=None, rollback=0, seed=0, checkpoint=None):
        super().__init__()
        for name, value, least in (("every", every, 1), ("rollback", rollback, 0)):
            if not is_whole(value, least):
                raise ValueError(f"{name}={value!r}: expected a whole number of at least {least}.")
        if real is not None and not isinstance(real, (np.ndarray, tf.data.Dataset)):
            raise ValueError(f"real is a {type(real).__name__}; expected an array, or a tf.data.Dataset of batches.")
        self.path = pathlib.Path(folder) / self.filename
        self.every, self.rollback, self.seed = int(every), int(rollback), seed
        self._real, self._network, self._checkpoint = real, network, checkpoint
        self._rows, self._seen_reals, self._watching = None, [], True

    def watch(self, dataset):
        """The data set, its first samples remembered as steps take them; `GAN.fit` asks for it."""
        if self._real is not None or not self._watching:
            return dataset

        def remember(*parts):
            if self._watching:
                self._seen_reals.append(self.model.real_samples(parts))  # the tensor stays: nothing is copied
                self._watching = sum(map(length, self._seen_reals)) < variety.COUNT

        def note(*parts):
            tensors = tf.nest.flatten(parts)
            tf.py_function(lambda *flat: remember(*tf.nest.pack_sequence_as(parts, flat)), tensors, [])
            return parts if len(parts) > 1 else parts[0]

        return dataset.map(note)

    # Where checks take place -----------------------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        files.check_folder(self.path.parent)
        if self.rollback and distribution.workers(self.model.distribute_strategy) > 1:
            raise ValueError(f"rollback={self.rollback}: a training on several machines cannot go back; leave it out.")
        if isinstance(self._real, np.ndarray):
            self.model.media.check(self._reals(), "real")
        if self._network is not None:
            from kerasgan.metrics import features

            self._network = features.get(self._network)
        self._rows, self._step_size = None, None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._printed = epoch + 1, None
        resumed = self._checkpoint is not None and self._checkpoint.epoch == epoch
        self._first = self._done = self._checkpoint.first_step if resumed else 0
        self._steps = self._first + self.params["steps"] if self.params.get("steps") else None
        if self._rows is None:
            self._rows = [row for row in self._recovered() if (row["epoch"], row["step"]) <= (epoch + 1, self._first)]
            if not self._rows:  # the beginning, from where samples are counted
                self._rows = [{"epoch": 0, "step": 0, "samples": self._samples_seen()}]
                self._write()
            if "real" in self._rows[0]:
                self._watching = False
                self._seen_reals.clear()

    def on_train_batch_begin(self, batch, logs=None):
        if self._step_size is None:
            self._begun = batch, self._samples_seen()

    def on_train_batch_end(self, batch, logs=None):
        if self._step_size is None:
            first, seen = self._begun
            self._step_size = (self._samples_seen() - seen) / (batch + 1 - first)
        before, self._done = self._done, self._first + batch + 1
        if self._done != self._steps and self._is_due(before, self._done):
            self._check(ends_epoch=False)

    def on_epoch_end(self, epoch, logs=None):
        self._watching = False  # the next epoch has the same samples again
        if self._samples_seen() - self._counted_from() >= self.every / 2:
            self._check(ends_epoch=True)
        row = self._rows[-1]
        if row["epoch"] == self._epoch:
            if logs is not None:
                logs |= {"sample_diversity": row["diversity"], "duplicate_samples": row["duplicates"]}
            self._print(row)

    def _is_due(self, before, after):
        """Whether a check lies between two numbers of steps done in this epoch."""
        if not self._steps:
            spacing = max(1, math.ceil(self.every / self._step_size))
            return before // spacing < after // spacing
        checks = max(1, round(self._steps * self._step_size / self.every))
        return before * checks // self._steps < after * checks // self._steps

    def _counted_from(self):
        """Samples seen at the last check, once it was over."""
        return self._rows[-1].get("back_to", self._rows[-1]["samples"])

    def _samples_seen(self):
        return int(keras.ops.convert_to_numpy(self.model.samples_seen))

    # A check ---------------------------------------------------------------------------------------------------------

    def _check(self, ends_epoch):
        row = {"epoch": self._epoch, "step": self._done, "samples": self._samples_seen()}
        row |= {**self._variety(), **self._window(), "loss_scales": self._loss_scales()}
        before = self._rows[-1]
        row["states"] = self._states(row)
        row["verdict"] = ", ".join(row["states"]) or ("early" if _has_collapsed(row) else "good")
        row["rollbacks"] = before.get("rollbacks", 0)
        self._rows.append(row)
        if row["verdict"] != before.get("verdict", "good"):  # others are told at the end of the epoch
            self._print(row)
        self._warn({*row["states"]} - {*before.get("states", ())}, row)
        if self.rollback and ends_epoch and row["verdict"] == "good":
            self._keep(row)
        elif self.rollback and _goes_back(before) and _goes_back(row):
            self._go_back(row)
        self._write()

    def _variety(self):
        """How much the generator's samples differ, beside what there is to compare them with."""
        start, media = self._rows[0], self.model.media
        if "real" not in start:
            start["real"] = self._reference()
        count = start["real"]["count"] if start["real"] else variety.COUNT
        fakes = self.model.watched_samples(count, self.seed)
        if length(fakes) < 2:  # of the only example that a translator has, which says nothing
            return {"count": length(fakes), "diversity": 1.0, "duplicates": 0.0, "distance": None, "nearest": None}
        found = variety.spread(variety.features(fakes, media, self._network))
        row = {"distance": found.mean, "nearest": float(np.median(found.nearest))}
        known = [start["real"]] if start["real"] else [*self._rows[1:], row]  # without reals, the run's own best
        mean, nearest = max((spread["distance"], spread["nearest"]) for spread in known)
        diversity, duplicates = variety.compare(found, mean, nearest)
        row = {"diversity": diversity, "duplicates": duplicates, **row}
        return {"count": count, **{name: _short(value) for name, value in row.items()}}

    def _reference(self):
        """The distances among real samples, or None where there are none to be had."""
        samples = self._reals()
        self._seen_reals.clear()
        if samples is None or length(samples) < 2:
            return None
        found = variety.spread(variety.features(samples, self.model.media, self._network))
        return {"count": length(samples), "distance": found.mean, "nearest": float(np.median(found.nearest))}

    def _reals(self):
        """Up to 64 of them in model range; None if there are none."""
        if isinstance(self._real, np.ndarray):  # files are often sorted by class
            chosen = np.linspace(0, len(self._real) - 1, min(variety.COUNT, len(self._real))).round().astype(int)
            return self.model.media.to_model(self._real[chosen])
        batches = self._seen_reals if self._real is None else self._until_enough()
        samples = [each(_numbers, batch) for batch in batches]
        return each(lambda part: part[: variety.COUNT], joined(samples)) if samples else None

    def _until_enough(self):
        """Batches of the data set that was given, in model range, until there are enough."""
        count = 0
        for batch in self._real:
            samples = self.model.real_samples(batch if isinstance(batch, tuple) else (batch,))
            yield samples
            count += length(samples)
            if count >= variety.COUNT:
                return

    def _window(self):
        """Accuracy and gradient norms since the last check in this epoch, or since its beginning."""
        last = self._rows[-1]
        since = last.get("sums", {}) if last["epoch"] == self._epoch else {}
        strategy, sums, means = self.model.distribute_strategy, {}, {}
        for metric in self.model.metrics:
            if metric.name == "discriminator_accuracy" or metric.name.endswith("_gradient_norm"):
                now = [sum(distribution.local_values(strategy, part)) for part in (metric.total, metric.count)]
                total, count = np.subtract(now, since.get(metric.name, (0.0, 0.0)))
                sums[metric.name] = now
                means[metric.name] = _short(total / count) if count else None
        gradients = {player: means.get(f"{player}_gradient_norm") for player in _PLAYERS}
        return {"accuracy": means.get("discriminator_accuracy"), "gradients": gradients, "sums": sums}

    def _loss_scales(self):
        optimizers = {player: getattr(self.model, f"{player}_optimizer", None) for player in _PLAYERS}
        scaled = {player: o.dynamic_scale for player, o in optimizers.items() if hasattr(o, "dynamic_scale")}
        return {player: float(keras.ops.convert_to_numpy(scale)) for player, scale in scaled.items()}

    # What it means ---------------------------------------------------------------------------------------------------

    def _states(self, row):
        """Names of what goes wrong, of those that `_ADVICE` knows."""
        checks = self._rows[1:]
        was_varied = any(check["diversity"] >= _VARIED and check["duplicates"] < _DISTINCT for check in checks)
        accuracy, norms, medians = row["accuracy"], row["gradients"], self._medians()
        vanished = _below(norms["generator"], max(_NOTHING, medians["generator"] / _FACTOR))
        wrong = {
            "collapsing": _has_collapsed(row) and (was_varied or row["samples"] >= PATIENCE),
            "one-sided": accuracy is not None and accuracy >= _ALWAYS and vanished,
            "unequal": row["samples"] >= _EARLY and self._is_unequal(accuracy),
            "exploding": any(_below(medians[p] * _FACTOR, norms[p]) for p in _PLAYERS if medians[p]),
            "losing precision": any(self._is_falling(*scale) for scale in row["loss_scales"].items()),
        }
        return [name for name, is_wrong in wrong.items() if is_wrong]

    def _medians(self):
        """The median gradient norm of each player over checks that found nothing; 0 while there are too few."""
        medians = {}
        for player in _PLAYERS:
            norms = [check["gradients"][player] for check in self._rows[1:] if not check["states"]]
            norms = [norm for norm in norms if norm is not None]
            medians[player] = statistics.median(norms) if len(norms) >= _CALM else 0.0
        return medians

    def _is_unequal(self, accuracy):
        """Whether the discriminator has been far ahead for some checks, in a game in which that is a bad sign."""
        shares = [*(check["accuracy"] for check in self._rows[1:][1 - _AHEAD :]), accuracy]
        if len(shares) < _AHEAD or None in shares or statistics.mean(shares) < _FAR_AHEAD:
            return False
        return self.model.lives_by_its_discriminator

    def _is_falling(self, player, scale):
        earlier = [check["loss_scales"].get(player, math.inf) for check in self._rows[-_FALLS:] if "states" in check]
        scales = [*earlier, scale]
        falls = [after < before for before, after in itertools.pairwise(scales)]
        return scale <= 1 or (len(falls) == _FALLS and all(falls))

    def _describe(self, row):
        """The measures in words."""
        told = self._rows[0].get("real")
        beside = "the data" if told else "at their best"
        told_apart = row["distance"] is not None
        parts = [f"samples {'only ' * _has_collapsed(row)}{row['diversity']:.0%} as varied as {beside}"] * told_apart
        alike = round(row["duplicates"] * row["count"])
        parts += [f"{alike} of {row['count']} nearly alike"] if row["duplicates"] >= _DISTINCT else []
        if row["accuracy"] is not None:
            parts.append(f"discriminator right in {row['accuracy']:.0%} of pairs")
        return ", ".join([*parts, self._describe_gradients(row)]).replace("%", " %")

    def _describe_gradients(self, row):
        known = {player: norm for player, norm in row["gradients"].items() if norm is not None}
        norms = ", ".join(f"{player}'s {norm:.3g}" for player, norm in known.items())
        if "exploding" in row["states"]:
            return f"gradients explode ({norms})"
        if "one-sided" in row["states"]:
            return f"the generator's gradient has vanished ({norms})"
        if "losing precision" in row["states"]:
            return f"loss scales down to {min(row['loss_scales'].values()):g}"
        return "gradients steady" if known else "gradients unknown"

    def _print(self, row):
        """Prints the line of a check, once."""
        if self._printed is not row:
            say(f"health: {row['verdict']} - {self._describe(row)}")
        self._printed = row

    def _warn(self, begun, row):
        for state in sorted(begun):
            hint = " With rollback=2, a training goes back by itself."
            hint = "" if self.rollback or state not in _GOING_BACK else hint
            warnings.warn(
                f"Training is {state} in epoch {self._epoch}, after {row['samples']} samples: {self._describe(row)}. "
                f"{_ADVICE[state]}{hint}",
                CollapseWarning,
                stacklevel=3,
            )

    # Going back ------------------------------------------------------------------------------------------------------

    def _keep(self, row):
        """Keeps the model as the last healthy one.

        Not in an epoch in which it went back: until that is in a checkpoint, an interrupted training does it again, and
        needs the model that it went back to.
        """
        if any("back_to" in check for check in self._rows if check["epoch"] == self._epoch):
            return
        with files.atomic(self.path.with_name(self.healthy)) as temporary:
            self.model.save(temporary)
        row["kept"] = True

    def _go_back(self, row):
        self._print(row)
        kept = [check for check in self._rows[1:] if check.get("kept")]
        if not kept:
            say("health: nothing to go back to: no epoch has ended in good health yet.")
            return
        try:
            path = self._checked(self.path.with_name(self.healthy))
        except (OSError, ValueError) as error:
            warnings.warn(f"The training cannot go back to its healthy model: {error}", CollapseWarning, stacklevel=4)
            return
        self.model.load_weights(path)  # all of its state, in place: the compiled training step goes on
        row["back_to"], row["rollbacks"] = self._samples_seen(), row["rollbacks"] + 1
        self._change_seed(row["rollbacks"])
        if self._checkpoint is not None:
            self._checkpoint.save_soon()
        self._say_return(row, kept[-1])

    def _checked(self, path):
        """The path, after a look at every byte: what is wrong must not be found out when half of it is loaded."""
        saved, _ = contents(path)
        own = json.loads(json.dumps(keras.saving.serialize_keras_object(self.model)))
        if saved["config"] != own["config"]:
            raise ValueError(f"{str(path)!r} holds another model.")
        return path

    def _change_seed(self, number):
        """Gives the training seeds that no other return to the same model has had."""
        state = self.model.training_seeds.state
        seed = tf.random.experimental.stateless_fold_in(tf.cast(tf.convert_to_tensor(state), tf.int32), number)
        state.assign(seed.numpy().astype("int64") % 2**31)

    def _say_return(self, row, kept):
        model = f"the model of epoch {kept['epoch']} ({row['back_to']} samples), the last healthy one"
        if row["rollbacks"] <= self.rollback:
            say(f"health: went back to {model}, with another seed: {row['rollbacks']} of {self.rollback} times.")
            return
        self.model.stop_training = True
        returns = f"{self.rollback} return{'s' * (self.rollback > 1)}"
        say(f"health: collapsed again after {returns}; training stops with {model}. {_ADVICE[row['states'][0]]}")

    # Its file --------------------------------------------------------------------------------------------------------

    def _write(self):
        with files.atomic(self.path) as temporary:
            rows = ",\n".join(json.dumps(row) for row in self._rows)
            temporary.write_text(f"[\n{rows}\n]\n", encoding="utf-8")

    def _recovered(self):
        """The rows of the file; a damaged one is put aside."""
        try:
            return read(self.path.parent)
        except ValueError as error:
            aside = self.path.with_name(f"{self.path.stem}.damaged{self.path.suffix}")
            os.replace(self.path, aside)
            warnings.warn(f"{error} It is kept as {aside.name!r}; a new one begins.", stacklevel=2)
            return []


def read(folder):
    """What `CollapseMonitor` has written in a folder: a list of dicts, one a check, in order; [] if there is nothing.

    The first one, of epoch 0, is the beginning of the training, with the distances among `real` samples (None if there
    were none). A check has

    - `epoch` (the running one, from 1), `step` (done in it), `samples` (seen);
    - `diversity`, `duplicates`, and the distances that they come from; `accuracy`; `gradients` and `loss_scales` by
      player; `sums`, from which the next check goes on;
    - `states`: names of what goes wrong; `verdict`: these, or "good", or "early" while samples do not differ yet;
    - `rollbacks`: how many times training has gone back; `back_to`, where it did: to how many samples seen; `kept`,
      where the model was kept as the last healthy one.

    Raises:
        ValueError: `health.json` there holds something else.
    """
    path = pathlib.Path(folder) / CollapseMonitor.filename
    if not path.is_file():
        return []
    return files.read_json(path, _checked, "was not written by CollapseMonitor", ".")


def _checked(rows):
    """The rows, if they are those of checks."""
    start, *checks = rows
    real = start.get("real")
    is_start = real is None or _are_numbers(real["count"], real["distance"], real["nearest"])
    if not is_start or not all(_is_place(row) for row in rows) or not all(map(_is_check, checks)):
        raise ValueError("its rows are not those of checks")
    return rows


def _is_place(row):
    return _KEYS <= {*row} and all(type(row[key]) is int and row[key] >= 0 for key in _KEYS)


def _is_check(row):
    norms = [norm for norm in map(row["gradients"].get, _PLAYERS) if norm is not None]
    sums = [number for pair in row.get("sums", {}).values() for number in pair]
    numbers = row["diversity"], row["duplicates"], row["rollbacks"], *norms, *row["loss_scales"].values(), *sums
    optional = [row[key] for key in ("distance", "nearest", "accuracy", "back_to") if row.get(key) is not None]
    return isinstance(row["verdict"], str) and {*row["states"]} <= {*_ADVICE} and _are_numbers(*numbers, *optional)


def _are_numbers(*values):
    return all(type(value) in (int, float) for value in values)


def _has_collapsed(row):
    return not row["diversity"] >= _COLLAPSED or row["duplicates"] >= _ALIKE  # what is NaN has collapsed, too


def _goes_back(row):
    """Whether a check is one of those that two in a row make a training go back."""
    return "back_to" not in row and any(state in _GOING_BACK for state in row.get("states", ()))


def _below(number, bound):
    return number is not None and bound is not None and number < bound


def _short(value):
    return float(f"{value:.6g}")


def _numbers(part):
    """A tensor as NumPy computes with it: bfloat16 as float32."""
    part = np.asarray(part)
    return part.astype("float32") if part.dtype.kind in "fV" else part
