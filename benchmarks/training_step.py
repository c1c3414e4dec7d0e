"""How fast one training step is: kerasgan beside a naive Keras loop and PyTorch, in one run.

    python benchmarks/training_step.py                                   # PyTorch joins in if this Python has it
    python benchmarks/training_step.py --torch_python OTHER/bin/python   # PyTorch from an environment of its own
    python benchmarks/training_step.py --rounds 3 --seconds 1 --formats bfloat16    # a quick look
    python benchmarks/training_step.py --game one_stage                  # one pass through the discriminator for both
    python benchmarks/training_step.py --types                           # all GAN types, beside the naive loop

All contestants train the same networks (DCGAN for 64x64 RGB images, width 64, kernels of 4x4, batch normalization) on
the same number of images (batches of 64), with the non-saturating loss and two Adams, on the same number of threads:

- kerasgan: `kerasgan.models.DCGAN` as `gan.compile()` leaves it, through the compiled function that `fit` calls,
  including its moving average of the generator and its metrics.
- naive Keras: the loop of the usual tutorial. Fakes are generated once for the discriminator and once more for the
  generator, each time with a tape of its own.
- PyTorch: fakes are generated once, as in its own DCGAN example, and the discriminator's weights get no gradients in
  the generator's step. Fused Adam; for bfloat16, autocast; both memory formats. Not compiled, as kerasgan is not.

With `--game one_stage` the discriminator has no batch normalization, and one contestant more takes part: kerasgan with
`compile(one_stage=True)`, whose players are updated at the same time from one forward and one backward pass
(arXiv:2103.00430). The others alternate as before, so that "kerasgan" beside "kerasgan, one stage" shows what the other
algorithm is worth, and "kerasgan" beside PyTorch what the framework is.

With `--types` every type of the registry, or each that is named, with its paper's loss, penalties, optimizers and
discriminator steps, trains on small images (or sounds) beside the naive loop over the same networks. float16 takes part
where there is a GPU.

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

In one stage the discriminator has one forward pass and one pass of its inputs' gradients less. The naive loop's second
forward pass of the generator is not in the count: it is what could be done without.
"""

import argparse
import os
import sys

from contestants import FORMATS, GAMES, MATMUL, NAIVE, OURS, PRODUCT, Setting
from turns import Framework, available_cores, measure_processes, ratios, serve, spread


def prepare(framework, arguments):
    """What a framework's process makes of the arguments: (contestants, facts). Only here is a framework imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    setting = Setting(arguments.size, arguments.width, arguments.batch)
    common = setting, arguments.formats, arguments.threads
    if framework == "torch":
        import torch_steps

        return torch_steps.contestants(GAMES[arguments.game], *common)
    import keras_steps

    if arguments.types is not None:
        return keras_steps.contestants_of_types(arguments.types, *common)
    return keras_steps.contestants(GAMES[arguments.game], *common)


# Tables -------------------------------------------------------------------------------------------------------------


def table(rates, batch, operations):
    """Lines of Markdown from steps per second in each round; `operations` are those of each one's step, an image."""
    product = [2 * PRODUCT**3 * rate for rate in rates[MATMUL, "bfloat16"]]
    contestants = sorted((key for key in rates if key[0] != MATMUL), key=lambda key: FORMATS.index(key[1]))
    base = contestants[0][0]
    lines = [
        f"| | numbers | images/s | {base} is faster by (each round's ratio) | share of the matrix product |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, number_format in contestants:
        images = [batch * rate for rate in rates[name, number_format]]
        faster = ratios(rates[base, number_format], rates[name, number_format])
        needed = operations.get(name, operations[OURS])
        shares = [100 * needed * share for share in ratios(images, product)]
        cells = [name, number_format, spread(images, "{:.1f}")]
        cells.append("" if name == base else spread(faster, "{:.2f}"))
        cells.append(spread(shares, "{:.0f} %") if number_format == "bfloat16" else "")
        lines.append(f"| {' | '.join(cells)} |")
    rate = spread([operations / 1e9 for operations in product], "{:.0f}")
    lines.append(f"| {MATMUL} {PRODUCT}x{PRODUCT} | bfloat16 | {rate} GFLOP/s | | |")
    return lines


def table_of_types(rates, samples):
    """Lines of Markdown; `samples` are those of a step, for each type."""
    lines = ["| type | numbers | images/s | naive Keras: images/s | faster by |", "| --- | --- | --- | --- | --- |"]
    for name, number_format, kind in rates:
        if name == NAIVE:
            continue
        ours, naive = rates[OURS, number_format, kind], rates[NAIVE, number_format, kind]
        cells = [spread([samples[kind] * rate for rate in each], "{:.0f}") for each in (ours, naive)]
        cells.append(spread(ratios(ours, naive), "{:.2f}"))
        lines.append(f"| {kind} | {number_format} | {' | '.join(cells)} |")
    return lines


def weights_of_all(frameworks):
    """Numbers of weights [generator's, discriminator's]; stops if one contestant's are not the others'."""
    counts = {tuple(c): tuple(n) for framework in frameworks for c, n in framework.facts["parameters"]}
    if len(set(counts.values())) != 1:
        sys.exit(f"The contestants' networks differ in their numbers of weights: {counts}")
    return next(iter(counts.values()))


def compare_frameworks(arguments):
    ours = keras_process(arguments)
    torch = Framework("torch", arguments.torch_python, arguments.threads)
    frameworks = [framework for framework in (ours, torch) if framework.turns]
    weights = weights_of_all(frameworks)
    rates = measure_processes(frameworks, arguments.rounds, arguments.seconds)
    operations, size = ours.facts["operations"], arguments.size
    print(
        f"\nDCGAN training step: {size}x{size} RGB, width {arguments.width}, batch {arguments.batch}, {weights[0]:,} "
        f"weights in the generator,\n{weights[1]:,} in the discriminator, {operations[OURS] / 1e9:.2f} GFLOP an image. "
        + summary(frameworks, arguments)
    )
    print(*table(rates, arguments.batch, operations), sep="\n")
    if not torch.turns:
        print(f"\nPyTorch is left out: {torch.facts['missing']} (--torch_python names a Python that has it).")


def compare_types(arguments):
    ours = keras_process(arguments)
    rates = measure_processes([ours], arguments.rounds, arguments.seconds)
    size = arguments.size
    print(
        f"\nTraining steps of all types: {size}x{size} RGB, batches of {arguments.batch}, each type's own widths. "
        + summary([ours], arguments)
    )
    print(*table_of_types(rates, ours.facts["samples"]), sep="\n")


def keras_process(arguments):
    framework = Framework("keras", sys.executable, arguments.threads)
    if "missing" in framework.facts:
        sys.exit(f"{framework.facts['missing']}: install kerasgan first.")
    return framework


def summary(frameworks, arguments):
    versions = ", ".join(framework.facts["version"] for framework in frameworks)
    return (
        f"{versions}; {arguments.threads} threads.\nMedians (lowest to highest) of {arguments.rounds} turns of "
        f"{arguments.seconds:g} s, all contestants in turn.\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--game", choices=GAMES, default="alternating", help="how the players of a DCGAN are updated")
    parser.add_argument("--types", nargs="*", help="GAN types instead, beside the naive loop; without names, all")
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant has its turn")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a turn")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, help="number formats")
    parser.add_argument("--size", type=int, help="height and width of the images: 64, 32 with --types")
    parser.add_argument("--width", type=int, default=64, help="width of the DCGAN")
    parser.add_argument("--batch", type=int, help="images in a batch: 64, 16 with --types")
    parser.add_argument("--threads", type=int, default=available_cores(), help="threads of each framework")
    parser.add_argument("--torch_python", default=sys.executable, help="the Python that has PyTorch")
    parser.add_argument("--serve", choices=("keras", "torch"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.formats = arguments.formats or (FORMATS if arguments.types is not None else FORMATS[:2])
    arguments.size = arguments.size or (32 if arguments.types is not None else 64)
    arguments.batch = arguments.batch or (16 if arguments.types is not None else 64)
    if arguments.serve:
        serve(lambda: prepare(arguments.serve, arguments))
    elif arguments.types is not None:
        compare_types(arguments)
    else:
        compare_frameworks(arguments)


if __name__ == "__main__":
    main()
