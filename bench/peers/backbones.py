"""Backbones in plain PyTorch: each gives its low-level features and its last ones."""
from torch import nn
from torch.nn import functional as F

from layers import conv


# ResNet, as torchvision has it: the first block of a dilated stage keeps the dilation of the stage before.
class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride, dilation):
        super().__init__()
        self.conv1, self.bn1 = conv(cin, width), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride, dilation), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width), nn.BatchNorm2d(4 * width)
        shortcut = stride != 1 or cin != 4 * width
        self.downsample = nn.Sequential(conv(cin, 4 * width, 1, stride), nn.BatchNorm2d(4 * width)) if shortcut else None

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    channels, low_channels = 2048, 256

    def __init__(self, blocks, output_stride):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        cin, total, dilation = 64, 4, 1
        for i, count in enumerate(blocks):
            stride, first = (1 if i == 0 else 2), dilation
            if total * stride > output_stride:
                stride, dilation = 1, dilation * stride
            total *= stride
            layers = []
            for j in range(count):
                layers.append(Bottleneck(cin, 64 << i, stride if j == 0 else 1, first if j == 0 else dilation))
                cin = 4 * (64 << i)
            setattr(self, f"layer{i + 1}", nn.Sequential(*layers))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        low = self.layer1(x)
        return low, self.layer4(self.layer3(self.layer2(low)))


# MobileNetV2 of VainF: nothing pads but the input of a block, in front of its 1x1 convolution.
class InvertedResidual(nn.Module):
    def __init__(self, cin, cout, stride, dilation, expand):
        super().__init__()
        hidden, self.dilation, self.skips = cin * expand, dilation, stride == 1 and cin == cout
        layers = [] if expand == 1 else [self.step(conv(cin, hidden), hidden)]
        layers.append(self.step(conv(hidden, hidden, 3, stride, dilation, hidden, 0), hidden))
        self.conv = nn.Sequential(*layers, conv(hidden, cout), nn.BatchNorm2d(cout))

    @staticmethod
    def step(convolution, channels):
        return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU6(inplace=True))

    def forward(self, x):
        y = self.conv(F.pad(x, [self.dilation] * 4))
        return x + y if self.skips else y


class MobileNetV2(nn.Module):
    channels, low_channels = 320, 24

    def __init__(self, output_stride):
        super().__init__()
        features = [InvertedResidual.step(conv(3, 32, 3, 2, padding=0), 32)]
        cin, total, dilation = 32, 2, 1
        for expand, cout, count, stride in [
                (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
            first = dilation
            if total * stride > output_stride:
                stride, dilation = 1, dilation * stride
            total *= stride
            for i in range(count):
                features.append(InvertedResidual(cin, cout, stride if i == 0 else 1, first if i == 0 else dilation, expand))
                cin = cout
        named = [(str(i), layer) for i, layer in enumerate(features)]
        self.low_level_features = nn.Sequential()
        self.high_level_features = nn.Sequential()
        for name, layer in named:
            (self.low_level_features if int(name) < 4 else self.high_level_features).add_module(name, layer)

    def forward(self, x):
        low = self.low_level_features(x)
        return low, self.high_level_features(low)


# Aligned Xception-65 of jfzhang95; its in-place activations reach the skips.
class Separable(nn.Module):
    def __init__(self, cin, cout, stride=1, dilation=1):
        super().__init__()
        self.conv1, self.bn = conv(cin, cin, 3, stride, dilation, cin), nn.BatchNorm2d(cin)
        self.pointwise = conv(cin, cout)

    def forward(self, x):
        return self.pointwise(self.bn(self.conv1(x)))


class XceptionBlock(nn.Module):
    def __init__(self, cin, widths, cout, stride=1, activated=True):
        super().__init__()
        self.activated = activated
        self.skip = conv(cin, cout, 1, stride) if cin != cout or stride != 1 else None
        self.skipbn = nn.BatchNorm2d(cout) if self.skip is not None else None
        layers = [nn.Identity()] if activated else []
        for i, width in enumerate(widths):
            layers += [] if i == 0 else [nn.ReLU(inplace=True)]
            layers += [Separable(cin, width, stride if i == len(widths) - 1 else 1), nn.BatchNorm2d(width)]
            cin = width
        self.rep = nn.Sequential(*layers)

    def forward(self, x):
        x = F.relu(x) if self.activated else x
        return self.rep(x) + (x if self.skip is None else self.skipbn(self.skip(x)))


class Xception(nn.Module):
    channels, low_channels = 2048, 128

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 32, 3, 2), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = conv(32, 64, 3), nn.BatchNorm2d(64)
        self.block1 = XceptionBlock(64, [128] * 3, 128, 2, activated=False)
        self.block2 = XceptionBlock(128, [256] * 3, 256, 2, activated=False)
        self.block3 = XceptionBlock(256, [728] * 3, 728, 2)
        for i in range(4, 20):
            setattr(self, f"block{i}", XceptionBlock(728, [728] * 3, 728))
        self.block20 = XceptionBlock(728, [728, 1024, 1024], 1024)
        for i, (cin, cout) in enumerate([(1024, 1536), (1536, 1536), (1536, 2048)], 3):
            setattr(self, f"conv{i}", Separable(cin, cout, dilation=2))
            setattr(self, f"bn{i}", nn.BatchNorm2d(cout))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        low = x = F.relu(self.block1(x))
        for i in range(2, 21):
            x = getattr(self, f"block{i}")(x)
        x = F.relu(x)
        for i in range(3, 6):
            x = F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x)))
        return low, x
