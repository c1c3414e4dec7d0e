"""What every pretrained model promises."""

import dataclasses
import functools
import json
import pathlib

import numpy as np
import pytest
from small import data_for, made_by

import kerasgan
import kerasgan.zoo
from kerasgan import export, registry
from kerasgan.metrics import result


def test_loads_generates_and_fine_tunes(entry):
    gan = kerasgan.load(entry)
    samples = made_by(gan, 8, seed=1)
    np.testing.assert_array_equal(samples, made_by(gan, 8, seed=1))
    # Trained: samples differ from each other, and the discriminator came with its weights.
    values = gan.media.to_model(samples)  # whatever the medium, in [-1, 1]
    assert all(np.mean(np.abs(values[i] - values[j])) > 0.01 for i, j in [(0, 1), (2, 3)])
    untrained = kerasgan.build(kerasgan.registry.get(entry), compile=False)
    assert np.abs(gan.discriminator.get_weights()[0] - untrained.discriminator.get_weights()[0]).mean() > 1e-3
    data = data_for(gan, count=4 * gan.batches_per_step)
    logs = gan.fit(*data, batch_size=4, verbose=0).history
    assert np.isfinite(logs["generator_loss"]).all()


def test_labels_are_respected(entry):
    gan = kerasgan.load(entry)
    if gan.num_classes is None:
        return
    # Class means lie apart, beside how far samples of a class do (labels without effect make the ratio about 1), in
    # what samples of the medium are compared by: the mean of waveforms is silence.
    batches = [gan.generate(64, labels=label, seed=label) for label in range(gan.num_classes)]
    outlines = np.stack([gan.media.outline(gan.media.to_model(samples)) for samples in batches])
    between, within = 64 * outlines.mean(1).var(0, ddof=1), outlines.var(1, ddof=1).mean(0)
    assert between.mean() > 3 * within.mean()


def test_truncation_is_offered_where_it_makes_samples_more_precise(entry):
    gan = kerasgan.load(entry, compile=False)
    if not isinstance(gan, kerasgan.GAN):
        return
    scores = result.load(pathlib.Path(kerasgan.zoo.__path__[0]) / entry / registry.SCORES)
    precision = {score.truncation: score for score in scores if score.metric == "precision" and score.model == entry}
    if 0.25 not in precision:
        with pytest.raises(ValueError, match=f"nobody has measured yet whether it makes the samples of {entry} more"):
            gan.generate(2, truncation=0.25)
        return
    whole, chosen = precision[None], precision[0.25]
    result.check_comparable(whole, dataclasses.replace(chosen, truncation=None))
    error = np.sqrt(sum(r.value * (1 - r.value) / r.n_fake for r in (whole, chosen)))
    if chosen.value < whole.value + 3 * error:
        with pytest.raises(ValueError, match=f"{entry} clearly more precise .*{chosen.value:.3f} with 0.25"):
            gan.generate(2, truncation=0.25)
        return
    means = []
    for truncation in (None, 0.25):  # the discriminator's mean logit of some samples
        values = gan.media.to_model(gan.generate(32, seed=1, labels=gan.num_classes and 1, truncation=truncation))
        inputs = values if gan.num_classes is None else [values, np.ones(32, "int32")]
        means.append(np.mean(gan.discriminator(inputs, training=False)))
    assert means[1] > means[0]


@functools.lru_cache(maxsize=1)
def exportable(name):
    return export.Exportable.of(name)


@pytest.mark.parametrize("mode", export.MODES)
def test_exports_as_its_card_says(entry, mode, tmp_path):
    record = json.loads((pathlib.Path(kerasgan.zoo.__path__[0]) / entry / registry.PHONE).read_text())
    (recorded,) = [one for one in record["modes"] if one["quantization"] == mode]
    if recorded["passed"]:
        found = export.tflite(exportable(entry), tmp_path / "g.tflite", mode)
        assert found.size == pytest.approx(recorded["size"], rel=0.01)
        if mode == export.WEB_MODE:
            page = export.web({entry: tmp_path / "g.tflite"}, tmp_path / "page")
            assert [model["name"] for model in json.loads((page / "zoo.json").read_text())["models"]] == [entry]
        return
    assert mode != "float32"
    with pytest.raises(export.ToleranceError):
        export.tflite(exportable(entry), tmp_path / "g.tflite", mode)
    assert list(tmp_path.iterdir()) == []
