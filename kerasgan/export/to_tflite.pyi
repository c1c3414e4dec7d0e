"""What type checkers see of `to_tflite`: a file that is not verified has nothing to tell."""

import os
import typing

from kerasgan.export.comparison import Verification

MODES: dict[str, str]

@typing.overload
def tflite(
    gan: typing.Any,
    path: str | os.PathLike[str],
    quantize: str | None = None,
    *,
    batch_size: int = 1,
    calibration: int = 100,
    seed: int = 0,
    allow_select_ops: typing.Literal[False] = False,
    overwrite: bool = False,
    verify: typing.Literal[True] = True,
) -> Verification: ...
@typing.overload
def tflite(
    gan: typing.Any,
    path: str | os.PathLike[str],
    quantize: str | None = None,
    *,
    batch_size: int = 1,
    calibration: int = 100,
    seed: int = 0,
    allow_select_ops: bool = False,
    overwrite: bool = False,
    verify: bool = True,
) -> Verification | None: ...
