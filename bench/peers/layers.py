"""What the networks of networks.py are made of."""
from torch import nn
from torch.nn import functional as F


def conv(cin, cout, kernel=1, stride=1, dilation=1, groups=1, padding=None, bias=False):
    padding = dilation * (kernel - 1) // 2 if padding is None else padding
    return nn.Conv2d(cin, cout, kernel, stride, padding, dilation, groups, bias)


def resize(x, like, align_corners=False):
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=align_corners)


def conv_norm_relu(cin, cout, kernel=1, dilation=1):
    return nn.Sequential(conv(cin, cout, kernel, dilation=dilation), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))
