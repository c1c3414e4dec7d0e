"""What every pretrained model promises."""

import numpy as np
from small import data_for

import kerasgan


def test_loads_generates_and_fine_tunes(entry):
    gan = kerasgan.load(entry)
    samples = gan.generate(8, seed=1)
    np.testing.assert_array_equal(samples, gan.generate(8, seed=1))
    # Trained: samples differ from each other, and the discriminator came with its weights.
    assert all(np.mean(np.abs(samples[i].astype(int) - samples[j].astype(int))) > 1 for i, j in [(0, 1), (2, 3)])
    untrained = kerasgan.build(kerasgan.registry.get(entry), compile=False)
    assert np.abs(gan.discriminator.get_weights()[0] - untrained.discriminator.get_weights()[0]).mean() > 1e-3
    data = data_for(gan, count=4 * gan.discriminator_steps)
    logs = gan.fit(*data, batch_size=4, verbose=0).history
    assert np.isfinite(logs["generator_loss"]).all()


def test_labels_are_respected(entry):
    gan = kerasgan.load(entry)
    if gan.num_classes is None:
        return
    # Each class on its own is less varied than all classes together, and class means differ.
    means = np.stack([gan.generate(64, labels=label, seed=2).mean(0) for label in range(gan.num_classes)])
    assert np.abs(means[:, None].astype(float) - means[None]).mean() > 5
