"""TextToImage: the game in which images come from latents and a text that says what they are to show."""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasgan import captions
from kerasgan.checks import is_whole, number
from kerasgan.game.batch import once_there
from kerasgan.gan import GAN
from kerasgan.layers import Conv1D, Conv2D
from kerasgan.media import Image
from kerasgan.media.caption import Caption, captioned
from kerasgan.precision import in_float32, policy
from kerasgan.sizes import downsampling_stages
from kerasgan.tasks import TEXT_TO_IMAGE

_TEMPERATURE = 0.1  # of the contrastive loss
_WIDTH = 128  # of the text encoder
_EXAMPLE = "a red heart"  # of a model that has seen no data
_KEPT = 64  # texts of the data that a model remembers
_DILATIONS = (1, 2, 4)  # of its blocks, which see 3, 7 and 15 bytes besides the first layer's 5


def build_text_encoder(length, sentence_dim, width=_WIDTH):
    """Bytes of texts int32 (batch, length) -> sentence vectors float32 (batch, sentence_dim) of root mean square 1.

    Convolutions over bytes, of which each channel keeps its highest value anywhere in the text.
    """
    tokens = keras.Input((length,), dtype="int32", name="text")
    written = layers.Reshape((length, 1))(keras.ops.cast(keras.ops.not_equal(tokens, 0), "float32"))
    x = layers.Embedding(captions.CODES, width // 2)(tokens)
    x = layers.Multiply()([layers.ReLU()(Conv1D(width, 5, padding="same")(x)), written])
    for dilation in _DILATIONS:
        y = layers.ReLU()(Conv1D(width, 3, padding="same", dilation_rate=dilation)(x))
        x = layers.Multiply()([layers.ReLU()(layers.Add()([x, y])), written])
    x = layers.Dense(2 * width, activation="relu")(layers.GlobalMaxPooling1D()(x))
    x = layers.Dense(sentence_dim, dtype="float32")(x)
    return keras.Model(tokens, _of_length(x, sentence_dim, "sentence"), name="text_encoder")


def build_image_encoder(image_shape, sentence_dim, width=32):
    """Images -> vectors to compare with those of texts; in the encoder's stage alone."""
    images = x = keras.Input(image_shape, name="samples")
    for stage in range(downsampling_stages(image_shape)):
        x = layers.LeakyReLU(0.2)(Conv2D(width * min(2**stage, 8), 4, strides=2, padding="same")(x))
    x = layers.Dense(sentence_dim, dtype="float32")(layers.Flatten()(x))
    return keras.Model(images, _of_length(x, sentence_dim, "of_image"), name="image_encoder")


def _of_length(x, size, name):
    return layers.UnitNormalization(dtype="float32", name=name)(x) * size**0.5


def build_encoder(image_shape, length, sentence_dim, given=None):
    """[images, bytes of texts] -> {"images": ..., "texts": ...}: vectors that are alike for what belongs together.

    Of an encoder of texts that is given, [bytes of texts] -> {"texts": ...}: it learns nothing any more.
    """
    if given is not None:
        text = keras.Input((length,), dtype="int32", name="text")
        given.trainable = False
        vectors = layers.Activation("linear", dtype="float32")(given(text, training=False))
        reading = keras.Model(text, _of_length(vectors, sentence_dim, "sentence"), name="text_encoder")
        return keras.Model([text], {"texts": reading(text)}, name="encoder")
    images, text = keras.Input(image_shape, name="samples"), keras.Input((length,), dtype="int32", name="text")
    found = {
        "images": build_image_encoder(image_shape, sentence_dim)(images),
        "texts": build_text_encoder(length, sentence_dim)(text),
    }
    return keras.Model([images, text], found, name="encoder")


class TextToImage(GAN):
    """What types have in common whose images are to show what a text says (Reed et al., 2016, arXiv:1605.05396).

    Two stages. First an encoder of texts learns together with one of images: their vectors are to be alike for a text
    and its image, and unlike for any other image of the batch (symmetric cross-entropy of cosines at temperature 0.1;
    van den Oord et al., 2018, arXiv:1807.03748). It reads bytes, so it takes any language, and what it does not know
    it does not refuse. Then it stays as it is, and the game begins: the discriminator is matching-aware, it takes
    images with a text of another image for wrong, too. With an encoder of texts that is given there is but the game.

    Samples of the game are {"samples": images, "sentence": vectors of their texts}.

    Args:
        generator: functional model, [latents, sentence] -> images in model range.
        discriminator: functional model, [images, sentence] -> logits, made of the layers "trunk" (images -> features)
            and "head" ([features, sentence] -> logits).
        image_shape: (height, width, channels).
        length: bytes of the longest text.
        sentence_dim: length of the sentence vector.
        encoder_samples: samples seen, from which on the encoder stays as it is and the game begins.
        text_encoder: one of the user's, or None.
        examples: texts that samples show where none is asked for; none takes some of the data's.
        seed, name, dtype: as in `GAN`.
    """

    task = TEXT_TO_IMAGE
    players = ("discriminator", "generator", "encoder")
    stages = 2
    default_weights_of_others = {"discriminator": {"mismatched": 0.5}, "encoder": {"contrast": 1.0}}

    def __init__(
        self,
        generator,
        discriminator,
        image_shape,
        length,
        sentence_dim,
        encoder_samples,
        text_encoder=None,
        examples=(),
        seed=None,
        name=None,
        dtype=None,
    ):
        with policy(dtype, seed):
            super().__init__(
                generator, discriminator, media=Image(image_shape), latent="normal", seed=seed, name=name, dtype=dtype
            )
            self.encoder = build_encoder(image_shape, length, sentence_dim, text_encoder)
        captions.check_list(examples, "examples")
        self.length, self.encoder_samples, self.caption = length, encoder_samples, Caption(length)
        self._examples = self.caption.to_model(list(examples)) if examples else np.zeros((0, length), "int32")

    @staticmethod
    def checked(length, sentence_dim, encoder_samples, text_encoder):
        """(sentence_dim, encoder_samples) as they are, or as an encoder that is given has them: its own length, and 0.

        Raises:
            ValueError: an argument does not make sense, or the encoder reads or makes something else.
        """
        if not is_whole(length) or length > captions.LONGEST:
            raise ValueError(f"length={length!r}: expected a number of bytes from 1 to {captions.LONGEST}.")
        number("encoder_samples", encoder_samples, None, least=1, whole=True)
        if text_encoder is None:
            return sentence_dim, encoder_samples
        shapes = [tuple(each.shape) for each in (*text_encoder.inputs, *text_encoder.outputs)]
        if len(shapes) != 2 or shapes[0] != (None, length) or len(shapes[1]) != 2 or None in shapes[1][1:]:
            raise ValueError(
                f"text_encoder, from input to output, is {shapes}: expected a Keras model of bytes of texts, int32 "
                f"(None, {length}), as kerasgan.captions.tokens_of makes them, to a vector each, (None, any length)."
            )
        return shapes[1][1], 0

    @property
    def text_encoder(self):
        """The network from bytes of texts to sentence vectors."""
        return self.encoder.get_layer("text_encoder")

    def sentences(self, tokens):
        """Sentence vectors of bytes of texts, in inference mode; no gradient goes through them."""
        return tf.stop_gradient(tf.cast(self.text_encoder(tokens, training=False), tf.float32))

    # The game ------------------------------------------------------------------------------------------------------

    def stage_at(self, samples_seen):
        """0 while the encoder learns, 1 in the game, which begins at once with an encoder that was given."""
        return 0 if samples_seen < self.encoder_samples else 1

    @property
    def metrics(self):
        """Those of the players that learn in this stage."""
        own = ("encoder", "contrast")
        return [m for m in super().metrics if m.name == "stage" or m.name.startswith(own) != bool(self.stage)]

    def unpack(self, data):
        """({"samples": images, "sentence": vectors of texts}, the vectors); at first the bytes as "text", too."""
        images, tokens, _ = keras.utils.unpack_x_y_sample_weight(data)
        if tokens is None:
            raise ValueError(f"{self.name} makes images of texts: fit it on (images, bytes of texts).")
        tokens = tf.cast(tokens, tf.int32)
        sentences = self.sentences(tokens)  # in the first stage nothing uses them: they are not computed
        real = {"samples": images, "sentence": sentences}
        return real if self.stage else {**real, "text": tokens}, sentences

    def train_step(self, data):
        """In the first stage an update of the encoder for each batch, in the second a round of the game."""
        with once_there(data):
            batches = self.batches(data)
            if self.stage:
                for batch in batches[:-1]:
                    self.update_discriminator(batch)
                self.update_both(batches[-1])
            else:
                for batch in batches:
                    self.update(["encoder"], functools.partial(self.player_gradients, "encoder"), batch)
            self.track(stage=self.stage)
            return self.end_of_step(len(batches) * batches[0].count, batches[0].count)

    def encoder_terms(self, batch):
        """Cross-entropy of finding the text of an image, and the image of a text, among those of the batch.

        In the game there are none.
        """
        if self.stage:
            return {}
        tokens = batch.real["text"]
        found = self.encoder([batch.real["samples"], tokens], training=True)
        size = found["texts"].shape[-1]
        cosines = tf.matmul(found["images"], found["texts"], transpose_b=True) / size
        # The same text may stand in a batch twice: both of its images belong to it.
        same = tf.reduce_all(tokens[:, None] == tokens[None], axis=-1)
        wanted = tf.cast(same, tf.float32) / tf.reduce_sum(tf.cast(same, tf.float32), axis=1, keepdims=True)
        logits = tf.cast(cosines, tf.float32) / _TEMPERATURE
        losses = [tf.nn.softmax_cross_entropy_with_logits(wanted, one) for one in (logits, tf.transpose(logits))]
        return {"contrast": tf.reduce_mean(losses)}

    def call_generator(self, sources, condition=None, training=True):
        return {"samples": self.generator([sources, condition], training=training), "sentence": condition}

    def call_discriminator(self, samples, condition=None, training=True):
        return self.discriminator([samples["samples"], samples["sentence"]], training=training)

    def augment(self, samples):
        return {**samples, "samples": super().augment(samples["samples"])}

    def judge_real(self, batch):
        """Logits of images with their texts, and the loss of the same images with those of their neighbours."""
        trunk, head = (self.discriminator.get_layer(name) for name in ("trunk", "head"))
        features = trunk(batch.real["samples"], training=True)
        sentences = batch.real["sentence"]
        logits = head([features, sentences], training=True)
        with keras.StatelessScope():
            wrong = head([features, tf.roll(sentences, 1, axis=0)], training=True)
        return logits, {"mismatched": tf.reduce_mean(self.mismatched_loss(tf.cast(wrong, tf.float32)))}

    def mismatched_loss(self, logits):
        """The discriminator's loss of images with a text of another image, in the shape of the logits."""
        raise NotImplementedError(f"{type(self).__name__} must implement mismatched_loss(logits).")

    def held_out_losses(self, batch):
        """As `Game.held_out_losses`, of the players that learn in this stage."""
        if not self.stage:
            terms = self.weighted_terms("encoder", batch)
            return {"encoder_loss": sum(terms.values()), **terms}
        found = super().held_out_losses(batch)
        return {name: value for name, value in found.items() if not name.startswith(("encoder", "contrast"))}

    # Users' data ---------------------------------------------------------------------------------------------------

    def check(self, samples, second=None):
        """Raises a ValueError that says what is wrong with images (model range), or with bytes of texts."""
        super().check(samples)
        if second is None:
            raise ValueError(
                f"texts are missing: fit {self.name} on (images, texts), as kerasgan.data.captioned reads them."
            )
        tokens = np.asarray(second)
        self.caption.check(tokens, "texts")
        if len(tokens) != len(samples):
            raise ValueError(f"texts: {len(tokens)} given for {len(samples)} images; give one each.")
        if not self.has_examples:
            known = np.unique(tokens, axis=0)
            evenly = np.unique(np.linspace(0, len(known) - 1, _KEPT).round().astype(int))  # in their alphabetic order
            self._examples = known[evenly].astype("int32")

    @property
    def media_of_data(self):
        return self.media, self.caption

    def second_of(self, second):
        return None if second is None else np.asarray(second, "int32")

    @property
    def has_examples(self):
        """Whether the model knows texts of which it makes samples where nothing else is said."""
        return len(self._examples) > 0

    @property
    def _known_texts(self):
        return self._examples if self.has_examples else self.caption.to_model([_EXAMPLE[: self.length]])

    def _texts_in_turn(self, count):
        """Bytes of so many texts, those that are known one after the other, again and again."""
        known = self._known_texts
        return known[np.arange(count) % len(known)]

    # Samples -------------------------------------------------------------------------------------------------------

    def generate(self, count, labels=None, seed=None, truncation=None, text=None, return_latents=False):
        """New images that show what a text says, from the moving-average generator: uint8 pixels.

        ```python
        gan.generate(8, text="a red heart", seed=1)
        ```

        Args:
            count: how many, at least 1.
            labels: None; there are no classes.
            seed: integer; the same seed gives the same samples, and the first of them whatever `count` is.
            truncation: as in `GAN.generate`; the discriminator judges images with their texts.
            text: a text for all, or a list of `count` texts; None takes texts of the data in turn.
            return_latents: as in `GAN.generate`; they go with vectors of the texts.

        Returns:
            uint8 (count, height, width, channels).

        Raises:
            ValueError: an argument is out of its range, or a text too long for the model.
        """
        return super().generate(count, self._given(labels, text), seed, truncation, return_latents)

    def generate_batches(self, count, labels=None, seed=None, truncation=None, ema=True, text=None):
        """As `GAN.generate_batches`, with texts as in `generate`."""
        return super().generate_batches(count, self._given(labels, text), seed, truncation, ema)

    def _given(self, labels, text):
        if labels is not None:
            raise ValueError(f"labels={labels!r}: {self.name} has no classes; leave labels out, or give a text.")
        return text

    def _labels_for(self, count, labels):
        """Sentence vectors (count, sentence_dim) of a text, of texts, or, for None, of those of the data."""
        if labels is None:
            return self.sentences(self._texts_in_turn(count))
        texts = [labels] * count if isinstance(labels, str) else list(labels)
        if len(texts) != count:
            raise ValueError(f"text: {len(texts)} were given, and count={count}; give one for all, or one each.")
        distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        sentences = self.sentences(self.caption.to_model(list(distinct)))
        return tf.gather(sentences, [distinct[text] for text in texts])

    def example_texts(self, count, seed):
        """Texts of the data, the same for the same seed."""
        order = np.random.default_rng(seed).permutation(len(self._known_texts))[:count]
        return self.caption.to_natural(self._known_texts[order])

    def save_preview(self, path, count, seed, columns=None):
        """As `Game.save_preview`, each image with its text below."""
        texts = self.caption.to_natural(self._texts_in_turn(count))
        images = captioned(self.preview(count, seed), texts)
        taller = Image(images.shape[1:])
        taller.made_by = self.media.made_by
        return taller.save(images, path, columns)

    # Export --------------------------------------------------------------------------------------------------------

    def inference_network(self):
        """What a device runs, in float32: [latents, bytes of texts] -> images, the text encoder included."""
        generator, encoder = in_float32(self.ema_generator), in_float32(self.text_encoder)
        latents, text = keras.Input(generator.inputs[0].shape[1:], name="latents"), encoder.inputs[0]
        text = keras.Input(text.shape[1:], dtype="int32", name="text")
        images = generator([latents, encoder(text, training=False)], training=False)
        return keras.Model([latents, text], self.media.finish(images))

    def inference_inputs(self, count, seed=0):
        """Latents, and bytes of texts of the data in turn."""
        texts = self._texts_in_turn(count)
        return {**super().inference_inputs(count, seed), "text": texts}

    def inference_description(self):
        """Latents, and the text: bytes of UTF-8 with small ASCII letters, zeros behind (see `kerasgan.captions`)."""
        of_text = {"name": "text", "kind": "text", "range": [0, captions.CODES - 1], "length": self.length}
        return [*super().inference_description(), {**of_text, "examples": self.example_texts(8, 0)}]

    # Saving --------------------------------------------------------------------------------------------------------

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["texts"] = self._examples

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self._examples = np.array(store["texts"], "int32")
