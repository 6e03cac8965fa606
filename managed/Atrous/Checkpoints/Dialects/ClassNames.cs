namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The classes of the data sets that published weights were trained on, in the order of their scores.
/// </summary>
internal static class ClassNames
{
    /// <summary>PASCAL VOC 2012, 21 with the background.</summary>
    public static readonly IReadOnlyList<string> Voc =
    [
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
            "diningtable",
        "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ];

    /// <summary>Cityscapes, the 19 that are evaluated ("trainId").</summary>
    public static readonly IReadOnlyList<string> Cityscapes =
    [
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
            "terrain",
        "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
    ];

    /// <summary>Whether a network has these names because it has as many classes.</summary>
    public static bool AreAssumed(IReadOnlyList<string> names) =>
        ReferenceEquals(names, Voc) || ReferenceEquals(names, Cityscapes);

    /// <summary>The list that has as many names as the network has classes; none where no list fits.</summary>
    public static IReadOnlyList<string> OfSize(int classes, params IReadOnlyList<string>[] published) =>
        Array.Find(published, names => names.Count == classes) ?? [];
}
