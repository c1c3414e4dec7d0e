"""The table of `kerasgan augment --measure`, in Markdown."""

import math
import textwrap

from kerasgan.synthetic import statistics

_COLUMNS = (
    *("real samples a class", "seeds", "real", "classic", "GAN", "both"),
    *("classic − real", "GAN − real", "both − classic", "samples of the right class"),
)


def written(journal, about):
    """The table of what a journal holds: Markdown text.

    Args:
        journal: `kerasgan.synthetic.measuring.Journal`.
        about: dictionary of what the table was made from, see `Bench.about`.
    """
    rows = [_row(journal, size, about) for size in journal.sizes() if journal.seeds(size)]
    lines = ["| " + " | ".join(row) + " |" for row in (_COLUMNS, ["---"] * len(_COLUMNS), *rows)]
    return "\n".join([*_introduction(journal, about), "", *lines, ""])


def size_name(size):
    return "all" if size is None else str(size)


def _introduction(journal, about):
    """What the table shows, in sentences."""
    text = (
        f"Accuracy on {about['tested']} for tests, of {about['classes']} classes, which nothing else has seen. A small "
        f"classifier learns from real samples; from these, varied (classic: {about['variations']}); from them and "
        f"{about['per_class']} a class of a {about['gan']}, these real ones alone (GAN, {about['mix']:.0%} of each "
        "batch); or from both, varied. Steps are equal in a row. Differences are paired by seed, in points, with "
        "Student's 95 % interval; bold where it leaves out 0. Of generated samples, an independent classifier, which "
        f"is right for {about['judge']:.1%} of real ones, says how many are of the class that was asked for."
    )
    return ([f"`{journal.command}`", ""] if journal.command else []) + [textwrap.fill(text, 120)]


def _row(journal, size, about):
    seeds = journal.seeds(size)

    def values(arm, name="accuracy"):
        return [journal.found(size, seed, arm)[name] for seed in seeds]

    def difference(before, after):
        return _points(statistics.paired(values(before), values(after)))

    means = [f"{_mean(values(arm)):.1%}" for arm in ("real", "classic", "gan", "both")]
    differences = [difference(*arms) for arms in (("real", "classic"), ("real", "gan"), ("classic", "both"))]
    name = f"all ({about['all']})" if size is None else size_name(size)
    return [name, str(len(seeds)), *means, *differences, f"{_mean(values('gan', 'label_accuracy')):.1%}"]


def _points(interval):
    width = "?" if math.isnan(interval.half_width) else f"{100 * interval.half_width:.1f}"
    text = f"{100 * interval.mean:+.1f} ± {width}"
    return f"**{text}**" if interval.excludes_zero else text


def _mean(values):
    return math.fsum(values) / len(values)
