namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// ResNet, ResNeXt, SE-ResNet and their variants with three convolutions in the stem or a mean in the shortcuts,
/// as torchvision and timm name them.
/// </summary>
internal static class ResNetEncoder
{
    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (StoredResNet.Find(search, "conv1.weight") is not { } found)
            return null;
        string name = "ResNet", suffix = "";
        int width = found.GroupWidth("conv2.weight"), groups = found.Outputs("conv1.weight") / width;
        if (groups > 1)
            (name, suffix) = ("ResNeXt", $" {groups}x{width}d");
        if (found.Has("se.fc1.weight"))
            name = $"SE-{name}";
        if (found.Has("se.conv.weight"))
            name = $"ECA-{name}";
        return found.Describe(name, spec => spec with { Name = spec.Name + suffix });
    }
}
