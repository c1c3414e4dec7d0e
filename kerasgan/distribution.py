"""One training on several devices, or on several machines: what `tf.distribute` leaves to its callers.

Every replica computes its part of each batch, and gradients are added up over all of them, so that a training is the
same, up to rounding, on one device and on many. A *worker* is a process of a training on several machines; the first
one, the chief, writes the run folder.
"""

import contextlib
import functools
import json
import os
import socket
import time

import tensorflow as tf

from kerasgan.checks import is_whole
from kerasgan.console import reason

CONNECTING = 300  # seconds that workers wait for each other before training begins
_LOST = 60  # seconds without a sign of life after which a worker is taken for lost
_GONE = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)
_HOW = "Give --workers HOST:PORT,HOST:PORT and --worker NUMBER, from 0 on"


class WorkerLost(ConnectionError):
    """A worker of a training on several machines does not answer."""


# Strategies ----------------------------------------------------------------------------------------------------------


def strategy(devices=None, workers=None, worker=None, wait=CONNECTING):
    """The `tf.distribute` strategy for these devices and machines.

    Must come before TensorFlow has used a device.

    Args:
        devices: how many GPUs each process uses or, where there is none, into how many the processor is divided (to try
            things out: it is not faster); "all", or None, takes all GPUs.
        workers: "host:port" of the process on each machine, the same list in the same order for all of them; None takes
            the environment variable TF_CONFIG, if it is set.
        worker: the place of this process in that list.
        wait: seconds until workers that do not answer are an error.

    Returns:
        A strategy, or None where one device does all the work.

    Raises:
        ValueError: there are not so many devices, or `workers`, `worker` or TF_CONFIG are not what they should be.
        WorkerLost: the first worker cannot be reached.
    """
    if devices not in (None, "all") and not is_whole(devices):
        raise ValueError(f'devices={devices!r}: expected a whole number of at least 1, or "all".')
    cluster = _cluster(workers, worker)
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        gpus = _first_gpus(gpus, devices)
        names = [f"GPU:{number}" for number in range(len(gpus))]
    elif cluster and devices not in (None, "all", 1):
        raise ValueError(f"devices={devices} with several workers, but this machine has no GPU: leave devices out.")
    else:
        names = _logical_cpus(devices) if isinstance(devices, int) and devices > 1 else ["CPU:0"]
    if cluster:
        return _several_workers(*cluster, wait)
    return tf.distribute.MirroredStrategy(names) if len(names) > 1 else None


def _first_gpus(gpus, devices):
    count = len(gpus) if devices in (None, "all") else devices
    if count > len(gpus):
        raise ValueError(f"devices={devices}, but this machine has {len(gpus)} GPUs.")
    if count < len(gpus):
        with _before_devices_are_used(devices):
            tf.config.set_visible_devices(gpus[:count], "GPU")
    return gpus[:count]


def _logical_cpus(count):
    cpu = tf.config.list_physical_devices("CPU")[0]
    there = tf.config.get_logical_device_configuration(cpu) or []
    if len(there) < count:
        with _before_devices_are_used(count):
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    return [f"CPU:{number}" for number in range(count)]


@contextlib.contextmanager
def _before_devices_are_used(devices):
    try:
        yield
    except RuntimeError as error:
        raise ValueError(
            f"devices={devices} comes too late: TensorFlow has used a device before. Ask for devices first."
        ) from error


# Workers -------------------------------------------------------------------------------------------------------------


def _cluster(workers, worker):
    """(addresses of all workers, number of this one), checked; None for a training in one process."""
    if workers is None and worker is not None:
        raise ValueError(f"worker={worker}, but no workers. {_HOW}.")
    if workers is None:
        return _from_environment()
    if os.environ.get("TF_CONFIG"):
        raise ValueError("TF_CONFIG is set, and workers are given: leave one of the two out.")
    if worker is None:
        raise ValueError(f"worker is missing: which of the {len(workers)} workers is this process? {_HOW}.")
    addresses = [str(address).strip() for address in workers]
    try:
        return _checked(addresses, worker)
    except ValueError as error:
        raise ValueError(f"workers={','.join(addresses)}: {error}. {_HOW}.") from error


def _from_environment():
    """The same from TF_CONFIG, as cluster managers such as Kubeflow set it."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        config = json.loads(text)
        jobs = config.get("cluster") or {}
        if not jobs:  # a task of its own
            return None
        other = set(jobs) - {"chief", "worker"}
        if other:
            raise ValueError(f"it has jobs of the kind {sorted(other)[0]!r}; kerasgan knows chief and worker")
        job, index = config["task"]["type"], config["task"]["index"]
        chiefs, workers = jobs.get("chief", []), jobs.get("worker", [])
        if job not in jobs:
            raise ValueError(f"its task is of the kind {job!r}, and the cluster has none of it")
        if not isinstance(index, int) or not 0 <= index < len(jobs[job]):
            raise ValueError(f"its task is number {index!r} of {len(jobs[job])}, counted from 0")
        return _checked([*chiefs, *workers], index + (len(chiefs) if job == "worker" else 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{error} is missing in it" if isinstance(error, KeyError) else error
        raise ValueError(
            f"TF_CONFIG={text!r} cannot be used: {reason}. Expected "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}, or unset it.'
        ) from error


def _checked(addresses, worker):
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 2**16:
            raise ValueError(f"{address!r} is no HOST:PORT")
    if len(set(addresses)) < len(addresses):
        raise ValueError("two workers have the same address")
    if not is_whole(worker, 0, len(addresses) - 1):
        raise ValueError(f"worker {worker!r} is none of 0 to {len(addresses) - 1}")
    return addresses, worker


def _several_workers(addresses, worker, wait):
    """The strategy for several processes, once all of them are there."""
    from tensorflow.python.eager import context

    if worker:
        _wait_for(addresses[0], wait)
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": worker}}
    )
    # TensorFlow's own defaults wait for an hour; there is no public way to say otherwise.
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        cluster_register_timeout_in_ms=int(wait * 1000),
        heartbeat_timeout_in_ms=_LOST * 1000,
        shutdown_barrier_timeout_in_ms=_LOST * 1000,
        coordinated_jobs=_jobs(len(addresses)),
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError) as error:
        raise WorkerLost(
            f"Of the workers {', '.join(addresses)}, not all came within {wait:g} seconds ({reason(error)}). Start "
            "the same command on all machines, each with its own number."
        ) from error


def _jobs(count):
    from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2

    return [coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=count)]


def _wait_for(address, wait):
    host, _, port = address.rpartition(":")
    end = time.monotonic() + wait
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise WorkerLost(
                    f"The first worker, {address}, cannot be reached ({error}): start it there, and look whether the "
                    "network lets this machine through."
                ) from error
            time.sleep(0.5)


@contextlib.contextmanager
def noticing_loss(strategy):
    """Turns what TensorFlow raises when another worker is gone into a `WorkerLost`."""
    try:
        yield
    except _GONE as error:
        if workers(strategy) == 1:
            raise
        raise WorkerLost(f"Another worker of this training is gone ({reason(error)}).") from error


def worker(strategy):
    """Number of this process among the workers."""
    jobs, resolver = _jobs_of(strategy)
    return resolver.task_id + (len(jobs.get("chief", ())) if resolver.task_type == "worker" else 0) if jobs else 0


def workers(strategy):
    """Number of processes that train together."""
    jobs, _ = _jobs_of(strategy)
    return len(jobs.get("chief", ())) + len(jobs.get("worker", ())) or 1


def _jobs_of(strategy):
    """({kind of task: addresses}, resolver); no jobs in a training in one process."""
    resolver = getattr(strategy, "cluster_resolver", None)
    return (resolver.cluster_spec().as_dict() if resolver else {}), resolver


def any_worker(strategy, flag):
    """Whether `flag` holds on any of the workers, all of which must ask at the same moment."""
    return any(values_of_workers(strategy, int(flag)))


def values_of_workers(strategy, value):
    """An integer (less than 2**31) of each worker, in their order; all of them must ask at the same moment."""
    count = workers(strategy)
    if count == 1:
        return [value]
    mine = tf.one_hot(worker(strategy), count, tf.constant(value, tf.int32), 0, dtype=tf.int32)
    return strategy.experimental_local_results(_sum_over_workers(strategy)(mine))[0].numpy().tolist()


def leave_together(strategy):
    """Waits until all workers are here: none goes while another one still needs it.

    Whoever has the sum first would be gone before it has sent the others theirs. So they sum twice: who begins the
    second one knows that all have arrived, and a worker that is gone by then is no loss.
    """
    values_of_workers(strategy, 0)
    with contextlib.suppress(*_GONE):
        values_of_workers(strategy, 0)


@functools.lru_cache
def _sum_over_workers(strategy):
    def add(values):
        replica = tf.distribute.get_replica_context()
        is_first = replica.replica_id_in_sync_group % local_replicas(strategy) == 0
        return replica.all_reduce("SUM", tf.where(is_first, values, 0))

    return tf.function(lambda values: strategy.run(add, args=(values,)), autograph=False)


def total(variable):
    """A metric's scalar variable over all devices, a float; all workers must ask at the same moment."""
    return float(tf.convert_to_tensor(variable.value))


def local_values(strategy, variable):
    """A metric's scalar variable on each device of this process, as floats."""
    return [float(value) for value in strategy.experimental_local_results(variable.value)]


# Inside of a training step, and its data -----------------------------------------------------------------------------


def scope(strategy):
    """Where variables of a model for this strategy (or None) must be made."""
    return strategy.scope() if strategy else contextlib.nullcontext()


def local_replicas(strategy):
    """Number of devices of this process that train."""
    return strategy.num_replicas_in_sync // workers(strategy)


def own_rows(draw, count, parts=1):
    """Random numbers for this device's samples: its share of what one device would draw for the whole batch.

    Args:
        draw: function of a number of samples that returns that many rows, from a seed that all devices have.
        count: samples of a batch on this device.
        parts: parts of the batch, of each of which the device has a share (see `share_out`).
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    replica = tf.distribute.get_replica_context()
    if replicas == 1 or replica is None:
        return draw(count)
    place = replica.replica_id_in_sync_group
    rows = draw(count * replicas)
    return tf.reshape(tf.reshape(rows, (parts, replicas, -1, *rows.shape[1:]))[:, place], (-1, *rows.shape[1:]))


def logs(values):
    """What a training step returns: across workers, Keras's `fit` takes no scalars (its issue 20585)."""
    if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return {name: tf.reshape(value, (1,)) for name, value in values.items()}
    return values


def share_out(dataset, strategy, steps, parts=1):
    """A data set of what each device of this process takes in a training step.

    Args:
        dataset: this process's part of the batches: samples, or (samples, labels). A batch holds those of a training
            step, `steps` of them (`GAN.batches_per_step`), one after the other.
        parts: how many parts of its batch an update computes one after the other. Each device gets its share of every
            part, so that a part holds the same samples as on one device.

    Raises:
        ValueError: a batch cannot be divided.
    """
    devices = local_replicas(strategy)
    rows = tf.nest.flatten(dataset.element_spec)[0].shape[0]
    if rows is None or rows % (steps * parts * devices):
        batch = "of an unknown number of" if rows is None else f"of {rows // steps}"
        several = f" in {parts} parts" if parts > 1 else ""
        raise ValueError(
            f"Batches {batch} samples cannot be divided among {devices} devices{several}: give a batch size that is a "
            f"multiple of {devices * parts} (and a tf.data.Dataset without a smaller last batch: drop_remainder=True)."
        )

    def cut(*batch):
        shares = tf.nest.map_structure(lambda values: _shares(values, steps * parts, devices), batch)
        return tuple(shares) if len(shares) > 1 else shares[0]

    shares = dataset.map(cut).unbatch().prefetch(2 * devices)
    return strategy.distribute_datasets_from_function(lambda context: shares)


def _shares(values, parts, devices):
    """(parts * devices * n, ...) -> (devices, parts * n, ...): each device's share of every part."""
    shape = values.shape[1:]
    by_part = tf.reshape(values, (parts, devices, -1, *shape))
    by_device = tf.transpose(by_part, (1, 0, *range(2, 3 + len(shape))))
    return tf.reshape(by_device, (devices, values.shape[0] // devices, *shape))
