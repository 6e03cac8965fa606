"""The measured networks in plain PyTorch, as their own repositories write them.

Module names are those of the repositories, so a state_dict saved here is a checkpoint that Atrous reads as it reads theirs.
Dropout, which does nothing in inference, is an identity that keeps the numbers of the layers after it.
"""
import torch
from torch import nn
from torch.nn import functional as F

from backbones import MobileNetV2, ResNet, Xception
from layers import conv, conv_norm_relu, resize


# Heads.
class ImagePooling(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(nn.AdaptiveAvgPool2d(1), conv(cin, cout), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))

    def forward(self, x):
        return super().forward(x).expand(-1, -1, *x.shape[-2:])


class Aspp(nn.Module):
    def __init__(self, cin, rates):
        super().__init__()
        branches = [conv_norm_relu(cin, 256)] + [conv_norm_relu(cin, 256, 3, rate) for rate in rates]
        self.convs = nn.ModuleList(branches + [ImagePooling(cin, 256)])
        self.project = conv_norm_relu(5 * 256, 256)

    def forward(self, x):
        return self.project(torch.cat([branch(x) for branch in self.convs], 1))


class VainFHead(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.project = conv_norm_relu(backbone.low_channels, 48)
        self.aspp = Aspp(backbone.channels, (6, 12, 18))
        self.classifier = nn.Sequential(*conv_norm_relu(304, 256, 3), conv(256, classes, bias=True))

    def forward(self, low, x):
        low = self.project(low)
        return self.classifier(torch.cat([low, resize(self.aspp(x), low)], 1))


class DeepLabV3Plus(nn.Module):
    """VainF's: low-level features first, half-pixel resizes."""

    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.classifier = backbone, VainFHead(backbone, classes)

    def forward(self, x):
        return resize(self.classifier(*self.backbone(x)), x)


class DeepLabV3(nn.Module):
    """torchvision's, at output stride 8."""

    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone = backbone
        self.classifier = nn.Sequential(
            Aspp(backbone.channels, (12, 24, 36)), *conv_norm_relu(256, 256, 3), conv(256, classes, bias=True))

    def forward(self, x):
        return resize(self.classifier(self.backbone(x)[1]), x)


class AtrousBranch(nn.Module):
    def __init__(self, cin, kernel, rate):
        super().__init__()
        self.atrous_conv, self.bn = conv(cin, 256, kernel, dilation=rate), nn.BatchNorm2d(256)

    def forward(self, x):
        return F.relu(self.bn(self.atrous_conv(x)))


class JfZhangAspp(nn.Module):
    def __init__(self, cin):
        super().__init__()
        self.aspp1 = AtrousBranch(cin, 1, 1)
        self.aspp2, self.aspp3, self.aspp4 = (AtrousBranch(cin, 3, rate) for rate in (6, 12, 18))
        self.global_avg_pool = ImagePooling(cin, 256)
        self.conv1, self.bn1 = conv(5 * 256, 256), nn.BatchNorm2d(256)

    def forward(self, x):
        parts = [branch(x) for branch in (self.aspp1, self.aspp2, self.aspp3, self.aspp4, self.global_avg_pool)]
        return F.relu(self.bn1(self.conv1(torch.cat(parts, 1))))


class JfZhangDecoder(nn.Module):
    def __init__(self, low_channels, classes):
        super().__init__()
        self.conv1, self.bn1 = conv(low_channels, 48), nn.BatchNorm2d(48)
        self.last_conv = nn.Sequential(
            *conv_norm_relu(304, 256, 3), nn.Identity(), *conv_norm_relu(256, 256, 3), nn.Identity(), conv(256, classes, bias=True))

    def forward(self, low, x):
        low = F.relu(self.bn1(self.conv1(low)))
        return self.last_conv(torch.cat([resize(x, low, True), low], 1))


class JfZhangDeepLabV3Plus(nn.Module):
    """jfzhang95's: low-level features last, resizes that align corners, two convolutions in the decoder."""

    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.aspp = backbone, JfZhangAspp(backbone.channels)
        self.decoder = JfZhangDecoder(backbone.low_channels, classes)

    def forward(self, x):
        low, y = self.backbone(x)
        return resize(self.decoder(low, self.aspp(y)), x, True)


# DenseASPP.
class DenseLayer(nn.Module):
    """Pre-activated 1x1 and 3x3 convolutions."""

    def __init__(self, cin, hidden, cout, dilation, bias=False, normed=True):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(cin) if normed else nn.Identity()
        self.conv1, self.norm2 = conv(cin, hidden, bias=bias), nn.BatchNorm2d(hidden)
        self.conv2 = conv(hidden, cout, 3, dilation=dilation, bias=bias)

    def forward(self, x):
        return self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))


class DenseFeatures(nn.Module):
    def __init__(self, growth, width, blocks):
        super().__init__()
        self.conv0, self.norm0 = conv(3, width, 7, 2), nn.BatchNorm2d(width)
        self.blocks = blocks
        for i, (count, dilation) in enumerate(zip(blocks, (1, 1, 2, 4)), 1):
            block = nn.Module()
            for j in range(1, count + 1):
                block.add_module(f"denselayer{j}", DenseLayer(width, 4 * growth, growth, dilation))
                width += growth
            setattr(self, f"denseblock{i}", block)
            transition = nn.Sequential()
            transition.add_module("norm", nn.BatchNorm2d(width))
            transition.add_module("relu", nn.ReLU(inplace=True))
            transition.add_module("conv", conv(width, width // 2))
            width //= 2
            if i == 1:
                transition.add_module("pool", nn.AvgPool2d(2, 2))
            setattr(self, f"transition{i}", transition)
        self.norm5, self.channels = nn.BatchNorm2d(width), width

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm0(self.conv0(x))), 3, 2, 1)
        for i in range(1, len(self.blocks) + 1):
            for layer in getattr(self, f"denseblock{i}").children():
                x = torch.cat([x, layer(x)], 1)
            x = getattr(self, f"transition{i}")(x)
        return self.norm5(x)


class DenseAspp(nn.Module):
    """DeepMotionAIResearch's, at output stride 8; its output is 8 times the features' size."""
    rates = (3, 6, 12, 18, 24)

    def __init__(self, growth, width, blocks, hidden, branch, classes):
        super().__init__()
        self.features = DenseFeatures(growth, width, blocks)
        cin = self.features.channels
        for rate in self.rates:
            setattr(self, f"ASPP_{rate}", DenseLayer(cin, hidden, branch, rate, bias=True, normed=rate != self.rates[0]))
            cin += branch
        self.classification = nn.Sequential(nn.Identity(), conv(cin, classes, bias=True))

    def forward(self, x):
        x = F.relu(self.features(x))
        for rate in self.rates:
            x = torch.cat([getattr(self, f"ASPP_{rate}")(x), x], 1)
        return F.interpolate(self.classification(x), scale_factor=8, mode="bilinear", align_corners=True)


NETWORKS = {
    "deeplabv3plus_resnet101": lambda classes: DeepLabV3Plus(ResNet((3, 4, 23, 3), 16), classes),
    "deeplabv3plus_mobilenetv2": lambda classes: DeepLabV3Plus(MobileNetV2(16), classes),
    "deeplabv3_resnet50": lambda classes: DeepLabV3(ResNet((3, 4, 6, 3), 8), classes),
    "deeplabv3plus_xception": lambda classes: JfZhangDeepLabV3Plus(Xception(), classes),
    "denseaspp161": lambda classes: DenseAspp(48, 96, (6, 12, 36, 24), 512, 128, classes),
}
