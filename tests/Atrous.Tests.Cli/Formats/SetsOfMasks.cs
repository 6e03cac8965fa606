using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Formats;

/// <summary>Masks that every format has to hold, and their files in every format of shapes.</summary>
public static class SetsOfMasks
{
    /// <summary>Classes of the random ones.</summary>
    public const int Classes = 4;

    /// <summary>The folders of ../shared/models whose masks are of photographs, with the number of classes.</summary>
    public static TheoryData<string, int> OfPhotographs => new()
    {
        { "deeplabv3_mobilenetv2_voc", 256 },
        { "deeplabv3_mobilenet_edgetpu_slim_cityscapes", 256 },
        { "deeplabv3plus_mobilenetv2_ade20k32", 32 },
    };

    /// <summary>
    /// A hundred of noise of a few classes, which has as many regions and holes as there can be, and its blocks.
    /// </summary>
    public static IReadOnlyList<Segmentation> Random()
    {
        const int Masks = 100;
        var masks = new List<Segmentation>();
        for (int i = 0; i < Masks; i++)
        {
            var random = new Random(i);
            (int height, int width, int block) = (random.Next(1, 17), random.Next(1, 17), random.Next(1, 4));
            ushort[] noise = [.. Enumerable.Range(0, height * width).Select(_ => (ushort)random.Next(Classes))];
            ushort[] labels = [.. noise.Select((_, at) => noise[at / width / block * width + at % width / block])];
            masks.Add(Segmentation.FromLabels(labels, height, width, Classes));
        }
        return masks;
    }

    public static IReadOnlyList<Segmentation> Of(string folder, int classes)
    {
        string[] files = [.. Directory.GetFiles(Shared.Require($"models/{folder}"), "*.png").Order().Where(file =>
            file.Contains("classmap") || file.EndsWith("given_mask.png"))];
        Assert.NotEmpty(files);
        return
        [
            .. files.Select(file => LabelImage.Load(file)).Select(mask =>
                Segmentation.FromLabels(mask.Labels.ToArray(), mask.Height, mask.Width, classes)),
        ];
    }

    /// <summary>Writes 0.mask.png, 0.mask.tif, 0.geojson and so on, and the files about all of them.</summary>
    public static void Write(string folder, IReadOnlyList<Segmentation> masks, int classCount)
    {
        Directory.CreateDirectory(folder);
        var classes = RunClasses.Of(masks[0], Palette.Default);
        RunFormat[] formats = [.. OutputFormats.OfRun.Where(format => !format.HasClassesAlone)];
        FileStream[] files = [.. formats.Select(format => File.Create(Path.Combine(folder, format.File)))];
        RunWriter[] writers = [.. formats.Zip(files, (format, file) => format.Open(file, classes))];
        for (int i = 0; i < masks.Count; i++)
        {
            Segmentation mask = masks[i];
            using var photo = new Image(mask.Height, mask.Width, 3);
            var picture = new AnnotatedPicture($"{i}.png", photo, mask, Palette.Default, new());
            foreach (PictureFormat format in OutputFormats.OfPicture.Where(
                format => !format.NeedsConfidence && !format.NeedsProbabilities && !format.Suffix.EndsWith(".png")))
            {
                using FileStream file = File.Create(Path.Combine(folder, $"{i}{format.Suffix}"));
                format.Write(file, picture);
            }
            Array.ForEach(writers, writer => writer.Add(picture));
            mask.SaveMask(Path.Combine(folder, $"{i}.mask.png"));
            using FileStream tiff = File.Create(Path.Combine(folder, $"{i}.mask.tif"));
            using var rows = new LabelTiff(tiff, mask.Height, mask.Width, classCount, Palette.Default, null, null);
            rows.Write(mask.Labels);
            rows.End();
        }
        Array.ForEach(writers, writer => writer.Dispose());
        Array.ForEach(files, file => file.Dispose());
    }
}
