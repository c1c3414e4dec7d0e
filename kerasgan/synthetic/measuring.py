"""What generated samples are worth as training data: a classifier with and without them, on real test samples."""

import contextlib
import dataclasses
import json
import os
import pathlib

import numpy as np

from kerasgan import console, files, registry, runs
from kerasgan.checks import is_number, is_whole
from kerasgan.synthetic import classifier, making, table

SIZES = (5, 10, 20, 50, None)
SEEDS = 5
MINUTES = 3  # of each GAN
ARMS = ("real", "classic", "gan", "both")
RESERVE = 5  # every so-manieth training sample is the independent classifier's
_STEPS = 500  # of a classifier, at least
_PASSES = 4  # over the real samples, at least
_JUDGE_STEPS = 1500
_JUDGED = 5000  # real samples that say how good the independent classifier is, at most
_TIMED_STEPS = 49


def measure(
    source,
    out,
    *,
    sizes=None,
    seeds=SEEDS,
    gan=None,
    labels=None,
    minutes=None,
    gan_samples=None,
    mix=0.25,
    mirror=False,
    per_class=making.PER_CLASS,
    changes=None,
    command=None,
):
    """Measures whether samples of a GAN help a classifier, and writes the table, as `kerasgan augment --measure` does.

    For each size and seed, so many real samples of each class are drawn from the training part. Four classifiers, of
    the same first weights, batch size and number of steps, learn from them: from the real ones alone ("real"), from
    these varied anew each time (`Media.varied`, "classic"), from the real ones and those of a GAN that was trained on
    these very samples alone ("gan"), and from both kinds, varied ("both"). A share `mix` of each batch is generated.
    All are scored on all of the test part, which nothing else sees: no GAN, no choice, no stopping. The
    table has mean accuracies, and paired differences with Student's 95 % interval over the seeds.

    Every fifth sample of each class of the training part is nobody's but an independent classifier's, which tells how
    many of the generated samples it takes for the class that they were made for. It chooses none of them.

    Results are appended to a `.jsonl` file beside the table as they come; the same call again takes only those that are
    missing, also with more sizes and seeds.

    Args:
        source: labelled data, as in `augment`.
        out: the table, a `.md` file.
        sizes: real samples of each class, of which None is all of them; None takes those of 5, 10, 20, 50 and all that
            the data have.
        seeds: how many: each draws other samples, first weights and batches, and trains another GAN.
        gan: a type, or a model whose recipe is trained anew (never its weights, which have seen more); None chooses by
            the kind of the data.
        labels, changes: as in `augment`.
        minutes: that a GAN is trained for; None takes 3. What they make of samples is measured once, for all of them to
            see as many.
        gan_samples: that a GAN sees in its training instead: the same on every machine.
        mix: share of generated samples in the batches of "gan" and "both", above 0 and below 1.
        mirror: whether mirror images are of the same class, and "classic" has them, too.
        per_class: generated samples of each class.
        command: how a user would repeat this.

    Returns:
        The table, as Markdown text.

    Raises:
        ValueError, OSError: arguments or data do not fit, as in `augment`; or `out` has results of another protocol.
    """
    path = check(source, out, sizes, seeds, gan, minutes, gan_samples, mix, per_class)
    console.import_tensorflow()
    bench = Bench.of(source, gan, labels, dict(changes or {}), per_class, mix, mirror)
    sizes = bench.sizes(sizes)
    minutes = MINUTES if minutes is None and gan_samples is None else minutes
    protocol = bench.protocol | {"minutes": minutes, "gan_samples": gan_samples}
    journal = Journal(path.with_suffix(".jsonl"), protocol, command)
    bench.prepare(journal, minutes, gan_samples)
    for size in sizes:
        for seed in range(seeds):
            _measure_one(bench, journal, size, seed)
            with files.atomic(path) as temporary:
                temporary.write_text(table.written(journal, bench.about), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def check(source, out, sizes, seeds, gan, minutes, gan_samples, mix, per_class):
    """Raises an error for arguments that cannot be right, before TensorFlow is imported. Returns `out` as a path."""
    if sizes is not None and not (sizes and all(size is None or is_whole(size, 2) for size in sizes)):
        raise ValueError(f"sizes={sizes!r}: expected numbers of samples of each class, at least 2, or all.")
    for name, value in (("seeds", seeds), ("per_class", per_class)):
        if not is_whole(value):
            raise ValueError(f"{name}={value!r}: expected a whole number, at least 1.")
    if not (is_number(mix) and 0 < mix < 1):
        raise ValueError(f"mix={mix!r}: expected a share of each batch above 0 and below 1, such as 0.25.")
    making.check_minutes(minutes)
    if gan_samples is not None and (minutes is not None or not is_whole(gan_samples)):
        raise ValueError(f"gan_samples={gan_samples!r}: expected a whole number, at least 1, in place of minutes.")
    making.check_source(source)
    if gan is not None:
        runs.recipe_of(gan)
    return files.check_output(out, (".md",), name="out")


class Bench:
    """The data in their parts, and what is trained on them.

    Attributes:
        media: `kerasgan.media.Media` of the samples.
        recipe: of the GANs.
        pool, reserve, test: `Labelled`: what arms draw from, the independent classifier's, what all are scored on.
        names, present: of the classes; the numbers of those that have samples.
        protocol: what makes results belong together, as JSON can hold it.
        about: for the table.
    """

    @classmethod
    def of(cls, source, gan, labels, changes, per_class, mix, mirror):
        """Reads the data; see `measure`."""
        from kerasgan import precision
        from kerasgan.data.labelled import parts_of
        from kerasgan.runs.preparing import shaped_by
        from kerasgan.synthetic import labelled, plans

        bench = cls()
        recipe = runs.changed(plans.planned(source, gan, labels), changes)
        train, test = parts_of(source, **recipe.data)
        dataset, _ = labelled.read(recipe, source, train)
        tested, _ = labelled.read(recipe, source, test, is_learned=False)
        if list(tested.class_names) != list(dataset.class_names):
            raise ValueError(
                f"data={str(source)!r}: the parts to train and to test on have other classes: "
                f"{', '.join(dataset.class_names)}, and {', '.join(tested.class_names)}."
            )
        dtype = "float32" if recipe.dtype == precision.AUTO else recipe.dtype
        recipe = dataclasses.replace(shaped_by(recipe, dataset), dtype=dtype)
        plans.check_takes_classes(recipe.gan_type)
        bench.recipe, bench.names = recipe, list(dataset.class_names)
        bench.media = _untrained(dataclasses.replace(recipe, seed=0, batch_size=2, compile={})).media
        bench.pool, bench.reserve = labelled.parted(labelled.held_in_memory(dataset, bench.media), RESERVE)
        bench.present = np.unique(bench.pool.labels)  # numbers between others may be no classes
        bench.test = labelled.held_in_memory(tested, bench.media)
        bench.shape = bench.media.to_classifier(bench.pool.samples[:1]).shape[1:]
        bench.mix, bench.mirror, bench.per_class = mix, mirror, per_class
        bench.in_shares = gan is None or gan in registry.TYPES  # schedules; recipes have them in samples
        bench.protocol = {
            "data": dataset.fingerprint,
            "test": tested.fingerprint,
            "recipe": json.loads(json.dumps(runs.what_is_trained(recipe))),
            **{"per_class": per_class, "mix": mix, "mirror": mirror, "reserve": RESERVE},
        }
        return bench

    def sizes(self, sizes):
        """The sizes, of which None takes the usual ones. Raises a ValueError for one that a class does not have."""
        counts = np.bincount(self.pool.labels)
        fewest = self.present[counts[self.present].argmin()]
        if sizes is None:
            return [size for size in SIZES if size is None or size <= counts[fewest]]
        for size in sizes:
            if size is not None and size > counts[fewest]:
                raise ValueError(
                    f"sizes: {size} samples of each class, but {self.names[fewest]!r} has {counts[fewest]} in the "
                    "training part, after every fifth was taken for the independent classifier."
                )
        return sizes

    def prepare(self, journal, minutes, gan_samples):
        """Finds out how long GANs are trained, and trains the independent classifier."""
        if "gan_samples" not in journal.facts:
            journal.add_facts(gan_samples=self._samples_in(minutes) if gan_samples is None else gan_samples)
        self.gan_samples = journal.facts["gan_samples"]
        random = np.random.default_rng(0)
        batches = classifier.drawn(*self.reserve, classifier.BATCH, random)
        self.learner, self.judge = (classifier.Learner(self.media, self.shape, len(self.names)) for _ in range(2))
        self.judge.learn(batches, _JUDGE_STEPS, seed=0)
        judged = self.pool.rows(random.permutation(len(self.pool))[:_JUDGED])
        right = self.judge.accuracy(*judged)
        console.write(f"The independent classifier names {right:.1%} of {len(judged)} real samples right.")
        each = np.bincount(self.pool.labels)[self.present]
        self.about = {
            "data": self.recipe.data,
            "gan": f"{self.recipe.gan_type} that sees {self.gan_samples:,} samples",
            "classes": len(self.present),
            "all": f"{each.min()} to {each.max()}" if each.min() < each.max() else f"{each[0]}",
            "tested": f"{len(self.test):,} {self.media.plural}",
            "variations": f"{self.media.variations or 'none'}{', mirroring' * self.mirror}",
            "judge": right,
            "mix": self.mix,
            "per_class": self.per_class,
        }

    def _samples_in(self, minutes):
        """Samples that a GAN sees in some minutes here."""
        from kerasgan.runs.preparing import samples_per_second

        recipe = dataclasses.replace(
            self.recipe, seed=0, batch_size=self._batch(len(self.pool)), compile=self._compile(1)
        )
        speed = samples_per_second(recipe, self._dataset(self.pool, recipe), None, _TIMED_STEPS)
        console.write(
            f"{speed:.0f} samples a second here: {minutes:g} minutes are {60 * minutes * speed:,.0f} samples."
        )
        return max(1, round(60 * minutes * speed))

    def _batch(self, count):
        return min(self.recipe.batch_size or 32, count)

    def _compile(self, samples):
        from kerasgan import schedules

        return schedules.stretched(self.recipe.compile, samples) if self.in_shares else self.recipe.compile

    def _dataset(self, real, recipe):
        from kerasgan.data.dataset import Dataset

        samples = self.media.to_model(real.samples)
        return Dataset.of(samples, recipe.batch_size, labels=real.labels, seed=recipe.seed)

    def generated(self, real, seed):
        """Samples of a GAN that was trained on `real` alone: a `Labelled`."""
        from kerasgan.synthetic.labelled import Labelled

        recipe = dataclasses.replace(
            self.recipe, seed=seed, batch_size=self._batch(len(real)), compile=self._compile(self.gan_samples)
        )
        gan = _untrained(recipe)
        steps = max(1, self.gan_samples // (recipe.batch_size * gan.batches_per_step))
        gan.fit(self._dataset(real, recipe).endless(0), steps_per_epoch=steps, verbose=0)
        labels = np.repeat(self.present, self.per_class)
        return Labelled(gan.generate(len(labels), labels=labels, seed=seed), labels)

    def label_accuracy(self, fakes):
        """The share of generated samples that the independent classifier takes for what they were made to be."""
        return self.judge.accuracy(*fakes)

    def steps(self, real):
        """Steps of a classifier, the same in all arms."""
        return max(_STEPS, _PASSES * len(real) // classifier.BATCH)

    def accuracy(self, real, fakes, is_varied, seed):
        """Accuracy on the test part of a classifier that learned from real samples, and generated ones if there are."""
        random = np.random.default_rng(seed)
        generated = round(classifier.BATCH * self.mix) if fakes is not None else 0
        sources = [classifier.drawn(*real, classifier.BATCH - generated, random)]
        sources += [classifier.drawn(*fakes, generated, random)] if generated else []

        def batches():
            for parts in zip(*sources, strict=True):
                samples, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
                yield (self.media.varied(samples, random, self.mirror) if is_varied else samples), labels

        self.learner.learn(batches(), self.steps(real), seed)
        return self.learner.accuracy(*self.test)


def _untrained(recipe):
    """A compiled GAN by a recipe, the same for the same seed."""
    import keras

    keras.utils.set_random_seed(recipe.seed)
    return registry.build(runs.changed(recipe, {}))


def _measure_one(bench, journal, size, seed):
    """Takes what is missing of the four results of a size and a seed."""
    missing = [arm for arm in ARMS if journal.found(size, seed, arm) is None]
    if not missing:
        return
    real = bench.pool.few(size, np.random.default_rng([seed, size or 0]))
    fakes, facts = None, {}
    for arm in missing:
        if arm in ("gan", "both") and fakes is None:
            fakes = bench.generated(real, seed)
            facts = {"label_accuracy": bench.label_accuracy(fakes)}
        is_made, is_varied = arm in ("gan", "both"), arm in ("classic", "both")
        accuracy = bench.accuracy(real, fakes if is_made else None, is_varied, seed)
        facts_of = facts if is_made else {}
        journal.add(size=size, seed=seed, arm=arm, accuracy=accuracy, steps=bench.steps(real), **facts_of)
        right = f", {facts['label_accuracy']:.1%} of its samples of the right class" if is_made else ""
        console.write(f"{table.size_name(size)} a class, seed {seed}, {arm}: {accuracy:.2%}{right}")


class Journal:
    """Results in a file of JSON lines, the first of which says by what protocol they came.

    A last line that a killed process left unfinished is dropped.

    Args:
        path: the file; made if it is missing.
        protocol: a dictionary; results of another one are refused.
        command: how a user would repeat this.

    Attributes:
        facts: what was measured once for all results.
        results: list of dictionaries.
    """

    def __init__(self, path, protocol, command=None):
        self._path, self.command = pathlib.Path(path), command
        self.facts, self.results = {}, []
        lines = self._whole_lines()
        if not lines:
            self._append({"protocol": protocol, "command": command})
            return
        others = [name for name in protocol if lines[0].get("protocol", {}).get(name) != protocol[name]]
        if others:
            raise ValueError(
                f"{str(path)!r} holds results of another measurement ({', '.join(others)} differ): give another --out."
            )
        for line in lines[1:]:
            self.facts.update(line.get("facts", {}))
            if "arm" in line:
                self.results.append(line)

    def _whole_lines(self):
        if not self._path.exists():
            return []
        text = self._path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        try:
            lines = [files.parse_json(line) for line in whole.splitlines()]
            if not all(isinstance(line, dict) for line in lines) or (lines and "protocol" not in lines[0]):
                raise ValueError("a line that kerasgan did not write")
        except ValueError as error:
            raise ValueError(f"{str(self._path)!r} was not written by augment --measure ({error}).") from error
        if whole != text:
            with open(self._path, "r+b") as file:
                file.truncate(len(whole))
        return lines

    def _append(self, line):
        with contextlib.ExitStack() as stack:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(open(self._path, "a", encoding="utf-8"))
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def add_facts(self, **facts):
        self.facts.update(facts)
        self._append({"facts": facts})

    def add(self, **result):
        self.results.append(result)
        self._append(result)

    def found(self, size, seed, arm):
        """The result, or None."""
        wanted = {"size": size, "seed": seed, "arm": arm}
        return next((one for one in self.results if wanted.items() <= one.items()), None)

    def sizes(self):
        """Those of which there are results, small ones first, all of the samples last."""
        return sorted({one["size"] for one in self.results}, key=lambda size: (size is None, size))

    def seeds(self, size):
        """Those for which all four results of a size are there."""
        seeds = sorted({one["seed"] for one in self.results if one["size"] == size})
        return [seed for seed in seeds if all(self.found(size, seed, arm) for arm in ARMS)]
