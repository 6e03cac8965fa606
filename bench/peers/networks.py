"""The measured networks in plain PyTorch, as their own repositories write them.

Module names are those of the repositories, so a state_dict saved here is a checkpoint that Atrous reads as it reads theirs.
Dropout, which does nothing in inference, is an identity that keeps the numbers of the layers after it.
"""
import json
import os
import struct

import torch
from torch import nn
from torch.nn import functional as F


def conv(cin, cout, kernel=1, stride=1, dilation=1, groups=1, padding=None, bias=False):
    padding = dilation * (kernel - 1) // 2 if padding is None else padding
    return nn.Conv2d(cin, cout, kernel, stride, padding, dilation, groups, bias)


def resize(x, like, align_corners=False):
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=align_corners)


def conv_norm_relu(cin, cout, kernel=1, dilation=1):
    return nn.Sequential(conv(cin, cout, kernel, dilation=dilation), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


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


# DeepLabV3+ on MobileNetV2 as TensorFlow's mobile edition has it, batch norms folded; the checkpoint's metadata says the rest.
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


NETWORKS = {
    "deeplabv3plus_resnet101": lambda classes: DeepLabV3Plus(ResNet((3, 4, 23, 3), 16), classes),
    "deeplabv3plus_mobilenetv2": lambda classes: DeepLabV3Plus(MobileNetV2(16), classes),
    "deeplabv3_resnet50": lambda classes: DeepLabV3(ResNet((3, 4, 6, 3), 8), classes),
    "deeplabv3plus_xception": lambda classes: JfZhangDeepLabV3Plus(Xception(), classes),
    "denseaspp161": lambda classes: DenseAspp(48, 96, (6, 12, 36, 24), 512, 128, classes),
}


def made(name, classes=21, seed=1):
    """A network with random weights that keep activations and their differences in bounds through all of its layers.

    Batch norms are given statistics, not those of the network's own activations: random networks that are normalised layer by layer
    amplify every rounding error exponentially with depth, which no trained one does.
    """
    torch.manual_seed(seed)
    network = NETWORKS[name](classes)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            gain = 1.0 if module.groups > 1 else 1.3125
            bound = gain * (6 / module.weight[0].numel()) ** 0.5
            nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -0.1, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.4, 0.8)
            nn.init.uniform_(module.bias, -0.1, 0.1)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def read(path):
    """The network of a file that `made` was saved in, named after it, or of a checkpoint of the mobile DeepLabV3+."""
    if path.endswith(".safetensors"):
        weights, metadata = read_safetensors(path)
        network = MobileDeepLabV3Plus(metadata)
    else:
        weights = torch.load(path, map_location="cpu")
        classifier = [tensor for tensor in weights.values() if tensor.dim() == 4][-1]
        network = NETWORKS[os.path.splitext(os.path.basename(path))[0]](classifier.shape[0])
    network.load_state_dict(weights)
    return network.eval()


def read_safetensors(path):
    """Names to float32 tensors, and the metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}; only F32 is read here.")
        start, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(bytearray(data[start:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors, metadata


def write_safetensors(path, tensors):
    """Float32 tensors by name."""
    header, at, parts = {}, 0, []
    for name, tensor in tensors.items():
        data = tensor.detach().float().contiguous().cpu().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
