using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>A public data set as it is distributed.</summary>
/// <param name="Name">What it is called here.</param>
/// <param name="Classes">How many classes its own evaluation scores.</param>
/// <param name="ClassNames">Their names; empty where they are too many to list.</param>
internal sealed record Dataset(string Name, int Classes, IReadOnlyList<string> ClassNames)
{
    private const string Png = ".png";

    /// <summary>How its pictures' names end, or null for any extension.</summary>
    public string? ImageSuffix { get; init; }

    /// <summary>How its label maps' names end: the first that files have.</summary>
    public IReadOnlyList<string> LabelSuffixes { get; init; } = [Png];

    /// <summary>Its list of names, seen from the folder of pictures, or null.</summary>
    public string? List { get; init; }

    /// <summary>What its labels become.</summary>
    public required LabelRules Rules { get; init; }

    /// <summary>The rules in words.</summary>
    public required string RulesInWords { get; init; }

    /// <summary>The end of label maps whose labels are classes already, and need no rules; null for none.</summary>
    public string? ReadyMade { get; init; }

    /// <summary>Labels that are classes, and 255 for what is not scored, whatever else the user leaves out.</summary>
    public static LabelRules ClassesAndVoid { get; } = new()
    {
        Shift = 0,
        Labels = new Dictionary<int, int> { [255] = LabelMapping.Ignored },
    };

    /// <summary>Those that have a name.</summary>
    public static IReadOnlyList<Dataset> All { get; } = [Cityscapes(), Voc(), Ade20k(), CamVid()];

    /// <exception cref="UnavailableException">There is no such data set.</exception>
    public static Dataset ByName(string name) =>
        All.FirstOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new UnavailableException(
            $"There is no data set '{name}'; there are {string.Join(", ", All.Select(known => known.Name))}.");

    /// <summary>The training classes of cityscapesScripts' labels.py: ids that are evaluated, in their order.</summary>
    private static Dataset Cityscapes()
    {
        const int ids = 34;
        // Nothing in particular, dynamic, ground, parking, rail track, guard rail, bridge, tunnel, caravan, trailer. A
        // group of poles has the colour of a pole, and a licence plate that of a car.
        int[] unscored =
        [
            0x000000, 0x6F4A00, 0x510051, 0xFAAAA0, 0xE6968C, 0xB4A5B4, 0x966464, 0x96785A, 0x00005A, 0x00006E,
        ];
        int[] evaluated = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33];
        return new Dataset("cityscapes", evaluated.Length,
        [
            "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
            "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
        ])
        {
            ImageSuffix = "_leftImg8bit.png",
            LabelSuffixes =
            [
                "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png", "_gtCoarse_labelIds.png",
                "_gtCoarse_labelTrainIds.png", "_gtFine_color.png", "_gtCoarse_color.png",
            ],
            ReadyMade = "TrainIds.png",
            Rules = new LabelRules
            {
                Labels = Enumerable.Range(0, ids).ToDictionary(
                    id => id, id => Array.IndexOf(evaluated, id) is >= 0 and var to ? to : LabelMapping.Ignored),
                Colours = Colours(Palette.Cityscapes.Colours, unscored),
                PaletteIsLabels = true,
            },
            RulesInWords = "ids 7, 8, 11 ... 33, or their colours, to the 19 train ids, others not scored",
        };
    }

    /// <summary>VOC 2012: the palette's index is the class, 255 the border.</summary>
    private static Dataset Voc() => new("voc", 21,
    [
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ])
    {
        List = Path.Combine("..", "ImageSets", "Segmentation", "val.txt"),
        Rules = ClassesAndVoid with
        {
            Colours = Colours(Palette.Voc.Colours.Take(21), 0xE0E0C0),
            PaletteIsLabels = true,
        },
        RulesInWords = "labels 0 to 20 as they are, or their colours, 255 and the border's colour not scored",
    };

    /// <summary>Classes by their colours, and colours that are not scored.</summary>
    private static Dictionary<Rgb, int> Colours(IEnumerable<Rgb> classes, params int[] unscored)
    {
        var colours = classes.Index().ToDictionary(row => row.Item, row => row.Index);
        foreach (int colour in unscored)
            colours.Add(Rgb.FromHex(colour), LabelMapping.Ignored);
        return colours;
    }

    /// <summary>SceneParsing (ADEChallengeData2016): 1 to 150 are the classes, 0 is everything else.</summary>
    private static Dataset Ade20k() => new("ade20k", 150, [])
    {
        Rules = new LabelRules { Shift = -1 },
        RulesInWords = "labels 1 to 150 to classes 0 to 149, 0 not scored (shift=-1)",
    };

    /// <summary>
    /// The 11 classes of SegNet (Badrinarayanan, Kendall, Cipolla 2017) from the 32 colours of Brostow et al. 2009,
    /// grouped as MathWorks' example of SegNet on CamVid does; label maps of grey numbers are SegNet's own, whose 11 is
    /// void.
    /// </summary>
    private static Dataset CamVid()
    {
        (string Name, int[] Colours)[] classes =
        [
            ("sky", [0x808080]),
            ("building", [0x800000, 0x008040, 0x40C000, 0x400040, 0xC00080]), // bridge, wall, tunnel, archway
            ("pole", [0xC0C080, 0x000040]), // traffic cone
            ("road", [0x804080, 0x8000C0, 0xC00040]), // lane markings, driving and not
            ("pavement", [0x0000C0, 0x40C080, 0x8080C0]), // parking block, road shoulder
            ("tree", [0x808000, 0xC0C000]), // other vegetation
            ("sign", [0xC08080, 0x808040, 0x004040]), // other text, traffic light
            ("fence", [0x404080]),
            ("car", [0x400080, 0x4080C0, 0xC080C0, 0xC04080, 0x804040]), // SUV, truck or bus, train, other moving
            ("pedestrian", [0x404000, 0xC08040, 0x4000C0, 0x408040]), // child, cart or pram, animal
            ("bicyclist", [0x0080C0, 0xC000C0]), // motorcycle
        ];
        Dictionary<Rgb, int> colours = classes
            .SelectMany((row, to) => row.Colours.Select(colour => (Colour: Rgb.FromHex(colour), To: to)))
            .ToDictionary(pair => pair.Colour, pair => pair.To);
        colours.Add(Rgb.FromHex(0), LabelMapping.Ignored);
        Dictionary<int, int> labels = Enumerable.Range(0, classes.Length).ToDictionary(label => label);
        labels.Add(classes.Length, LabelMapping.Ignored);
        return new Dataset("camvid", classes.Length, [.. classes.Select(row => row.Name)])
        {
            LabelSuffixes = ["_L.png", Png],
            Rules = new LabelRules { Labels = labels, Colours = colours },
            RulesInWords = "32 colours to SegNet's 11 classes, void not scored; of grey maps 0 to 10 as they are, 11 "
                + "not scored",
        };
    }
}
