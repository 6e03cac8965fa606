#!/usr/bin/env python3
"""Writes the goldens of cases-2 of 48x64 and 64x96 pixels: encoders of segmentation_models.pytorch that the shared set lacks.

The others that are committed beside them, of 96x128, are copies of the shared set's.

Weights and input follow from the keys, as the README of the shared goldens says; the output is the float64 run, rounded once.
Needs torch, timm 1.0.15 and segmentation_models_pytorch after 0.5.0 (commit 954b8e1); add each case to cases-2/index.json.
"""
import json
import os
import struct

import numpy as np
import segmentation_models_pytorch as smp
import torch

from generator import uniform, weight

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases-2")


def case(name, encoder, stride, height=48, width=64, **options):
    options = {"encoder_output_stride": stride, "classes": 2, **options}
    model = smp.DeepLabV3Plus(encoder, encoder_weights=None, **options).eval()
    keys = [[key, list(tensor.shape)] for key, tensor in model.state_dict().items()]
    model.load_state_dict({key: weight(key, shape) for key, shape in keys})
    x = torch.from_numpy((2 * uniform("input", 3 * height * width) - 1).astype(np.float32)).reshape(1, 3, height, width)
    with torch.no_grad():
        single = model(x).double()
        output = model.double()(x.double())
        features = model.encoder(x.double())
    tensors, intermediates = {"output": output}, {}
    for part, index in (("low_level", 2), ("feature_3", 3), ("feature_4", 4), ("backbone_out", -1)):
        if part.startswith("feature") and index >= len(features):
            continue
        step = max(1, features[index].shape[1] // 8)
        tensors[part] = features[index][:, ::step]
        intermediates[part] = {"full_shape": list(features[index].shape), "channel_step": step,
                               "std": features[index].std(unbiased=False).item()}
    std = output.std(unbiased=False).item()
    description = {
        "name": name, "dialect": "SMP V3+", "options": {"arch": "DeepLabV3Plus", "encoder": encoder, **options},
        "input": {"key": "input", "shape": list(x.shape), "scale": 1.0}, "aliases": [],
        "output": {"shape": list(output.shape), "std": std},
        "noise_f32_vs_f64": {"max_rel_to_std": ((single - output).abs().max() / std).item()},
        "intermediates": intermediates, "keys": keys,
    }
    with open(os.path.join(FOLDER, f"{name}.json"), "w") as file:
        json.dump(description, file, separators=(",", ":"))
    entries, data = {}, b""
    for part, tensor in tensors.items():
        values = tensor.float().contiguous().numpy().tobytes()
        entries[part] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with open(os.path.join(FOLDER, f"{name}.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + data)


case("smp_deeplabv3plus_tu-resnet18d_os8_48x64", "tu-resnet18d", 8)
case("smp_deeplabv3plus_tu-skresnet18_os8_48x64", "tu-skresnet18", 8)
case("smp_deeplabv3plus_timm-gernet_s_os8_48x64", "timm-gernet_s", 8)
case("smp_deeplabv3plus_timm-regnety_002_os8_depth4_48x64", "timm-regnety_002", 8, encoder_depth=4)
case("smp_deeplabv3plus_dpn68b_os16_48x64", "dpn68b", 16)
case("smp_deeplabv3plus_mobileone_s1_os8_48x64", "mobileone_s1", 8)
case("smp_deeplabv3plus_efficientnet-b1_os8_48x64", "efficientnet-b1", 8)
case("smp_deeplabv3plus_timm-efficientnet-b2_os16_depth4_48x64", "timm-efficientnet-b2", 16, encoder_depth=4)
case("smp_deeplabv3plus_timm-mobilenetv3_small_100_os16_48x64", "timm-mobilenetv3_small_100", 16)
case("smp_deeplabv3plus_timm-mobilenetv3_large_minimal_100_os8_48x64", "timm-mobilenetv3_large_minimal_100", 8)
case("smp_deeplabv3plus_tu-tf_efficientnet_lite1_os8_48x64", "tu-tf_efficientnet_lite1", 8)
case("smp_deeplabv3plus_tu-efficientnetv2_rw_t_os16_depth3_48x64", "tu-efficientnetv2_rw_t", 16, encoder_depth=3)
case("smp_deeplabv3plus_tu-mobilenetv2_050_os8_48x64", "tu-mobilenetv2_050", 8)
case("smp_deeplabv3plus_tu-mobilenetv4_conv_medium_os16_48x64", "tu-mobilenetv4_conv_medium", 16)
case("smp_deeplabv3plus_tu-mnasnet_100_os8_48x64", "tu-mnasnet_100", 8)
case("smp_deeplabv3plus_tu-semnasnet_075_os16_48x64", "tu-semnasnet_075", 16)
case("smp_deeplabv3plus_tu-mobilenetv3_small_050_os16_48x64", "tu-mobilenetv3_small_050", 16)
# timm makes sides even where its patches need it and leaves them so, which its decoder cannot join.
case("smp_deeplabv3plus_tu-mobilevitv2_050_os16_64x96", "tu-mobilevitv2_050", 16, 64, 96)
case("smp_deeplabv3plus_tu-mobilevitv2_050_os8_depth4_64x96", "tu-mobilevitv2_050", 8, 64, 96, encoder_depth=4)
case("smp_deeplabv3plus_timm-resnest50d_4s2x40d_os16_48x64", "timm-resnest50d_4s2x40d", 16)
case("smp_deeplabv3plus_timm-resnest50d_1s4x24d_os8_48x64", "timm-resnest50d_1s4x24d", 8)
case("smp_deeplabv3plus_tu-convnextv2_atto_os16_48x64", "tu-convnextv2_atto", 16)
case("smp_deeplabv3plus_tu-convnextv2_nano_os8_depth4_48x64", "tu-convnextv2_nano", 8, encoder_depth=4)
# Those that smooth in place of a stride: a blur mirrors at the borders in ResNets and sees zeros in the others.
case("smp_deeplabv3plus_tu-resnetblur18_os16_48x64", "tu-resnetblur18", 16)
case("smp_deeplabv3plus_tu-resnetaa34d_os8_48x64", "tu-resnetaa34d", 8)
case("smp_deeplabv3plus_tu-mobilenetv4_conv_blur_medium_os16_48x64", "tu-mobilenetv4_conv_blur_medium", 16)
case("smp_deeplabv3plus_tu-ecaresnet26t_os16_48x64", "tu-ecaresnet26t", 16)
case("smp_deeplabv3plus_tu-mobilenetv4_hybrid_medium_os16_48x64", "tu-mobilenetv4_hybrid_medium", 16)
case("smp_deeplabv3plus_tu-mobilenetv4_hybrid_large_075_os8_48x64", "tu-mobilenetv4_hybrid_large_075", 8)
# The first stage of the first adds no inputs, though its widths would do; the stem of the second has no max-pool.
case("smp_deeplabv3plus_tu-efficientnet_el_os8_48x64", "tu-efficientnet_el", 8)
case("smp_deeplabv3plus_tu-resnetrs50_os16_48x64", "tu-resnetrs50", 16)
