"""The rules of a game: what `compile` takes. Each is stated once: its default, its check, how it is written down."""

import typing

import keras

from kerasgan import augmentation, losses, penalties, schedules
from kerasgan.checks import number
from kerasgan.game import one_stage as one_stage_module
from kerasgan.game.optimizer import BothOptimizers
from kerasgan.game.player import Player

_serialize = keras.saving.serialize_keras_object


class Rule(typing.NamedTuple):
    """One argument of `compile`.

    Attributes:
        argument: its name.
        default: what None stands for: the name of an attribute of the type, or a value.
        check: function of a game and of what was given, which returns what the game keeps, or raises a ValueError.
        config: function of what the game keeps, which returns what JSON can hold.
        kept_as: the game's attribute.
    """

    argument: str
    default: typing.Any
    check: typing.Callable
    config: typing.Callable
    kept_as: str

    def settle(self, game, given):
        """Sets the game's attribute by what was given, or by the default."""
        if given is None:
            given = getattr(game, self.default) if isinstance(self.default, str) else self.default
        setattr(game, self.kept_as, self.check(game, given))


def rule(argument, default, check, config=lambda kept: kept, kept_as=None):
    return Rule(argument, default, check, config, kept_as or argument)


def _number(argument, default, **bounds):
    return rule(argument, default, lambda game, given: number(argument, given, None, **bounds))


def _flag(argument, default):
    return rule(argument, default, lambda game, given: bool(given))


def _for_players(argument):
    def check(game, given):
        return of_players(argument, given, game.players)

    return rule(argument, (None, None), check, lambda kept: [schedules.serialize(one) for one in kept.values()])


RULES = (
    rule("loss", "default_loss", lambda game, given: losses.get(given), _serialize, "adversarial_loss"),
    rule(
        "penalties",
        "default_penalties",
        lambda game, given: [penalties.get(one) for one in as_sequence(given)],
        lambda kept: [_serialize(penalty) for penalty in kept],
    ),
    rule(
        "augmentation",
        "default_augmentation",
        lambda game, given: augmentation.get(given, game.media),
        lambda kept: _serialize(kept) if kept else [],
    ),
    _number("discriminator_steps", "default_discriminator_steps", least=1, whole=True),
    _flag("fresh_generator_batch", "default_fresh_generator_batch"),
    _number("clip_weights", "default_clip_weights"),
    rule(
        "ema_half_life",
        "default_ema_half_life",
        lambda game, given: schedules.get(given, "ema_half_life"),
        schedules.serialize,
    ),
    rule(
        "weights",
        {},
        lambda game, given: weights_of_terms(game, given),
        lambda kept: {name: schedules.serialize(weight) for name, weight in kept.items()},
        "weights_of_terms",
    ),
    _number("clip_gradients", 0.0),
    _number("gradient_accumulation", 1, least=1, whole=True),
    _for_players("learning_rate"),
    _for_players("beta_2"),
    _flag("one_stage", False),
)


class Rules:
    """The part of a `Game` that says how it is played."""

    def compile(
        self,
        discriminator_optimizer=None,
        generator_optimizer=None,
        loss=None,
        penalties=None,
        discriminator_steps=None,
        fresh_generator_batch=None,
        augmentation=None,
        clip_weights=None,
        ema_half_life=None,
        weights=None,
        learning_rate=None,
        beta_2=None,
        clip_gradients=None,
        gradient_accumulation=None,
        one_stage=None,
        freeze_discriminator=0,
        optimizers=None,
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Sets the rules of the game. Everything left at None is the paper's value, so `gan.compile()` is right.

        Args:
            discriminator_optimizer, generator_optimizer: Keras optimizers, their names or serialized dicts.
            optimizers: of players besides these two, {player: optimizer}, in games that have some.
            loss: an `AdversarialLoss`, or a name such as "hinge" (see `kerasgan.losses`).
            penalties: sequence of `kerasgan.penalties`, of the discriminator or of the generator; `()` for none.
            discriminator_steps: discriminator updates for each generator update, each on its own real batch.
            fresh_generator_batch: whether the generator's step has a real and a fake batch of its own, instead of the
                discriminator's last ones: for losses that compare the two, so that it is not judged by the pairs that
                the discriminator has just learned.
            augmentation: what real and fake samples go through before the discriminator sees them
                (`kerasgan.augmentation.DiffAugment` or its policy, such as "translation,cutout"); `()` for none.
            clip_weights: bound that the discriminator's weights are clipped to after each update; 0 for none.
            ema_half_life: half-life of the generator's moving average, in samples, or a schedule of it
                (`kerasgan.schedules`); 0 makes it a plain copy. It is never longer than 5 % of the samples seen.
            weights: of the parts of the generator's loss (and those of other players), {name: a number or a schedule},
                where they are not the type's own, `default_weights`.
            learning_rate: instead of the optimizers' own: a number, a schedule such as "cosine(2e-4, 5e-5, 2000000)",
                schedules one after the other ("linear(1e-3, 1e-4, 90000) then linear(2e-4, 0, 400000)"), or a pair of
                them, (discriminator's, generator's): two time-scales (Heusel et al., 2017, arXiv:1706.08500). In games
                of more players: one for each in their order, or {player: rate}.
            beta_2: the same for Adam's second beta.
            clip_gradients: bound on the norm of all gradients of a player together; 0 for none.
            gradient_accumulation: parts of a batch that are computed one after the other before the update, for batches
                that memory does not hold. Statistics of batch normalization and the like are those of a part.
            one_stage: one pass through the discriminator serves both players (Shen et al., 2021, arXiv:2103.00430):
                faster, with simultaneous updates. Not for discriminators that mix the samples of a batch, as batch
                normalization does, nor for the hinge loss, whose derivative vanishes.
            freeze_discriminator: this many of the discriminator's first layers with weights keep them (FreezeD, Mo et
                al., 2020, arXiv:2002.10964): for fine-tuning on few samples.
            jit_compile, steps_per_execution, run_eagerly: as in `keras.Model.compile`.

        Raises:
            ValueError: an argument is not what it should be.
        """
        given = locals()
        self._players = {name: Player(self, name) for name in self.players}
        self.freeze_discriminator = self.player("discriminator").freeze(
            freeze_discriminator, before=getattr(self, "freeze_discriminator", 0)
        )
        super().compile(
            optimizer=None,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            auto_scale_loss=False,  # of each player's own optimizer
        )
        for rule in RULES:
            rule.settle(self, given[rule.argument])
        if self.one_stage:
            one_stage_module.check(self)
        of_two = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
        self._give_optimizers({**(optimizers or {}), **of_two})
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._logs()}
        self._held_out = HeldOut(self._logs_of_losses())
        self._both_optimizers = BothOptimizers(self)

    def _give_optimizers(self, given):
        """Builds each player's optimizer: that which was given, or the type's own."""
        if unknown := given.keys() - set(self.players):
            raise ValueError(
                f"optimizers={{{sorted(unknown)[0]!r}: ...}}: {type(self).__name__} has the players "
                f"{', '.join(self.players)}."
            )
        for player, default in zip(self._players.values(), self.default_optimizers(), strict=True):
            setattr(self, f"{player.name}_optimizer", player.built_optimizer(given.get(player.name) or default))

    def _logs_of_losses(self):
        """Names of what a batch that is not learned from tells, too."""
        return [
            "discriminator_loss",
            "generator_loss",
            "real_logits",
            "fake_logits",
            "discriminator_accuracy",
            *(f"{player}_loss" for player in self.players[2:]),
            *(term for term in self.weights_of_terms if term != "adversarial"),
        ]

    def _logs(self):
        """Names of what a training step returns; gives each optimizer its rates."""
        names = [
            *self._logs_of_losses(),
            *(penalty.name for penalty in self.penalties),
            *(["augmentation_probability"] if hasattr(self.augmentation, "adapt") else []),
            *(["stage"] if self.stages > 1 else []),
        ]
        for player in self._players.values():
            player.set_rates()
            names += player.logs()
        return names

    def _details(self):
        """Names of what is logged that a progress bar does not show."""
        shown = {"discriminator_accuracy", "stage", *self._names_of_losses()}
        return self._trackers.keys() - shown

    def player(self, name):
        """The `kerasgan.game.Player` of this name, once the game is compiled."""
        return self._players[name]

    @property
    def optimizer(self):
        """The players' optimizers as one, for callbacks: see `BothOptimizers`; None before `compile`."""
        return getattr(self, "_both_optimizers", None)

    @optimizer.setter
    def optimizer(self, value):
        if value is not None:  # which is what Keras's own `compile` sets
            raise AttributeError(
                "A game has an optimizer for each player: gan.compile(discriminator_optimizer=..., "
                "generator_optimizer=...)."
            )

    @property
    def metrics(self):
        if not hasattr(self, "_trackers"):
            return []
        return list((self._held_out.trackers if self._held_out.active else self._trackers).values())

    def get_compile_config(self):
        if not hasattr(self, "adversarial_loss"):
            return None
        others = {name: _serialize(self.player(name).optimizer) for name in self.players[2:]}
        return {
            "discriminator_optimizer": _serialize(self.discriminator_optimizer),
            "generator_optimizer": _serialize(self.generator_optimizer),
            **({"optimizers": others} if others else {}),
            **{rule.argument: rule.config(getattr(self, rule.kept_as)) for rule in RULES},
            "freeze_discriminator": self.freeze_discriminator,
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
            "run_eagerly": self.run_eagerly,
        }

    def compile_from_config(self, config):
        self.compile(**config)


class HeldOut:
    """Running means of `evaluate`, beside those of a training; while it is entered, they are the model's metrics.

    Nothing of Keras, so that they are no part of the model, nor of its files.

    Args:
        names: of the means.
    """

    def __init__(self, names):
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.active = False

    def __enter__(self):
        self.active = True

    def __exit__(self, *error):
        self.active = False


def weights_of_terms(game, given):
    """{name: weight, a number or a schedule} of the parts of all players' losses, by those that were given."""
    known = dict(game.default_weights)
    for own in game.default_weights_of_others.values():
        known |= own
    if not isinstance(given, dict) or not given.keys() <= known.keys():
        raise ValueError(
            f"weights={given!r}: expected a dict of some of {', '.join(known)}, the parts of the "
            f"generator's loss of {type(game).__name__}."
        )
    return {name: schedules.get(weight, f"weights[{name!r}]") for name, weight in {**known, **given}.items()}


def of_players(argument, given, players):
    """What an argument says of each player: {player: None, a number or a schedule}.

    Args:
        given: one value for all, one for each in their order, or {player: value}.
    """
    if isinstance(given, dict) and given.keys() <= set(players):
        values = [given.get(player) for player in players]
    elif isinstance(given, (tuple, list)):
        values = [*given, *[None] * (len(players) - 2)] if len(given) == 2 else given
    else:
        values = [given] * len(players)
    if len(values) != len(players):
        others = "" if len(players) == 2 else f", or one for each of {', '.join(players)}"
        raise ValueError(f"{argument}={given!r}: expected one value, or a pair (discriminator's, generator's){others}.")
    pairs = zip(players, values, strict=True)
    return {player: None if one is None else schedules.get(one, argument) for player, one in pairs}


def as_sequence(value):
    return value if isinstance(value, (tuple, list)) else (value,)
