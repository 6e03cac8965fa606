namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// A size of EfficientNet, Tan and Le 2019 (arXiv:1905.11946), and the side of the pictures that it was scaled for.
/// </summary>
/// <param name="Name">"B0" to "B8", and "L2".</param>
/// <param name="Outputs">Channels of the last block.</param>
/// <param name="Side">Height and width in pixels.</param>
internal sealed record EfficientNetSize(string Name, int Outputs, int Side)
{
    private static readonly EfficientNetSize[] All =
    [
        new("B0", 320, 224), new("B1", 320, 240), new("B2", 352, 260), new("B3", 384, 300), new("B4", 448, 380),
        new("B5", 512, 456), new("B6", 576, 528), new("B7", 640, 600), new("B8", 704, 672), new("L2", 1376, 800),
    ];

    /// <summary>Blocks of B0, which is the only one so short.</summary>
    public const int SmallestBlocks = 16;

    /// <summary>What follows the family's name.</summary>
    public string Suffix => "-" + Name;

    /// <summary>The place in the order of sizes.</summary>
    public int Number => Array.IndexOf(All, this);

    /// <summary>The size of a network, or null where there is none such.</summary>
    public static EfficientNetSize? Of(IReadOnlyList<StoredBlock[]> stages)
    {
        int outputs = stages[^1][^1].Outputs;
        EfficientNetSize[] fits = [.. All.Where(size => size.Outputs == outputs)];
        return stages.Sum(stage => stage.Length) == SmallestBlocks ? fits.FirstOrDefault() : fits.LastOrDefault();
    }
}
