using System.Text.RegularExpressions;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// What is familiar in the names of tensors that no dialect knows: the nearest kin, and what to do next.
/// </summary>
internal static class Kinship
{
    /// <summary>No network has more tensors or longer names; hostile files do.</summary>
    private const int MostNames = 5000, LongestName = 200;

    private const string DeepLab = "the head of a DeepLab (ASPP)";

    /// <summary>Special ones before those that they derive from.</summary>
    private static readonly (string Kin, string Pattern)[] Backbones =
    [
        ("a Swin transformer", @"relative_position_bias_table"),
        ("a SegFormer encoder (MiT)", @"patch_embed(dings\.)?\d\.proj|block\d\.\d+\.attn\.|\.attention\.self\.sr\."),
        ("a vision transformer", @"blocks\.\d+\.attn\.qkv|encoder\.layers?\.\d+\.\w*attention"),
        ("an HRNet", @"stage\d\.\d+\.fuse_layers"),
        ("a DenseNet", @"denseblock\d+\.denselayer"),
        ("an EfficientNet", @"_blocks\.\d+\._depthwise_conv|features\.\d+\.\d+\.block\.\d+\.fc1"),
        ("an EfficientNet or a MobileNet of timm", @"blocks\.\d+\.\d+\.conv_(pw|pwl|dw|exp)\."),
        ("a ConvNeXt", @"stages[._]\d+\.\S*(conv_dw|dwconv|gamma)|downsample_layers\.\d"),
        ("a MobileOne", @"rbr_(conv|scale|skip)"),
        ("a DPN", @"conv\d_\d+\.c1x1_"),
        ("a RegNet", @"(^|\.)s\d\.b\d+\.conv\d|trunk_output\.block"),
        ("a ResNeSt", @"layer\d\.\d+\.conv2\.(fc1|rsoftmax|bn0)"),
        ("a Res2Net", @"layer\d\.\d+\.convs\.\d"),
        ("a ResNet with squeeze-and-excitation", @"layer\d\.\d+\.se(_module)?\."),
        ("a ResNet", @"layer\d\.\d+\.conv\d\.|res[2-5]\.\d+\.conv\d"),
        ("a MobileNet", @"(features|backbone)\.\d+\.(conv|block)\.|mobilenet"),
        ("an Xception", @"block\d+\.(rep|sepconv|conv)\d?\.|xception"),
    ];

    private static readonly (string Kin, string Pattern)[] Heads =
    [
        (DeepLab, @"as[ps]p|atrous_conv|classifier\.(\d\.)?0\.convs\.\d"),
        ("the head of an OCRNet", @"(^|\.)ocr_|object_context"),
        ("the head of a Mask2Former", @"query_(embed|feat)|mask_embed|transformer_predictor"),
        ("the head of a UPerNet or a PSPNet", @"psp(_modules)?\.|ppm\."),
        ("the head of a SegFormer", @"linear_c\d?\.|decode_head\.convs\.\d\.conv|fusion_conv"),
        ("the decoder of a U-Net", @"decoder\.blocks\.|double_conv|upconv|(^|\.)(up|down)\d\.|upsample\d"),
        ("the head of an FPN", @"fpn|lateral_convs|seg_blocks"),
        ("the head of an LR-ASPP", @"classifier\.cbr\."),
    ];

    /// <summary>What only the files of one dialect have, or of those that copied its code.</summary>
    private static readonly (string Kin, string Pattern)[] Dialects =
    [
        ("segmentation_models.pytorch", @"segmentation_head\.\d|decoder\.aspp\.0\."),
        ("mmsegmentation", @"decode_head\."),
        ("detectron2", @"sem_seg_head\."),
        ("yassouali", @"ASSP\."),
        ("jfzhang95", @"aspp\.aspp\d\.|last_conv\.\d"),
        ("bubbliiiing", @"aspp\.branch\d|shortcut_conv|cls_conv"),
        ("kazuto1011", @"aspp\.c\d\."),
        ("DenseASPP", @"ASPP_\d+\.|classification\.1\."),
        ("VainF", @"classifier\.(aspp|project|classifier)\."),
        ("torchvision", @"classifier\.0\.|classifier\.4\."),
    ];

    /// <summary>
    /// What to add to a sentence that says that no dialect fits, with a semicolon before it; null where nothing is
    /// familiar.
    /// </summary>
    public static string? Of(ICheckpoint checkpoint)
    {
        string[] names = NamesOf(checkpoint);
        (string? head, string top) = Find(Heads, names);
        (string? backbone, string bottom) = Find(Backbones, names);
        if (head is null)
        {
            return backbone is null
                ? null
                : $"; they look like {backbone} ({bottom}) without a head that is known: perhaps a backbone alone";
        }
        string looks = $"; they look like {head} ({top}) on "
            + (backbone is null ? "a backbone that is not known" : $"{backbone} ({bottom})");
        if (head != DeepLab)
            return looks + ", which is not of the DeepLab kind and cannot be run";
        (string? dialect, string key) = Find(Dialects, names);
        return dialect is null
            ? looks + ", by names of their own; rename them as one of the dialects has them and save the file again"
            : $"{looks}, nearest to {dialect} ({key}); rename what differs from its names and save the file again";
    }

    /// <summary>The nearest kin of a backbone, in brackets after a space; empty where nothing is familiar.</summary>
    public static string OfBackbone(ICheckpoint checkpoint) =>
        Find(Backbones, NamesOf(checkpoint)) is ({ } kin, var key)
            ? $" (it looks like {kin}: {key})"
            : "";

    private static string[] NamesOf(ICheckpoint checkpoint) =>
        [.. checkpoint.Weights.Keys.Take(MostNames).Where(name => name.Length <= LongestName)];

    private static (string? Kin, string Key) Find((string Kin, string Pattern)[] kinds, string[] names)
    {
        foreach ((string kin, string pattern) in kinds)
        {
            // Every pattern is read in time that grows as the name does.
            var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            if (Array.Find(names, regex.IsMatch) is { } key)
                return (kin, Printable.Quote(key));
        }
        return (null, "");
    }
}
