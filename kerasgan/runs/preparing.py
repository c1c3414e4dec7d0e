"""From a recipe to a model that can be trained: what nobody gave is chosen, drawn or taken from the data."""

import copy
import dataclasses
import inspect
import math
import random

from kerasgan import console, defaults, registry, weights
from kerasgan.recipes import changed
from kerasgan.runs.opening import load
from kerasgan.runs.reading import reader

_SAMPLES = 500_000  # seen in a training whose length nobody gave: about 90 minutes for 64x64 images on two cores
_FINETUNING_SAMPLES = 100_000
_TIMED_STEPS = 6  # of a training in each number format; the first one, which builds the graph, does not count
_TIMED_LONGER = 49  # that tell how long a training takes, three times all that is done lazily among them
_STEPS_SHARE = 0.9  # of the time of a training; in the rest, sheets and checkpoints are written


def check_arguments(recipe):
    """Raises a ValueError for arguments in a recipe that nothing takes."""
    gan_class = registry.gan_class(recipe.gan_type)
    for field, function in (("model", gan_class), ("compile", gan_class.compile), ("data", reader(recipe))):
        known = set(inspect.signature(function).parameters) - {"self", "source"}
        unknown = sorted(set(getattr(recipe, field)) - known - {"reader"})
        if unknown:
            raise ValueError(f"{field}.{unknown[0]} is unknown; {field} takes: {', '.join(sorted(known))}.")


def completed(recipe, dataset, follow_data, strategy, is_new, duration=None):
    """The recipe with all that its training needs, and the data in batches of its size.

    Args:
        recipe: with a seed.
        dataset: one epoch of its data.
        follow_data: whether the shape of samples and the number of classes are taken from the data.
        strategy: of several devices or machines, or None.
        is_new: whether a training begins; what goes on has kept what was chosen, but for a number format.
        duration: minutes that a new training is to take, or None.

    Returns:
        (recipe, data, samples after which a training stops that has no time for an epoch, or None).

    Raises:
        ValueError: the devices cannot share the training.
    """
    from kerasgan import precision

    if follow_data and is_new:
        recipe = shaped_by(recipe, dataset)
    if recipe.name in registry.TYPES and is_new:
        recipe, dataset = with_derived_values(recipe, dataset, devices_of(strategy))
    check_devices(strategy, recipe, dataset)
    if recipe.dtype == precision.AUTO:
        recipe = with_number_format(recipe, dataset, strategy)
    limit = None
    if duration is not None and is_new:
        recipe, limit = lasting(recipe, dataset, strategy, duration)
    return recipe, dataset, limit


def with_seed(recipe, strategy):
    """The recipe with a seed, which becomes Keras's own."""
    import keras

    from kerasgan import distribution

    if recipe.seed is None:  # drawn now, and kept in the run folder: going on needs it
        drawn = distribution.values_of_workers(strategy, random.randrange(2**31))
        recipe = dataclasses.replace(recipe, seed=drawn[0])
    keras.utils.set_random_seed(recipe.seed)
    return recipe


def shaped_by(recipe, dataset):
    """The recipe with the arguments of the model that follow from the data, by the names that types give them."""
    follows = dict(dataset.model_arguments or {})
    if isinstance(dataset.element_spec, tuple) and dataset.class_names:
        follows["num_classes"] = len(dataset.class_names)
    known = inspect.signature(registry.gan_class(recipe.gan_type)).parameters
    follows = {name: value for name, value in follows.items() if name in known}
    return dataclasses.replace(recipe, model={**recipe.model, **follows})


def with_derived_values(recipe, dataset, devices):
    """The recipe with what nobody gave, derived from the data, and the data in batches of that size."""
    import keras

    cls, start = registry.gan_class(recipe.gan_type), registry.TYPES[recipe.name].starting
    # Optimizers that the type starts from are not given: their rates, too, follow from the batch.
    names = ("discriminator_optimizer", "generator_optimizer")
    own = {name: start.compile[name] for name in names if name in start.compile}
    given = {name: value for name, value in recipe.compile.items() if value != own.get(name)}
    optimizers = [keras.optimizers.get(copy.deepcopy(optimizer)) for optimizer in own.values()]
    rates = [float(optimizer.learning_rate) for optimizer in optimizers or cls.default_optimizers()]
    image_shape = (dataset.model_arguments or {}).get("image_shape")
    edge = max(image_shape[:2]) if image_shape else None  # sounds have none
    count = dataset.count
    batch, derived, chosen = defaults.derive(
        given, rates, edge, count, recipe.batch_size, devices, cls.default_batch_size, start.largest_batch
    )
    if chosen:
        values = ", ".join(f"{name} {str(value).strip('[]')}" for name, value in chosen.items())
        console.write(f"Chosen for {count or 'these'} samples of {_shape_of(dataset)}: {values}.")
    if recipe.batch_size is None:
        dataset = dataset.rebatched(batch)
    return dataclasses.replace(recipe, batch_size=batch, compile={**recipe.compile, **derived}), dataset


def _shape_of(dataset):
    """The shape of a sample for people; of several parts, those of all."""
    import tensorflow as tf

    spec = dataset.element_spec
    parts = tf.nest.flatten(spec[0] if isinstance(spec, tuple) else spec)
    return ", ".join("x".join(map(str, part.shape[1:])) or "1" for part in parts)


def with_number_format(recipe, dataset, strategy):
    """The recipe with the number format in which this model trains fastest here, the same one on all workers."""
    from kerasgan import distribution, precision

    def in_format(dtype):
        return samples_per_second(dataclasses.replace(recipe, dtype=dtype), dataset, strategy, _TIMED_STEPS)

    chosen, reason = precision.choose(in_format)
    if len(set(distribution.values_of_workers(strategy, precision.CHOICES.index(chosen)))) > 1:
        chosen, reason = "float32", "which all workers are good at: they measured different ones as the fastest"
    console.write(f"Number format: {chosen}, {reason}.")
    return dataclasses.replace(recipe, dtype=chosen)


def samples_per_second(recipe, dataset, strategy, steps):
    """How fast some steps of a training are; the first one, which builds the graph, does not count."""
    import keras

    from kerasgan import callbacks, distribution

    with distribution.scope(strategy):
        gan = _build(recipe)
    batches = dataset.endless(0) if dataset.resumable else dataset.repeat()
    trial = gan.fit(batches, steps_per_epoch=steps, callbacks=[callbacks.Throughput()], verbose=0)
    keras.utils.set_random_seed(recipe.seed)  # a model that was measured has drawn numbers
    return trial.history["samples_per_second"][0]


def lasting(recipe, dataset, strategy, minutes):
    """The recipe with as many epochs as this device trains in some minutes, and schedules, in shares, of that length.

    Returns:
        (recipe, samples after which it stops where there is no time for an epoch, else None).
    """
    from kerasgan import distribution, schedules

    speeds = distribution.values_of_workers(
        strategy, round(1000 * samples_per_second(recipe, dataset, strategy, _TIMED_LONGER))
    )
    samples = 60 * minutes * _STEPS_SHARE * min(speeds) / 1000
    of_epoch = int(dataset.cardinality()) * recipe.batch_size
    epochs = max(1, int(samples // of_epoch)) if of_epoch > 0 else 1
    is_part = samples < of_epoch or of_epoch < 0
    total = int(samples) if is_part else epochs * of_epoch
    length = "a part of an epoch" if is_part else f"{epochs} epochs"
    console.write(f"{min(speeds) / 1000:.0f} samples a second here: {length}, {total:,} samples.")
    recipe = dataclasses.replace(recipe, epochs=epochs, compile=schedules.stretched(recipe.compile, total))
    return recipe, total if is_part else None


def devices_of(strategy):
    """How many devices share a batch."""
    return strategy.num_replicas_in_sync if strategy else 1


def check_devices(strategy, recipe, dataset):
    """Raises a ValueError if the training cannot be shared by the devices."""
    from kerasgan import distribution

    devices = devices_of(strategy)
    if recipe.batch_size % devices:
        raise ValueError(
            f"batch_size={recipe.batch_size} cannot be divided among {devices} devices: give a multiple of {devices}, "
            "or other devices."
        )
    if distribution.workers(strategy) > 1 and (not dataset.resumable or int(dataset.cardinality()) < 1):
        raise ValueError(
            "Several machines need data of a known number of samples, from which each can read its part: a folder, a "
            "zip or shards, not a stream."
        )


def default_epochs(recipe, dataset, follow_data, initial):
    """The recipe's epochs, or as many as make a sensible number of samples where the recipe is not for these data."""
    batches = int(dataset.cardinality())
    if not (follow_data or initial) or batches < 1:
        return recipe.epochs
    samples = _FINETUNING_SAMPLES if initial else _SAMPLES
    return max(1, math.ceil(samples / (batches * recipe.batch_size)))


def new_gan(recipe, initial):
    """A compiled GAN: fresh, or with the weights of `initial`."""
    gan = _build(recipe)
    if initial is None:
        return gan
    trained = load(initial, compile=False)
    if type(trained) is not registry.gan_class(recipe.gan_type):
        raise ValueError(f"{initial!r} is a {type(trained).__name__}, the recipe trains a {recipe.gan_type}.")
    theirs, ours = weights.networks(trained, averages=True), weights.networks(gan, averages=True)
    for name in weights.networks(trained):
        values = theirs.get(f"ema_{name}", theirs[name]).get_weights()
        for part in {name, f"ema_{name}"} & {*ours}:
            ours[part].set_weights(values)
    gan.samples_seen.assign(trained.samples_seen)
    return gan


def _build(recipe):
    try:
        return registry.build(changed(recipe, {}))  # a copy: Keras puts objects into the dicts it is given
    except TypeError as error:  # what Keras raises for names and configurations that it does not know
        raise ValueError(f"The recipe's arguments of model or compile are wrong: {error}") from error
