using System.Globalization;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>The stages of timm's efficient networks, by the names that its blocks give to their layers.</summary>
internal static class TimmBlocks
{
    private static readonly BlockPart[] Gate =
        [new(StoredBlock.Reduce, "se.conv_reduce"), new(StoredBlock.Excite, "se.conv_expand")];

    /// <summary>The kinds of blocks, each with the layer that tells it; the first that fits decides.</summary>
    private static readonly (string Sign, BlockPart[] Parts)[] Kinds =
    [
        ("attn.query.proj",
        [
            new(StoredBlock.Norm, "norm", "norm"), new(StoredBlock.Query, "attn.query.proj"),
            new(StoredBlock.Key, "attn.key.proj"), new(StoredBlock.KeyDown, "attn.key.down_conv", "attn.key.norm"),
            new(StoredBlock.Value, "attn.value.proj"),
            new(StoredBlock.ValueDown, "attn.value.down_conv", "attn.value.norm"),
            new(StoredBlock.Project, "attn.output.proj"),
        ]),
        ("pw_exp.conv",
        [
            new(StoredBlock.Start, "dw_start.conv", "dw_start.bn"),
            new(StoredBlock.Expand, "pw_exp.conv", "pw_exp.bn"),
            new(StoredBlock.Depthwise, "dw_mid.conv", "dw_mid.bn"),
            new(StoredBlock.Project, "pw_proj.conv", "pw_proj.bn"),
        ]),
        ("conv_exp",
        [
            new(StoredBlock.Expand, "conv_exp", "bn1"), .. Gate, new(StoredBlock.Project, "conv_pwl", "bn2"),
        ]),
        ("conv_pwl",
        [
            new(StoredBlock.Expand, "conv_pw", "bn1"), new(StoredBlock.Depthwise, "conv_dw", "bn2"), .. Gate,
            new(StoredBlock.Project, "conv_pwl", "bn3"),
        ]),
        ("conv_dw",
        [
            new(StoredBlock.Depthwise, "conv_dw", "bn1"), .. Gate, new(StoredBlock.Project, "conv_pw", "bn2"),
        ]),
        ("conv", [new(StoredBlock.Expand, "conv", "bn1")]),
    ];

    /// <summary>The stages of a file; null where one of their blocks is of another kind.</summary>
    /// <param name="search">Whose file has them.</param>
    /// <param name="prefix">What stands before "blocks.0.0.".</param>
    public static StoredBlock[][]? Stages(EncoderSearch search, string prefix)
    {
        string[] keys =
            [.. search.File.Weights.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))];
        var stages = new List<StoredBlock[]>();
        while (Stage(stages.Count) is { Length: > 0 } stage)
        {
            if (Array.Exists(stage, block => block is null))
                return null;
            stages.Add(stage!);
        }
        return [.. stages];

        StoredBlock?[] Stage(int number)
        {
            var blocks = new List<StoredBlock?>();
            while (true)
            {
                string path = string.Create(
                    CultureInfo.InvariantCulture, $"{prefix}blocks.{number}.{blocks.Count}.");
                if (!Array.Exists(keys, key => key.StartsWith(path, StringComparison.Ordinal)))
                    return [.. blocks];
                BlockPart[]? parts =
                    Array.Find(Kinds, kind => search.Has($"{path}{kind.Sign}.weight")).Parts;
                blocks.Add(parts is null ? null : StoredBlock.Read(search.File, path, parts));
            }
        }
    }

    /// <summary>The window of each stage's last block: "3353553" for EfficientNet.</summary>
    public static string Kernels(IEnumerable<StoredBlock[]> stages) =>
        string.Concat(stages.Select(stage => stage[^1].Kernel.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The heads of the attention, 0 where there is none.</summary>
    public static int Heads(IEnumerable<StoredBlock[]> stages) =>
        stages.SelectMany(stage => stage).Max(block => block.Shape.Attention?.Heads ?? 0);

    /// <summary>Which stages have gates: "0010110" for MobileNetV3-Large; "?" where some blocks of one have.</summary>
    public static string Gates(IEnumerable<StoredBlock[]> stages) =>
        string.Concat(stages.Select(stage => stage.Count(block => block.Shape.SqueezeExcite) switch
        {
            0 => "0",
            int gated when gated == stage.Length => "1",
            _ => "?",
        }));
}
