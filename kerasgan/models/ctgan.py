"""CTGAN: a GAN that makes rows of tables, with categories as they are asked for."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import distribution
from kerasgan.checks import is_number, is_whole, number
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import BatchNormalization
from kerasgan.media import Table
from kerasgan.media.wanted import Wanted
from kerasgan.penalties import GradientPenalty
from kerasgan.precision import in_float32, policy
from kerasgan.structures import joined
from kerasgan.tasks import TABLE_GENERATION

_CHUNK = 512  # rows made at a time of which some are taken; part of what a seed means, so it never changes
_MOST_TRIED = 500  # rows made for each that is wanted, before it is said that there are too few
_LEAST = 1e-20  # of a uniform number, whose logarithm is taken


def by_vector(function, values, widths):
    """`function` along each of the vectors that lie side by side in the last axis of `values`.

    Args:
        function: of a tensor, along its last axis.
        values: (count, sum of widths).
        widths: of the vectors. Neighbours of one width are computed together.
    """
    runs = []
    for width in widths:
        if runs and runs[-1][0] == width:
            runs[-1][1] += 1
        else:
            runs.append([width, 1])
    parts = tf.split(values, [width * times for width, times in runs], axis=-1)
    done = []
    for part, (width, times) in zip(parts, runs, strict=True):
        if times == 1:
            done.append(function(part))
        else:
            vectors = function(tf.reshape(part, (-1, times, width)))
            done.append(tf.reshape(vectors, (-1, times * width)))
    return tf.concat(done, axis=-1)


@keras.saving.register_keras_serializable(package="kerasgan")
class Shares(layers.Layer):
    """Logits of vectors side by side -> the softmax of each.

    Args:
        widths: lengths of the vectors.

    Input and output shape: (batch, sum of widths).
    """

    def __init__(self, widths, **kwargs):
        super().__init__(**kwargs)
        self.widths = list(widths)

    def call(self, inputs):
        return by_vector(tf.nn.softmax, inputs, self.widths)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "widths": self.widths}


def build_generator(media, latent_dim, units, blocks):
    """[Latents, condition] -> rows: numbers in [-1, 1], logits of one-hot vectors. Layers' inputs go on, too."""
    latents = keras.Input((latent_dim,), name="latents")
    condition = keras.Input((media.conditions_width,), name="condition") if media.discrete else None
    x = latents if condition is None else layers.Concatenate()([latents, condition])
    for _ in range(blocks):
        y = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(layers.Dense(units)(x)))
        x = layers.Concatenate()([y, x])
    parts = []
    if media.numeric:
        parts.append(layers.Dense(len(media.numeric), "tanh", dtype="float32", name="numbers")(x))
    if media.widths:
        parts.append(layers.Dense(sum(media.widths), dtype="float32", name="logits")(x))
    rows = parts[0] if len(parts) == 1 else layers.Concatenate(dtype="float32")(parts)
    return keras.Model(latents if condition is None else [latents, condition], rows, name="generator")


def build_critic(media, pack, units, blocks, dropout):
    """[Packs of rows (pack, width), their conditions] -> a logit for each pack."""
    rows = keras.Input((pack, *media.shape), name="samples")
    condition = keras.Input((pack, media.conditions_width), name="condition") if media.discrete else None
    x = rows if condition is None else layers.Concatenate()([rows, condition])
    x = layers.Flatten()(x)
    for _ in range(blocks):
        x = layers.Dropout(dropout)(layers.LeakyReLU(0.2)(layers.Dense(units)(x)))
    logits = layers.Activation("linear", dtype="float32", name="logits")(layers.Dense(1)(x))
    return keras.Model(rows if condition is None else [rows, condition], logits, name="critic")


@keras.saving.register_keras_serializable(package="kerasgan")
class CTGAN(GAN):
    """CTGAN (Xu, Skoularidou, Cuesta-Infante & Veeramachaneni, 2019, arXiv:1907.00503): rows of tables.

    Numbers are told by the mode that they are near, and how far they are from it (`kerasgan.media.Table`). The
    generator is given a condition, one value of one categorical column, and pays for rows without it (cross-entropy of
    its logits). Conditions and real rows are drawn so that rare values are seen (`kerasgan.data.table`). Categories are
    drawn by the Gumbel softmax at 0.2, through which gradients pass. The game is WGAN-GP (weight 10, one critic update
    a generator update, Adam 2e-4 (0.5, 0.9), batches of 500).

    Changed from the paper: the critic judges single rows by default. With `pack=10` it judges ten at a time (PacGAN,
    arXiv:1712.04086), and sees whether they are too alike; but after 1,000 steps on a census it had not seen yet what
    depends on what, as it had of single rows. A number that makes up 5 % of a column, such as 0, is a mode without
    deviation, and met exactly; missing values are a mode, or a category, of their own. Fakes and reals of a batch have
    the same conditions in the same order, and the gradient penalty is for the rows alone. Weights do not decay. For
    samples, a moving average of the generator with the statistics of its batch normalization, so that a row does not
    depend on those beside it, and conditions in the frequencies of the data.

    Args:
        fitted: what `kerasgan.data.table` learned of the table, its attribute `fitted`.
        latent_dim: length of the latent vector.
        units, blocks: width and number of hidden layers, of both networks.
        pack: rows that the critic judges at a time, 10 in the paper. Batches that are no multiple of it are filled up
            from their start.
        dropout: share of the critic's hidden units dropped.
        temperature: of the Gumbel softmax, in training.
        seed, name, dtype: as in `GAN`.

    Example:

    ```python
    people = kerasgan.data.table("people.csv")
    gan = kerasgan.models.CTGAN(people.fitted)
    gan.compile()
    gan.fit(people, epochs=300)
    rows = gan.generate(1000, conditions={"income": ">50K"}, seed=1)
    ```
    """

    starting = Starting(data={"reader": "table", "part": "train"}, model={})
    task = TABLE_GENERATION
    default_batch_size = 500
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0),)
    default_weights = {"adversarial": 1.0, "condition": 1.0}

    def __init__(
        self,
        fitted,
        latent_dim=128,
        units=256,
        blocks=2,
        pack=1,
        dropout=0.5,
        temperature=0.2,
        seed=None,
        name=None,
        dtype=None,
    ):
        media = Table(fitted)
        if not is_whole(pack):
            raise ValueError(f"pack={pack!r}: expected a whole number of rows, 1 or more.")
        if not is_number(temperature, 1e-3, 100):
            raise ValueError(f"temperature={temperature!r}: expected a number above 0, such as 0.2.")
        with policy(dtype, seed):
            super().__init__(
                build_generator(media, latent_dim, units, blocks),
                build_critic(media, pack, units, blocks, dropout),
                media=media,
                seed=seed,
                name=name,
                dtype=dtype,
            )
        self.latent_dim, self.pack, self.temperature = latent_dim, pack, temperature
        self._numbers = len(media.numeric)
        self._conditions = media.conditions_width
        widths = media.widths[: len(media.discrete)]
        # Which places of the conditions belong to each column, and up to where, in frequencies, each value goes.
        self._places = np.repeat(np.eye(len(widths), dtype="float32"), widths, axis=1)
        frequencies = [np.array(column["counts"]) / sum(column["counts"]) for column in media.discrete]
        ends = [place + np.cumsum(own) for place, own in enumerate(frequencies)]
        self._ends = np.concatenate([np.zeros(0), *ends]).astype("float32")
        self._near = _modes_with_deviation(media)

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(2e-4, 0.5, 0.9), keras.optimizers.Adam(2e-4, 0.5, 0.9)

    # The game ------------------------------------------------------------------------------------------------------

    def unpack(self, data):
        """(packs of rows, packs of conditions); where the data do not say which columns were drawn, all in turn."""
        rows, columns, _ = keras.utils.unpack_x_y_sample_weight(data)
        rows = tf.cast(rows, tf.float32)
        condition = None
        if self._conditions:
            if columns is None:
                columns = tf.range(tf.shape(rows)[0]) % len(self._places)
            condition = self._packed(self.condition_of(rows, tf.reshape(tf.cast(columns, tf.int32), (-1,))))
        packs = self._packed(rows)
        return {"rows": packs, "logits": packs}, condition  # logits: of fakes alone, and in the same structure

    def condition_of(self, rows, columns):
        """The conditions that rows meet: their values in these columns, float32 (count, conditions)."""
        held = rows[:, self._numbers : self._numbers + self._conditions]
        return held * tf.gather(self._places, columns)

    def _packed(self, rows):
        """(count, ...) -> (packs, pack, ...); the last pack is filled up from the first rows."""
        count = rows.shape[0] if rows.shape[0] is not None else tf.shape(rows)[0]
        packs = -(-count // self.pack)
        if not isinstance(count, int) or count % self.pack:
            rows = tf.gather(rows, tf.range(packs * self.pack) % count)
        return tf.reshape(rows, (packs, self.pack, rows.shape[-1]))

    def sources_for(self, batch):
        """Latents, and uniform numbers for the Gumbel softmax, in packs: (packs, pack, latents + categories)."""
        seed, used = self.shared_seed(), self.latent_dim + sum(self.media.widths)

        def draw(packs):
            drawn = self.sample_latents(packs * self.pack, seed)[:, :used]
            return tf.reshape(drawn, (packs, self.pack, used))

        return distribution.own_rows(draw, batch.count, self.gradient_accumulation)

    def sample_latents(self, count, seed):
        """Standard normal latents, then uniform numbers that decide: categories and modes, and, last, the condition."""
        first, second = tf.unstack(tf.random.split(seed, 2))
        decisions = sum(self.media.widths) + 1
        normal = tf.random.stateless_normal((count, self.latent_dim), first)
        return tf.concat([normal, tf.random.stateless_uniform((count, decisions), second)], axis=1)

    def call_generator(self, sources, condition=None, training=True):
        """{"rows": packs of rows, "logits": the same before categories are drawn}."""
        latents, chance = self._divided(tf.reshape(sources, (-1, sources.shape[-1])))
        given = None if condition is None else tf.reshape(condition, (-1, self._conditions))
        logits = tf.cast(self.generator(_inputs(latents, given), training=training), tf.float32)
        packs = lambda rows: tf.reshape(rows, (-1, self.pack, rows.shape[-1]))  # noqa: E731
        return {"rows": packs(self._relaxed(logits, chance)), "logits": packs(logits)}

    def _divided(self, sources):
        """(latents, what decides categories and modes) of sources."""
        width = sum(self.media.widths)
        return sources[:, : self.latent_dim], sources[:, self.latent_dim : self.latent_dim + width]

    def _relaxed(self, outputs, chance):
        """What the generator gave with shares of categories in place of logits (Gumbel softmax, arXiv:1611.01144)."""
        if not self.media.widths:
            return outputs
        drawn = (outputs[:, self._numbers :] + gumbel(chance)) / self.temperature
        shares = by_vector(tf.nn.softmax, drawn, self.media.widths)
        # A mode without deviation has nothing to be away from.
        numbers = outputs[:, : self._numbers] * (self._near[0] + tf.matmul(shares, self._near[1]))
        return tf.concat([numbers, shares], axis=-1)

    def call_discriminator(self, samples, condition=None, training=True):
        return self.discriminator(_inputs(samples["rows"], condition), training=training)

    def generator_terms(self, batch):
        """Rows without the value that was asked for: the cross-entropy of the logits of its column."""
        if not self._conditions:
            return {"condition": tf.zeros(())}
        logits = batch.fake["logits"][..., self._numbers : self._numbers + self._conditions]
        logits = tf.reshape(logits, (-1, self._conditions))
        likelihoods = by_vector(tf.nn.log_softmax, logits, self.media.widths[: len(self.media.discrete)])
        asked = tf.reshape(tf.cast(batch.condition, tf.float32), (-1, self._conditions))
        return {"condition": -tf.reduce_mean(tf.reduce_sum(asked * likelihoods, axis=1))}

    def end_of_step(self, seen, batch):
        return super().end_of_step(seen * self.pack, batch * self.pack)  # which are counted in packs

    # Users' data ---------------------------------------------------------------------------------------------------

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with rows (model range), or the columns that go with them."""
        super().check(samples)
        if second is None:
            return
        columns = np.reshape(second, (-1,))
        if len(columns) != len(samples) or not np.issubdtype(columns.dtype, np.integer):
            raise ValueError(f"columns: expected a whole number for each of {len(samples)} rows.")
        if len(columns) and not 0 <= columns.min() <= columns.max() < max(1, len(self._places)):
            raise ValueError(f"columns hold {columns.max()}; the table has {len(self._places)} categorical columns.")

    # Samples -------------------------------------------------------------------------------------------------------

    def generate(self, count, labels=None, seed=None, truncation=None, conditions=None, return_latents=False):
        """New rows from the moving-average generator: a `pandas.DataFrame` with the columns of the data.

        ```python
        gan.generate(1000, conditions={"income": ">50K", "age": ">=40"}, seed=1)
        ```

        Args:
            count: how many, at least 1.
            labels, truncation: None; a table has neither classes nor a choice of the most real.
            seed: integer; the same seed gives the same rows, and the first of them whatever `count` is.
            conditions: {column: value} that all rows meet. Of a category its value (None for a missing one), or a list
                of values; of numbers and dates one value, (least, most), or a text such as ">=40", "<30", "40..60". The
                rarest category asked for is given to the generator; rows that miss a condition are drawn again.
            return_latents: as in `GAN.generate`; without conditions.

        Returns:
            `pandas.DataFrame` of `count` rows.

        Raises:
            ValueError: an argument is out of its range, there is no such column or value, or rows with it hardly ever
                come about.
        """
        if labels is not None:
            raise ValueError(f"labels={labels!r}: {self.name} has no classes; leave labels out, or give conditions.")
        if not conditions:
            return super().generate(count, None, seed, truncation, return_latents)
        if return_latents:
            raise ValueError("return_latents: rows that meet conditions are drawn again and again; leave one out.")
        if truncation is not None:
            self.truncated(self.ema_generator, truncation)
        count = number("count", count, None, least=1, whole=True)
        wanted = Wanted(self.media, conditions)
        rows = self._meeting(wanted, count, self._sampling_seed(seed))
        return self.media.to_natural(rows)

    def _meeting(self, wanted, count, seed):
        """The first `count` of the rows of a seed that meet conditions, in model range."""
        given, sample = wanted.vector(), self._sampler(self.ema_generator)
        found, held, made = [], 0, 0
        while held < count:
            if made >= _MOST_TRIED * max(count, 100):
                raise ValueError(
                    f"conditions={wanted}: of {made:,} rows that were made, {held:,} meet them, and {count:,} are "
                    "wanted. Ask for fewer rows, or for less at once: such rows are rare in the data, or never occur."
                )
            seed_of_chunk = tf.random.experimental.stateless_fold_in(seed, made // _CHUNK)
            rows = np.asarray(sample(self.sample_latents(_CHUNK, seed_of_chunk), given))
            rows = rows[wanted.met(self.media.to_natural(rows))]
            found.append(rows)
            held, made = held + len(rows), made + _CHUNK
        return joined(found)[:count]

    def truncated(self, network, truncation):
        raise ValueError(f"truncation={truncation!r}: the critic judges {self.pack} rows at a time; leave it out.")

    def _sampler(self, network):
        """Function of latents (see `sample_latents`) and of a condition (1, conditions), or None for the data's."""
        if network not in self._samplers:
            widths = self.media.widths

            def sample(drawn, given):
                latents, chance = self._divided(drawn)
                condition = None
                if self._conditions:
                    held = self._drawn_conditions(drawn[:, -1]) if given is None else given
                    condition = tf.broadcast_to(held, (tf.shape(drawn)[0], self._conditions))
                outputs = tf.cast(network(_inputs(latents, condition), training=False), tf.float32)
                if not widths:
                    return outputs
                chosen = by_vector(_highest, outputs[:, self._numbers :] + gumbel(chance), widths)
                return tf.concat([outputs[:, : self._numbers], chosen], axis=1)

            self._samplers[network] = tf.function(sample, autograph=False, reduce_retracing=True)
        return self._samplers[network]

    def _drawn_conditions(self, chance):
        """Conditions in the frequencies of the data, of uniform numbers (count,)."""
        value = tf.searchsorted(self._ends, chance * len(self._places), side="right")
        return tf.one_hot(tf.minimum(value, self._conditions - 1), self._conditions)

    def latents_between(self, start, end, share):
        """As of `GAN` for the latents; what decides on categories stays as it is at the start."""
        way = super().latents_between(start[..., : self.latent_dim], end[..., : self.latent_dim], share)
        decisions = np.broadcast_to(start[..., self.latent_dim :], (*way.shape[:-1], start.shape[-1] - self.latent_dim))
        return np.concatenate([way, decisions], axis=-1)

    def codes(self, count, seed, labels=None):
        raise ValueError(
            f"{self.name}: rows follow from latents, conditions and draws, and have no directions; conditions say what "
            "rows are to be like."
        )

    def watched_samples(self, count, seed):
        return joined(list(self._sample_batches(count, None, seed, None, self.generator)))

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs, in float32 whatever the policy: [latents, condition] -> rows, of which an app draws.

        Returns:
            A functional `keras.Model` -> (batch, width): numbers in [-1, 1], and shares of categories and modes in
            place of one-hot vectors. The sidecar says how they become values.
        """
        generator = in_float32(self.ema_generator)
        inputs = [keras.Input(i.shape[1:], name=i.name) for i in generator.inputs]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        parts = [generator.get_layer(name).output for name in ("numbers", "logits") if self._has(generator, name)]
        if self.media.widths:
            parts[-1] = Shares(self.media.widths, dtype="float32", name="shares")(parts[-1])
        rows = parts[0] if len(parts) == 1 else layers.Concatenate(dtype="float32")(parts)
        return keras.Model(inputs, keras.Model(generator.inputs, rows, name="rows")(inputs))

    @staticmethod
    def _has(generator, name):
        return any(layer.name == name for layer in generator.layers)

    def inference_inputs(self, count, seed=0):
        """Latents, and conditions in the frequencies of the data."""
        count = number("count", count, None, least=1, whole=True)
        drawn = self.sample_latents(count, self._sampling_seed(seed))
        inputs = {"latents": drawn[:, : self.latent_dim].numpy()}
        if self._conditions:
            inputs["condition"] = self._drawn_conditions(drawn[:, -1]).numpy()
        return inputs

    def inference_description(self):
        """Latents, and the condition: zeros but for a 1 at the place of the value, counted over `conditions`."""
        described = super().inference_description()
        if not self._conditions:
            return described
        known = [{key: column[key] for key in ("name", "values", "counts")} for column in self.media.discrete]
        return [*described, {"name": "condition", "kind": "condition", "range": [0.0, 1.0], "conditions": known}]


def _inputs(values, condition):
    return values if condition is None else [values, condition]


def gumbel(chance):
    """Gumbel noise of uniform numbers in [0, 1)."""
    return -tf.math.log(-tf.math.log(tf.clip_by_value(chance, _LEAST, 1.0 - 1e-7)))


def _highest(logits):
    """One-hot vectors of where logits are highest."""
    return tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1])


def _modes_with_deviation(media):
    """(1 of each column of numbers of which no mode is drawn; (one-hot places, columns) 1 of modes with deviation)."""
    alone = np.array([column not in media.with_modes for column in media.numeric], "float32")
    near = np.zeros((sum(media.widths), len(media.numeric)), "float32")
    start = media.conditions_width
    for place, column in enumerate(media.numeric):
        if column in media.with_modes:
            deviations = [float(deviation > 0) for _, _, deviation in column["modes"]]
            near[start : start + len(deviations), place] = deviations
            start += len(deviations) + bool(column["missing"])
    return alone, near
