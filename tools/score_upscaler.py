"""Scores super-resolution models beside the bicubic kernel, and shows what they make of details.

    python tools/score_upscaler.py --data sets.zip --subsets Set5,Set14 --name runs/pixels --name runs/game --out scores

Into the folder go `scores.md` and `scores.json`, PSNR and SSIM by the protocol of papers
(`kerasgan.metrics.super_resolution`), and `<subset>_<image>.png`: a detail of each image as bicubic, each model, and
original, side by side.
"""

import json
import pathlib
import sys

import numpy as np
from absl import app, flags

from kerasgan import files, metrics, runs, tasks
from kerasgan.media import Image, bicubic
from kerasgan.metrics.super_resolution import low_and_original

DETAIL = 128  # pixels along each edge


def score(names, source, subsets, out):
    """Scores models, given by names, run folders or files, on the images of some folders; returns the table's rows."""
    models = {pathlib.Path(name).name: tasks.UPSCALING.open(name) for name in names}
    scales = {gan.scale for gan in models.values()}
    if len(scales) != 1:
        raise ValueError(f"The models enlarge by {sorted(scales)}: score those of one scale together.")
    (scale,) = scales
    methods = {"bicubic": lambda image: bicubic.enlarge(image, scale)}
    methods |= {name: gan.upscale for name, gan in models.items()}
    rows = []
    for subset in subsets:
        images = runs.read_originals(source, subset)
        for name, method in methods.items():
            found = metrics.super_resolution(method, images.values(), scale)
            values = {"psnr": found.psnr.mean(), "ssim": found.ssim.mean()}
            rows.append({"data": subset, "images": len(images), "scale": scale, "model": name, **values})
            print(line(rows[-1]))
        for name, image in images.items():
            show(image, methods, scale, out / f"{subset}_{name}.png")
    return rows


def show(image, methods, scale, path):
    """Writes the detail with the strongest edges as every method makes it, and the original."""
    low, original = low_and_original(image, scale)
    made = [*(method(low) for method in methods.values()), original]
    side = min(DETAIL, *original.shape[:2])
    luma = original.mean(axis=-1)
    edges = np.abs(np.diff(luma[:-1], axis=1)) + np.abs(np.diff(luma[:, :-1], axis=0))
    places = [(y, x) for y in range(0, len(luma) - side + 1, 16) for x in range(0, luma.shape[1] - side + 1, 16)]
    top, left = max(places, key=lambda place: edges[place[0] : place[0] + side, place[1] : place[1] + side].sum())
    details = np.stack([one[top : top + side, left : left + side] for one in made])
    Image(details.shape[1:]).save(details, path, columns=len(details))


def line(row):
    return "| {data} ({images}) | x{scale} | {model} | {psnr:.2f} | {ssim:.4f} |".format(**row)


def main(argv):
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        out = files.check_folder(pathlib.Path(values.out), "--out")
        rows = score(values.name, values.data, values.subsets, out)
    except (ValueError, OSError) as error:
        sys.exit(f"score_upscaler: error: {error}")
    with files.atomic(out / "scores.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    head = "| data | scale | model | PSNR, dB | SSIM |\n|---|---|---|---|---|\n"
    with files.atomic(out / "scores.md") as temporary:
        temporary.write_text(head + "\n".join(map(line, rows)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    flags.DEFINE_multi_string("name", None, "A model: a name, a run folder or a .keras file.", required=True)
    flags.DEFINE_string("data", None, "A folder or zip file with the originals.", required=True)
    flags.DEFINE_list("subsets", "Set5,Set14", "Folders in it.")
    flags.DEFINE_string("out", "upscaler_scores", "Folder to write.")
    app.run(main)
