"""Number formats: which policy suits the device, building a model with one, and computing a part of it in float32."""

import contextlib
import pathlib
import platform
import random

import keras

AUTO = "auto"
CHOICES = ("float32", "mixed_bfloat16", "mixed_float16")
_CPU_INFO = pathlib.Path("/proc/cpuinfo")
_WORTHWHILE = 1.1  # times as fast as float32 that 16 bits have to be


def choose(samples_per_second=None):
    """The policy that trains fastest on this machine's device without loss of quality, and why.

    Of GPUs, the oldest visible one decides. bfloat16 comes before float16 where a device has both: at the same speed it
    has the range of float32, so that critics, whose outputs have no bound, and gradient penalties do not overflow, and
    no loss needs a scale.

    Args:
        samples_per_second: function that trains some steps in a policy, such as "mixed_bfloat16", and returns how fast
            that went. It is asked only where the device may be faster in 16 bits, which are taken where they are at
            least 1.1 times as fast as float32. None goes by what is known of the device alone.

    Returns:
        (name of a Keras policy, the reason, as the end of a sentence that begins with the name).
    """
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        narrow, unmeasured, reason = _of_gpu(min(found.get("compute_capability", (0, 0)) for found in details))
    else:
        narrow, unmeasured, reason = _of_cpu(platform.system(), platform.machine(), _cpu_flags())
    if narrow is None or samples_per_second is None:
        return unmeasured, reason
    speed, narrow_speed = map(samples_per_second, ("float32", narrow))
    ratio = narrow_speed / speed
    chosen = narrow if ratio >= _WORTHWHILE else "float32"
    return chosen, f"since {narrow} is {ratio:.2f} times as fast as float32 with this model on this device"


# What is known of a device: (its policy of 16 bits that may be faster than float32, or None; the policy to take without
# measuring; the reason for that one).


def _of_gpu(capability):
    """What is known of an Nvidia GPU by its compute capability, (major, minor); (0, 0) stands for one without any."""
    version = ".".join(map(str, capability))
    if capability >= (8, 0):
        reason = f"which a GPU of compute capability {version} computes fast, in the range of float32"
        return "mixed_bfloat16", "mixed_bfloat16", reason
    if capability >= (7, 0):
        reason = f"which a GPU of compute capability {version} computes fast (bfloat16: from 8.0 on)"
        return "mixed_float16", "mixed_float16", reason
    if capability > (0, 0):
        return None, "float32", f"since a GPU of compute capability {version} is not faster in 16 bits"
    return None, "float32", "since it is not known how fast this GPU is in 16 bits"


def _of_cpu(system, machine, flags):
    """What is known of a processor by the names that `platform` gives and the flags of /proc/cpuinfo, a set.

    Measured with training steps of our types: with amx_bf16, mixed_bfloat16 is 2 to 4 times as fast as float32 for
    convolutions and not slower for perceptrons. With avx512_bf16 alone it was slower for some types and 1.6 times as
    fast for DCGAN: only measuring tells. Without either, bfloat16 is emulated, much slower.
    """
    if machine.lower() not in ("x86_64", "amd64"):  # TensorFlow's oneDNN takes bfloat16 on x86 only
        return None, "float32", f"since TensorFlow is not faster in 16 bits on {machine or 'this processor'}"
    if not flags:
        reason = f"since {system or 'this system'} does not say what the processor is fast at"
        return "mixed_bfloat16", "float32", reason
    if "amx_bf16" in flags:
        return "mixed_bfloat16", "mixed_bfloat16", "for which this processor has matrix units (amx_bf16)"
    if "avx512_bf16" in flags:
        reason = "since this processor has no matrix units for 16 bits (amx_bf16), and nothing was measured"
        return "mixed_bfloat16", "float32", reason
    return None, "float32", "since this processor computes nothing in 16 bits (amx_bf16, avx512_bf16)"


def _cpu_flags():
    """What Linux says that the processor can do, in lower case; empty elsewhere."""
    try:
        lines = _CPU_INFO.read_text(errors="replace").lower().splitlines()
    except OSError:
        return set()
    words = [line.partition(":")[2] for line in lines if line.partition(":")[0].strip() in ("flags", "features")]
    return set(" ".join(words[:1]).split())


@contextlib.contextmanager
def policy(dtype, seed=None):
    """Builds everything inside under one dtype policy, with channels last whatever the user's Keras is set to.

    Args:
        dtype: a Keras policy or its name, such as "mixed_bfloat16"; None leaves the global policy alone.
        seed: integer that makes initial weights, and states of layers that draw numbers, repeatable; None takes others
            each time. Python's generator of random numbers, from which Keras seeds them, goes on as if nothing had been
            built.

    Raises:
        ValueError: the policy, given or global, holds weights in another format than float32.
    """
    check_trainable(keras.config.dtype_policy() if dtype is None else keras.dtype_policies.get(dtype))
    before = keras.config.dtype_policy(), keras.config.image_data_format()
    drawn = random.getstate()
    if dtype is not None:
        keras.config.set_dtype_policy(dtype)
    keras.config.set_image_data_format("channels_last")
    if seed is not None:
        random.seed(int(seed))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before[0])
        keras.config.set_image_data_format(before[1])
        if seed is not None:
            random.setstate(drawn)


def check_trainable(dtype):
    """Raises a ValueError unless a Keras dtype policy holds weights in float32, which steps of training need.

    Steps in 16 bits are lost in rounding; losses, penalties and averages are float32 all along.
    """
    if dtype.variable_dtype != "float32":
        mixed = f"mixed_{dtype.compute_dtype}"
        instead = mixed if mixed in CHOICES else "float32"
        raise ValueError(
            f"dtype={dtype.name!r} holds weights in {dtype.variable_dtype}, in which a GAN does not train: take "
            f'"{instead}" (as dtype, or by keras.config.set_dtype_policy).'
        )


@contextlib.contextmanager
def full_precision(model):
    """Calls of `model` made inside compute in float32, whatever its policy; the weights are the same variables.

    Only what is traced or called inside is affected, so a part of a `tf.function` can be in float32.
    """
    layers = list(model._flatten_layers(include_self=True))
    before = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = keras.DTypePolicy("float32")
        yield
    finally:
        for layer, saved in zip(layers, before, strict=True):
            layer.dtype_policy = saved


def in_float32(model):
    """A copy of a functional model, with its weights, that computes in float32 whatever the original's policy.

    That of a moving average goes by the name of the network that it averages, which exported graphs show.
    """
    copy = keras.models.clone_model(model)
    copy.name = model.name.removeprefix("ema_")
    copy.set_weights(model.get_weights())
    for layer in copy._flatten_layers(include_self=True):
        layer.dtype_policy = keras.DTypePolicy("float32")
    return copy
