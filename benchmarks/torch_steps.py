"""PyTorch's part in training_step.py: DCGAN's networks and a training step of them."""

import math

import torch
from contestants import CHANNELS_LAST, CONTIGUOUS
from torch import nn
from torch.nn.functional import softplus


def contestants(game, setting, formats, threads):
    """({(name, format): function that makes one step}, facts for the table)"""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    steps, parameters = {}, {}
    for number_format in formats:
        for name, memory_format in ((CONTIGUOUS, torch.contiguous_format), (CHANNELS_LAST, torch.channels_last)):
            both = [network.to(memory_format=memory_format) for network in networks(setting, game.normalization)]
            steps[name, number_format] = training_step(*both, setting, number_format, memory_format)
            parameters[name, number_format] = [sum(p.numel() for p in network.parameters()) for network in both]
    return steps, {"version": f"PyTorch {torch.__version__}", "parameters": list(parameters.items())}


class Maps(nn.Module):
    """Vectors -> 4x4 maps; a view, in channels_last format."""

    def forward(self, x):
        return x.view(x.shape[0], 4, 4, -1).permute(0, 3, 1, 2)


def networks(setting, normalization):
    """DCGAN's generator and discriminator."""
    stages = int(math.log2(setting.size // 4))
    widest, kernel = setting.width * 2 ** (stages - 1), setting.kernel
    normalized = normalization == "batch"
    generator = [nn.Linear(setting.latents, 4 * 4 * widest, bias=False), Maps(), nn.BatchNorm2d(widest), nn.ReLU(True)]
    discriminator = [nn.Conv2d(3, setting.width, kernel, 2, 1), nn.LeakyReLU(0.2, True)]
    for stage in range(1, stages):
        wide, narrow = widest // 2 ** (stage - 1), widest // 2**stage
        generator += [nn.ConvTranspose2d(wide, narrow, kernel, 2, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(True)]
        narrow = setting.width * 2**stage
        discriminator += [nn.Conv2d(narrow // 2, narrow, kernel, 2, 1, bias=not normalized)]
        discriminator += [nn.BatchNorm2d(narrow)] if normalized else []
        discriminator += [nn.LeakyReLU(0.2, True)]
    generator += [nn.ConvTranspose2d(setting.width, 3, kernel, 2, 1), nn.Tanh()]
    discriminator += [nn.Flatten(), nn.Linear(4 * 4 * widest, 1)]
    return [nn.Sequential(*layers).apply(_initialize) for layers in (generator, discriminator)]


def _initialize(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)


def training_step(generator, discriminator, setting, number_format, memory_format):
    """The function that makes one training step."""

    def adam(network):
        return torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=number_format == "bfloat16")

    g_optimizer, d_optimizer = adam(generator), adam(discriminator)
    real = torch.empty(setting.batch, 3, setting.size, setting.size).uniform_(-1, 1).to(memory_format=memory_format)

    def step():
        with autocast():
            fake = generator(torch.empty(setting.batch, setting.latents).uniform_(-1, 1))
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
