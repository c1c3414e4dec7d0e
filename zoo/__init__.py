"""Pretrained models: one folder each, with its recipe, card, sample sheet and weights. Installed as `kerasgan.zoo`."""
