"""How fast one training step of a DCGAN is: kerasgan beside a naive Keras loop and PyTorch, in one run.

    python benchmarks/training_step.py                                   # PyTorch joins in if this Python has it
    python benchmarks/training_step.py --torch_python OTHER/bin/python   # PyTorch from an environment of its own
    python benchmarks/training_step.py --rounds 3 --seconds 1 --formats bfloat16    # a quick look

All contestants train the same networks (DCGAN for 64x64 RGB images, width 64, kernels of 4x4, batch normalization) on
the same number of images (batches of 64), with the non-saturating loss and two Adams, on the same number of threads:

- kerasgan: `kerasgan.models.DCGAN` as `gan.compile()` leaves it, through the compiled function that `fit` calls,
  including its moving average of the generator and its metrics.
- naive Keras: the loop of the usual tutorial. Fakes are generated once for the discriminator and once more for the
  generator, each time with a tape of its own.
- PyTorch: fakes are generated once, as in its own DCGAN example, and the discriminator's weights get no gradients in
  the generator's step. Fused Adam; for bfloat16, autocast; both memory formats. Not compiled, as kerasgan is not.

Contestants take turns in short bursts, beginning with another one in each round, so that a machine that becomes slower
or busier meanwhile is as fair to one as to the other; ratios are taken within a round. Each framework has a process of
its own, which sleeps while the other one's runs. Run it on an otherwise idle machine all the same: a framework that
divides its work evenly between threads suffers more from a busy core than one that does not.

Share of the matrix product: floating-point operations that the step cannot do without, per second, beside those of
a product of two 2048x2048 bfloat16 matrices in TensorFlow, measured in the same rounds. Operations are counted from the
layers of the Keras model: two for each multiply-add of convolutions, transposed convolutions and dense layers (taps on
the zero padding included); everything else (normalization, activations, optimizers, casts) counts as nothing. Passes:

| what | discriminator | generator |
| --- | --- | --- |
| forward | 3: real, fake, fake again after the update | 1 |
| gradients of the weights | 2: real, fake | 1 |
| gradients of the layers' inputs | 3, two of them without the first layer | 1, without the first layer |

The naive loop's second forward pass of the generator is not in the count: it is what could be done without.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

SIZE, WIDTH, BATCH, LATENTS, KERNEL = 64, 64, 64, 100, 4
FORMATS = ("bfloat16", "float32")
PRODUCT = 2048  # side of the matrices
OURS, NAIVE, MATMUL = "kerasgan", "naive Keras", "matrix product"
TORCH, TORCH_LAST = "PyTorch, contiguous", "PyTorch, channels_last"


# TensorFlow ---------------------------------------------------------------------------------------------------------


def tensorflow_contestants(threads, formats):
    """({(name, format): function that makes one step}, facts for the table)"""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    from kerasgan.models import DCGAN

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    real = tf.random.uniform((BATCH, SIZE, SIZE, 3), -1, 1)
    contestants, parameters = {}, {}
    for number_format in formats:
        policy = "float32" if number_format == "float32" else f"mixed_{number_format}"
        gan = DCGAN((SIZE, SIZE, 3), LATENTS, WIDTH, KERNEL, dtype=policy, seed=0)
        gan.compile()
        keras.config.set_dtype_policy(policy)
        naive = naive_gan()
        for name, model in ((OURS, gan), (NAIVE, naive)):
            contestants[name, number_format] = as_fit_does(model, real)
            parameters[name, number_format] = [
                sum(math.prod(v.shape) for v in player.trainable_variables)
                for player in (model.generator, model.discriminator)
            ]
    matrix = tf.cast(tf.random.normal((PRODUCT, PRODUCT)), tf.bfloat16)
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    contestants[MATMUL, "bfloat16"] = lambda: product().numpy()
    facts = {
        "version": f"TensorFlow {tf.__version__} with Keras {keras.__version__}",
        "parameters": list(parameters.items()),
        "operations": step_operations(gan.generator, gan.discriminator),
    }
    return contestants, facts


def as_fit_does(model, real):
    """One call of the compiled function that `fit` repeats, on a data set that costs nothing."""
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors(real).repeat())
    model.make_train_function()

    def step():
        for value in model.train_function(batches).values():
            float(value)  # waits for the result, as fit's logs do

    return step


def naive_gan():
    """The usual tutorial's GAN: networks of Keras's own layers, and a train_step that generates the fakes twice."""
    import keras
    import tensorflow as tf

    class NaiveGAN(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator, self.discriminator = naive_networks()
            self.g_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
            self.d_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
            self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
            self.g_loss, self.d_loss = keras.metrics.Mean(name="g_loss"), keras.metrics.Mean(name="d_loss")

        def train_step(self, real):
            ones, zeros = tf.ones((BATCH, 1)), tf.zeros((BATCH, 1))
            fake = self.generator(tf.random.uniform((BATCH, LATENTS), -1, 1), training=True)
            with tf.GradientTape() as tape:
                real_logits = self.discriminator(real, training=True)
                fake_logits = self.discriminator(fake, training=True)
                d_loss = self.cross_entropy(ones, real_logits) + self.cross_entropy(zeros, fake_logits)
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

            with tf.GradientTape() as tape:
                fake = self.generator(tf.random.uniform((BATCH, LATENTS), -1, 1), training=True)
                g_loss = self.cross_entropy(ones, self.discriminator(fake, training=True))
            weights = self.generator.trainable_weights
            self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))

            self.d_loss.update_state(d_loss)
            self.g_loss.update_state(g_loss)
            return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}

    model = NaiveGAN()
    model.compile(optimizer=None)
    return model


def naive_networks():
    """DCGAN's generator and discriminator, of Keras's own layers."""
    import keras
    from keras import layers

    down = {"strides": 2, "padding": "same", "kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    norm = {"momentum": 0.9, "epsilon": 1e-5}
    stages = int(math.log2(SIZE // 4))
    widest = WIDTH * 2 ** (stages - 1)
    generator = [keras.Input((LATENTS,)), layers.Dense(4 * 4 * widest, use_bias=False), layers.Reshape((4, 4, widest))]
    generator += [layers.BatchNormalization(**norm), layers.ReLU()]
    discriminator = [keras.Input((SIZE, SIZE, 3)), layers.Conv2D(WIDTH, KERNEL, **down), layers.LeakyReLU(0.2)]
    for stage in range(1, stages):
        filters = widest // 2**stage
        generator += [layers.Conv2DTranspose(filters, KERNEL, use_bias=False, **down)]
        generator += [layers.BatchNormalization(**norm), layers.ReLU()]
        discriminator += [layers.Conv2D(WIDTH * 2**stage, KERNEL, use_bias=False, **down)]
        discriminator += [layers.BatchNormalization(**norm), layers.LeakyReLU(0.2)]
    generator += [layers.Conv2DTranspose(3, KERNEL, **down), layers.Activation("tanh", dtype="float32")]
    discriminator += [layers.Flatten(), layers.Dense(1), layers.Activation("linear", dtype="float32")]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def multiply_adds(model):
    """Those of one sample's forward pass, a list with one number a layer that has a kernel."""
    counts = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            # A kernel is applied at every place of a convolution's output, but of a transposed one's input.
            transposed = "Transpose" in type(layer).__name__
            places = (layer.input if transposed else layer.output).shape[1:-1]
            counts.append(math.prod(layer.kernel.shape) * math.prod(places))
    return counts


def step_operations(generator, discriminator):
    """Floating-point operations of a training step for each image of its batch; see the top for what counts."""
    g, d = multiply_adds(generator), multiply_adds(discriminator)
    forward = 3 * sum(d) + sum(g)
    weight_gradients = 2 * sum(d) + sum(g)
    input_gradients = 3 * sum(d) - 2 * d[0] + sum(g) - g[0]
    return 2 * (forward + weight_gradients + input_gradients)


# PyTorch ------------------------------------------------------------------------------------------------------------


def torch_contestants(threads, formats):
    """As `tensorflow_contestants`, for PyTorch."""
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    contestants, parameters = {}, {}
    for number_format in formats:
        for name, memory_format in ((TORCH, torch.contiguous_format), (TORCH_LAST, torch.channels_last)):
            players = [network.to(memory_format=memory_format) for network in torch_networks()]
            contestants[name, number_format] = torch_step(*players, number_format, memory_format)
            parameters[name, number_format] = [sum(p.numel() for p in player.parameters()) for player in players]
    return contestants, {"version": f"PyTorch {torch.__version__}", "parameters": list(parameters.items())}


def torch_networks():
    """DCGAN's generator and discriminator."""
    from torch import nn

    class Maps(nn.Module):
        """Vectors -> 4x4 maps; a view, in channels_last format."""

        def forward(self, x):
            return x.view(x.shape[0], 4, 4, -1).permute(0, 3, 1, 2)

    def initialize(module):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, 0.02)

    stages = int(math.log2(SIZE // 4))
    widest = WIDTH * 2 ** (stages - 1)
    generator = [nn.Linear(LATENTS, 4 * 4 * widest, bias=False), Maps(), nn.BatchNorm2d(widest), nn.ReLU(True)]
    discriminator = [nn.Conv2d(3, WIDTH, KERNEL, 2, 1), nn.LeakyReLU(0.2, True)]
    for stage in range(1, stages):
        wide, narrow = widest // 2 ** (stage - 1), widest // 2**stage
        generator += [nn.ConvTranspose2d(wide, narrow, KERNEL, 2, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(True)]
        narrow = WIDTH * 2**stage
        discriminator += [nn.Conv2d(narrow // 2, narrow, KERNEL, 2, 1, bias=False)]
        discriminator += [nn.BatchNorm2d(narrow), nn.LeakyReLU(0.2, True)]
    generator += [nn.ConvTranspose2d(WIDTH, 3, KERNEL, 2, 1), nn.Tanh()]
    discriminator += [nn.Flatten(), nn.Linear(4 * 4 * widest, 1)]
    return nn.Sequential(*generator).apply(initialize), nn.Sequential(*discriminator).apply(initialize)


def torch_step(generator, discriminator, number_format, memory_format):
    """The function that makes one training step."""
    import torch
    from torch.nn.functional import softplus

    def adam(network):
        return torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=number_format == "bfloat16")

    g_optimizer, d_optimizer = adam(generator), adam(discriminator)
    real = torch.empty(BATCH, 3, SIZE, SIZE).uniform_(-1, 1).to(memory_format=memory_format)

    def step():
        with autocast():
            fake = generator(torch.empty(BATCH, LATENTS).uniform_(-1, 1))
            real_logits, fake_logits = discriminator(real).float(), discriminator(fake.detach()).float()
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        discriminator.requires_grad_(False)
        with autocast():
            fake_logits = discriminator(fake).float()
        g_loss = softplus(-fake_logits).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)
        return d_loss.item(), g_loss.item()

    return step


# Measuring ----------------------------------------------------------------------------------------------------------


def serve(framework, threads, formats):
    """What a framework's process does: it answers each request for a burst with the steps per second."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a framework prints stays out of the answers

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        prepare = {"tensorflow": tensorflow_contestants, "torch": torch_contestants}[framework]
        contestants, facts = prepare(threads, formats)
    except ModuleNotFoundError as error:
        return answer({"missing": str(error)})
    for step in contestants.values():
        for _ in range(3):  # compiles; oneDNN chooses its kernels
            step()
    answer({"contestants": list(contestants), **facts})
    for line in sys.stdin:
        *contestant, seconds = json.loads(line)
        answer(burst(contestants[tuple(contestant)], seconds))


def burst(step, seconds):
    """Steps per second, over at least one step and `seconds`."""
    steps, start = 0, time.perf_counter()
    while True:
        step()
        steps += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return steps / elapsed


class Framework:
    """A framework's process, seen from here."""

    def __init__(self, name, python, threads, formats):
        command = [python, os.path.abspath(__file__), "--serve", name, "--threads", str(threads), "--formats", *formats]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.facts = self._answer()
        self.contestants = [tuple(contestant) for contestant in self.facts.get("contestants", ())]

    def burst(self, contestant, seconds):
        print(json.dumps([*contestant, seconds]), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} ended with code {self.process.wait()}; its message is above.")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(frameworks, rounds, seconds):
    """{contestant: steps per second in each round}"""
    turns = [(framework, contestant) for framework in frameworks for contestant in framework.contestants]
    rates = {contestant: [] for _, contestant in turns}
    for number in range(rounds):
        first = number % len(turns)
        for framework, contestant in turns[first:] + turns[:first]:
            rates[contestant].append(framework.burst(contestant, seconds))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return rates


# The table ----------------------------------------------------------------------------------------------------------


def table(rates, operations):
    """Lines of Markdown from steps per second in each round; `operations` are those of a step for each image."""
    product = [2 * PRODUCT**3 * rate for rate in rates[MATMUL, "bfloat16"]]
    lines = [
        "| | numbers | images/s | kerasgan is faster by (each round's ratio) | share of the matrix product |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, number_format in sorted((key for key in rates if key[0] != MATMUL), key=_place):
        images = [BATCH * rate for rate in rates[name, number_format]]
        ratios = [a / b for a, b in zip(rates[OURS, number_format], rates[name, number_format], strict=True)]
        shares = [100 * operations * a / b for a, b in zip(images, product, strict=True)]
        cells = [name, number_format, spread(images, "{:.1f}")]
        cells.append("" if name == OURS else spread(ratios, "{:.2f}"))
        cells.append(spread(shares, "{:.0f} %") if number_format == "bfloat16" else "")
        lines.append(f"| {' | '.join(cells)} |")
    rate = spread([operations / 1e9 for operations in product], "{:.0f}")
    lines.append(f"| {MATMUL} {PRODUCT}x{PRODUCT} | bfloat16 | {rate} GFLOP/s | | |")
    return lines


def _place(contestant):
    """Order of the rows: by number format, then by name."""
    return FORMATS.index(contestant[1]), (OURS, NAIVE, TORCH, TORCH_LAST).index(contestant[0])


def spread(values, style):
    """Median (lowest to highest)."""
    middle, low, high = (style.format(f(values)) for f in (statistics.median, min, max))
    return f"{middle} ({low} to {high})"


def check_equal_work(frameworks):
    """Stops if one contestant's networks have another number of weights than the others'."""
    counts = {tuple(c): tuple(n) for framework in frameworks for c, n in framework.facts["parameters"]}
    if len(set(counts.values())) != 1:
        sys.exit(f"The contestants' networks differ in their numbers of weights: {counts}")
    return next(iter(counts.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant has its turn")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a turn")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS, help="number formats")
    parser.add_argument("--threads", type=int, default=available_cores(), help="threads of each framework")
    parser.add_argument("--torch_python", default=sys.executable, help="the Python that has PyTorch")
    parser.add_argument("--serve", choices=("tensorflow", "torch"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments.serve, arguments.threads, arguments.formats)

    ours = Framework("tensorflow", sys.executable, arguments.threads, arguments.formats)
    if "missing" in ours.facts:
        sys.exit(f"{ours.facts['missing']}: install kerasgan first.")
    torch = Framework("torch", arguments.torch_python, arguments.threads, arguments.formats)
    frameworks = [framework for framework in (ours, torch) if framework.contestants]
    weights = check_equal_work(frameworks)
    rates = measure(frameworks, arguments.rounds, arguments.seconds)
    for framework in frameworks:
        framework.close()

    operations = ours.facts["operations"]
    print(
        f"\nDCGAN training step: {SIZE}x{SIZE} RGB, width {WIDTH}, batch {BATCH}, {weights[0]:,} weights in the"
        f" generator,\n{weights[1]:,} in the discriminator, {operations / 1e9:.2f} GFLOP an image. "
        + ", ".join(framework.facts["version"] for framework in frameworks)
        + f"; {arguments.threads} threads.\nMedians (lowest to highest) of {arguments.rounds} turns of "
        f"{arguments.seconds:g} s, all contestants in turn.\n"
    )
    print(*table(rates, operations), sep="\n")
    if not torch.contestants:
        print(f"\nPyTorch is left out: {torch.facts['missing']} (--torch_python names a Python that has it).")


def available_cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


if __name__ == "__main__":
    main()
