using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// U-Net, Ronneberger et al. 2015 (arXiv:1505.04597), enlarged by interpolation. Layers: encoder{0..}.conv{0..},
/// decoder{0..}.up, decoder{0..}.conv{0..}; stages count from the largest size.
/// </summary>
internal static class UNet
{
    public static Features Build(UNetSpec spec, Layers layers, Value image)
    {
        int factor = spec.SizeMultiple;
        if (image.Shape.Height % factor != 0 || image.Shape.Width % factor != 0)
        {
            throw new ArgumentException(
                $"its {spec.Name} takes heights and widths that {factor} divides", nameof(image));
        }
        var skips = new List<Value>();
        Value x = image;
        for (int stage = 0; stage < spec.Encoder.Count; stage++)
        {
            if (stage > 0)
                x = layers.Graph.Add($"backbone.encoder{stage}.pool", new MaxPool2d(2, 2, 0), x);
            x = Block(spec, layers, x, $"backbone.encoder{stage}", spec.Encoder[stage]);
            skips.Add(x);
        }
        for (int stage = spec.Decoder.Count - 1; stage >= 0; stage--)
        {
            string name = $"backbone.decoder{stage}";
            Value skip = skips[stage];
            x = layers.Graph.Resize($"{name}.resize", x, skip.Shape.Height, skip.Shape.Width, Sampling.HalfPixel);
            x = layers.Convolution(x, $"{name}.up", 1, spec.Activation);
            x = Block(spec, layers, layers.Concat($"{name}.concat", skip, x), name, spec.Decoder[stage]);
        }
        return new Features(null, x);
    }

    private static Value Block(UNetSpec spec, Layers layers, Value x, string name, int convolutions)
    {
        for (int i = 0; i < convolutions; i++)
            x = layers.Convolution(x, $"{name}.conv{i}", 3, spec.Activation);
        return x;
    }
}
