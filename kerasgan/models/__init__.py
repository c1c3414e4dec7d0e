"""The GAN types, one file each."""

from kerasgan.models.alad import ALAD
from kerasgan.models.cgan import CGAN
from kerasgan.models.ctgan import CTGAN
from kerasgan.models.cyclegan import CycleGAN
from kerasgan.models.dcgan import DCGAN
from kerasgan.models.df_gan import DFGAN
from kerasgan.models.dvd_gan import DVDGAN, DVDGANFP
from kerasgan.models.f_anogan import FAnoGAN
from kerasgan.models.fastgan import FastGAN
from kerasgan.models.gan_3d import GAN3D
from kerasgan.models.gan_cls import GANCLS
from kerasgan.models.ganomaly import GANomaly
from kerasgan.models.lapgan import LAPGAN
from kerasgan.models.musegan import MuseGAN
from kerasgan.models.pix2pix import Pix2Pix
from kerasgan.models.progressive_gan import ProgressiveGAN
from kerasgan.models.r3gan import R3GAN
from kerasgan.models.relgan import RelGAN
from kerasgan.models.seqgan import SeqGAN
from kerasgan.models.skegan import SkeGAN
from kerasgan.models.sngan import SNGAN
from kerasgan.models.srgan import SRGAN
from kerasgan.models.stylegan2 import StyleGAN2
from kerasgan.models.tempogan import TempoGAN
from kerasgan.models.vanilla import VanillaGAN
from kerasgan.models.wavegan import WaveGAN
from kerasgan.models.wgan import WGAN
from kerasgan.models.wgan_gp import WGANGP

__all__ = [
    "ALAD",
    "CGAN",
    "CTGAN",
    "CycleGAN",
    "DCGAN",
    "DFGAN",
    "DVDGAN",
    "DVDGANFP",
    "FAnoGAN",
    "FastGAN",
    "GAN3D",
    "GANCLS",
    "GANomaly",
    "LAPGAN",
    "MuseGAN",
    "Pix2Pix",
    "ProgressiveGAN",
    "R3GAN",
    "RelGAN",
    "SNGAN",
    "SeqGAN",
    "SkeGAN",
    "SRGAN",
    "StyleGAN2",
    "TempoGAN",
    "VanillaGAN",
    "WGAN",
    "WGANGP",
    "WaveGAN",
]
