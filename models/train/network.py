"""DeepLabV3+ with a MobileNetV2 backbone (arXiv:1802.02611, arXiv:1801.04381), small enough to ship.

Modules carry the names that Atrous gives the layers in its self-describing files, so that export.py has little to map.
"""

import torch
import torch.nn.functional as F
from torch import nn

# Expansion, channels, blocks, stride (arXiv:1801.04381, table 2); the last stage keeps stride 16 and dilates instead.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
OUTPUT_STRIDE = 16
RATES = [3, 6, 12]
LOW_LEVEL_BLOCK = 3


def convolution(inputs, outputs, kernel=1, stride=1, dilation=1, groups=1, activation=True):
    kind = AtrousDepthwise if groups > 1 else nn.Conv2d
    layers = [
        kind(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if activation else nn.Sequential(*layers)


class AtrousDepthwise(nn.Conv2d):
    """A dilated depthwise 3x3 convolution as a plain one over its rate x rate phases.

    The same numbers; on a CPU PyTorch's backward pass of the dilated form is ten times slower, and in bfloat16 its weight
    gradient now and then holds memory that was never written (seen in 1.13).
    """

    def forward(self, x):
        r = self.dilation[0]
        if r == 1:
            return super().forward(x)
        n, c, height, width = x.shape
        # Zeros that fill up the last phases are those that the convolution would see beyond the border.
        x = F.pad(x, (0, -width % r, 0, -height % r))
        h, w = x.shape[2] // r, x.shape[3] // r
        x = x.reshape(n, c, h, r, w, r).permute(3, 5, 0, 1, 2, 4).reshape(r * r * n, c, h, w)
        x = F.conv2d(x.contiguous(memory_format=torch.channels_last), self.weight, None, self.stride, 1, 1, self.groups)
        x = x.reshape(r, r, n, c, h, w).permute(2, 3, 4, 0, 5, 1).reshape(n, c, h * r, w * r)
        return x[:, :, :height, :width].contiguous(memory_format=torch.channels_last)


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expansion, stride, dilation):
        super().__init__()
        hidden = inputs * expansion
        self.expand = convolution(inputs, hidden) if expansion != 1 else None
        self.depthwise = convolution(hidden, hidden, 3, stride, dilation, groups=hidden)
        self.project = convolution(hidden, outputs, activation=False)
        self.stride, self.dilation = stride, dilation
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class Separable(nn.Module):
    def __init__(self, inputs, outputs, dilation=1):
        super().__init__()
        self.depthwise = convolution(inputs, inputs, 3, dilation=dilation, groups=inputs)
        self.pointwise = convolution(inputs, outputs)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Network(nn.Module):
    def __init__(self, classes=11, channels=128, low_level=48, dropout=0.1):
        super().__init__()
        self.stem = convolution(3, 32, 3, 2)
        blocks, inputs, stride, dilation = [], 32, 2, 1
        for expansion, outputs, count, step in STAGES:
            for i in range(count):
                step_here = step if i == 0 else 1
                # A stride that would go beyond the output stride becomes a dilation of the blocks behind it.
                here = dilation
                if stride * step_here > OUTPUT_STRIDE:
                    dilation, step_here = dilation * step_here, 1
                stride *= step_here
                blocks.append(InvertedResidual(inputs, outputs, expansion, step_here, here))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.aspp = nn.ModuleList([convolution(inputs, channels)] + [Separable(inputs, channels, r) for r in RATES])
        self.pool = convolution(inputs, channels)
        self.project = convolution(channels * (2 + len(RATES)), channels)
        self.low_level = convolution(STAGES[1][1], low_level)
        self.fuse = nn.ModuleList([Separable(channels + low_level, channels), Separable(channels, channels)])
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(channels, classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x):
        """Logits [N, classes, ceil(H/4), ceil(W/4)]."""
        x = self.stem(x)
        low = None
        for i, block in enumerate(self.blocks, 1):
            x = block(x)
            if i == LOW_LEVEL_BLOCK:
                low = self.low_level(x)
        pooled = self.pool(x.mean((2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        x = self.project(torch.cat([branch(x) for branch in self.aspp] + [pooled], 1))
        x = F.interpolate(x.float().contiguous(), low.shape[2:], mode="bilinear", align_corners=False).to(low.dtype)
        x = torch.cat([x, low], 1)
        for fuse in self.fuse:
            x = fuse(x)
        return self.classifier(self.dropout(x))
