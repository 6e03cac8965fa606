"""DeepLabV3+ on MobileNetV2 as TensorFlow's mobile edition has it, batch norms folded; the checkpoint's metadata says the rest."""
import json

import torch
from torch import nn
from torch.nn import functional as F


class SameConv(nn.Conv2d):
    """Padded so that the output is ceil(input / stride); the odd row or column lies at the bottom or right."""

    def forward(self, x):
        total = [
            max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
            for size, kernel, stride, dilation in zip(x.shape[-2:], self.kernel_size, self.stride, self.dilation)]
        if any(rows % 2 for rows in total):
            x, total = F.pad(x, (total[1] // 2, -(-total[1] // 2), total[0] // 2, -(-total[0] // 2))), (0, 0)
        padding = (total[0] // 2, total[1] // 2)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


def same_conv(cin, cout, kernel=1, stride=1, dilation=1, groups=1):
    return SameConv(cin, cout, kernel, stride, dilation=dilation, groups=groups)


def enlarge(x, factor):
    """TensorFlow's legacy grid, source = i / factor, for which PyTorch has no mode: corners align with one more row and column."""
    height, width = x.shape[-2:]
    x = F.pad(x, (0, 1, 0, 1), mode="replicate")
    x = F.interpolate(x, size=(height * factor + 1, width * factor + 1), mode="bilinear", align_corners=True)
    return x[..., :-1, :-1]


class MobileBlock(nn.Module):
    def __init__(self, row):
        super().__init__()
        hidden, self.skips = row["hidden"], row["residual"]
        layers = [nn.Sequential(same_conv(row["in"], hidden), nn.ReLU6(True))] if row["expand_kernel"] else []
        depthwise = same_conv(hidden, hidden, row["dw_kernel"], row["stride"], row["dilation"], hidden)
        self.conv = nn.Sequential(*layers, nn.Sequential(depthwise, nn.ReLU6(True)), same_conv(hidden, row["out"]))

    def forward(self, x):
        inside = self.conv[:-1](x)
        y = self.conv[-1](inside)
        return (x + y if self.skips else y), inside


class MobileDeepLabV3Plus(nn.Module):
    def __init__(self, metadata):
        super().__init__()
        number = {name: int(metadata[name]) for name in metadata if name.endswith(("_channels", "_block", "_classes"))}
        rows, cout = json.loads(metadata["blocks"]), number["aspp_channels"]
        stem = nn.Sequential(same_conv(3, number["stem_channels"], 3, 2), nn.ReLU6(True))
        self.backbone, self.aspp, self.decoder = nn.Module(), nn.Module(), nn.Module()
        self.backbone.features = nn.ModuleList([stem] + [MobileBlock(row) for row in rows])
        self.tap = number["low_level_block"]
        self.aspp.convs = nn.ModuleList([same_conv(rows[-1]["out"], cout)])
        self.aspp.pool, self.aspp.project = same_conv(rows[-1]["out"], cout), same_conv(2 * cout, cout)
        low, width = number["low_level_project_channels"], number["decoder_channels"]
        self.decoder.low_level = same_conv(number["low_level_channels"], low)
        for i, cin in enumerate((cout + low, width)):
            layer = nn.Module()
            layer.depthwise, layer.pointwise = same_conv(cin, cin, 3, groups=cin), same_conv(cin, width)
            setattr(self.decoder, f"conv{i}", layer)
        self.classifier = same_conv(width, number["num_classes"])

    def forward(self, x):
        x = self.backbone.features[0](x)
        for i, block in enumerate(self.backbone.features[1:], 1):
            x, inside = block(x)
            low = inside if i == self.tap else None if i < self.tap else low
        pooled = F.relu(self.aspp.pool(F.adaptive_avg_pool2d(x, 1))).expand(-1, -1, *x.shape[-2:])
        x = F.relu(self.aspp.project(torch.cat([F.relu(self.aspp.convs[0](x)), pooled], 1)))
        x = torch.cat([enlarge(x, 4), F.relu(self.decoder.low_level(low))], 1)
        for layer in (self.decoder.conv0, self.decoder.conv1):
            x = F.relu(layer.pointwise(F.relu(layer.depthwise(x))))
        return enlarge(self.classifier(x), 4)
