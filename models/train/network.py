"""DeepLabV3+ (arXiv:1802.02611) on the first three residual stages of ResNet-18 (arXiv:1512.03385).

Modules carry the names that Atrous gives the layers in its self-describing files, so that export.py has little to map.
"""

import torch
import torch.nn.functional as F
from torch import nn

# Channels and stride of the residual stages, each of two blocks: without the fourth, the output stride is 16.
STAGES = [(64, 1), (128, 2), (256, 2)]
RATES = [3, 6, 12]


def convolution(inputs, outputs, kernel=1, stride=1, dilation=1, groups=1, activation=True):
    layers = [Convolution(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, groups, bias=False),
              nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if activation else nn.Sequential(*layers)


class Convolution(nn.Conv2d):
    """A convolution by the ways through PyTorch 1.13 that are fast on one CPU core; the numbers are the same."""

    def forward(self, x):
        if self.kernel_size == (1, 1):
            # To a 1x1 window dilation means nothing, but without it one thread takes a path that is ten times slower.
            return F.conv2d(x, self.weight, None, self.stride, 0, 2)
        r = self.dilation[0]
        if r == 1 or self.groups == 1:
            return super().forward(x)
        # A dilated depthwise convolution as a plain one over its r x r phases: the backward pass of the dilated form
        # is ten times slower. Zeros that fill up the last phases are those that it would see beyond the border.
        n, c, height, width = x.shape
        x = F.pad(x, (0, -width % r, 0, -height % r))
        h, w = x.shape[2] // r, x.shape[3] // r
        x = x.reshape(n, c, h, r, w, r).permute(3, 5, 0, 1, 2, 4).reshape(r * r * n, c, h, w)
        x = F.conv2d(x, self.weight, None, self.stride, 1, 1, self.groups)
        x = x.reshape(r, r, n, c, h, w).permute(2, 3, 4, 0, 5, 1).reshape(n, c, h * r, w * r)
        return x[:, :, :height, :width].contiguous()


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.conv2 = convolution(outputs, outputs, 3, activation=False)
        self.shortcut = convolution(inputs, outputs, 1, stride, activation=False) if inputs != outputs else None

    def forward(self, x):
        return F.relu(self.conv2(self.conv1(x)) + (x if self.shortcut is None else self.shortcut(x)))


class Separable(nn.Module):
    def __init__(self, inputs, outputs, dilation=1):
        super().__init__()
        self.depthwise = convolution(inputs, inputs, 3, dilation=dilation, groups=inputs)
        self.pointwise = convolution(inputs, outputs)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = convolution(3, STAGES[0][0], 7, 2)
        inputs, self.stages = STAGES[0][0], nn.ModuleList()
        for outputs, stride in STAGES:
            self.stages.append(nn.Sequential(Block(inputs, outputs, stride), Block(outputs, outputs, 1)))
            inputs = outputs

    def low_level(self, x):
        return self.stages[0](F.max_pool2d(self.stem(x), 3, 2, 1))

    def forward(self, low):
        return self.stages[2](self.stages[1](low))


class Network(nn.Module):
    def __init__(self, classes, channels=128, low_level=48, dropout=0.1):
        super().__init__()
        self.backbone = Backbone()
        inputs = STAGES[-1][0]
        self.aspp = nn.ModuleList([convolution(inputs, channels)] + [Separable(inputs, channels, r) for r in RATES])
        self.pool = convolution(inputs, channels)
        self.project = convolution(channels * (2 + len(RATES)), channels)
        self.low_level = convolution(STAGES[0][0], low_level)
        self.fuse = nn.ModuleList([Separable(channels + low_level, channels), Separable(channels, channels)])
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(channels, classes, 1, dilation=2)  # see Convolution
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.normal_(self.classifier.weight, std=0.01)  # no opinion at first

    def train(self, mode=True, norms=True):
        """Without `norms`, the batch norms keep their statistics."""
        super().train(mode)
        if not norms:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def forward(self, x):
        """Logits [N, classes, ceil(H/4), ceil(W/4)]."""
        low = self.backbone.low_level(x)
        x = self.backbone(low)
        pooled = self.pool(x.mean((2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        x = self.project(torch.cat([branch(x) for branch in self.aspp] + [pooled], 1))
        x = F.interpolate(x, low.shape[2:], mode="bilinear", align_corners=False)
        x = torch.cat([x, self.low_level(low)], 1)
        for fuse in self.fuse:
            x = fuse(x)
        return self.classifier(self.dropout(x))
