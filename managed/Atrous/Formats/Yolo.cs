using System.Globalization;
using System.Text;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// The text files of YOLO's segmentation: a line a region, the class and then x and y of every corner as shares of the
/// picture's width and height. A hole is joined to its outline by a slit.
/// </summary>
internal static class Yolo
{
    public static void Write(Stream stream, AnnotatedPicture picture)
    {
        using var text = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        foreach (Region region in picture.Regions)
        {
            text.Write(region.Label.ToString(CultureInfo.InvariantCulture));
            foreach (GridPoint point in RegionSlits.Outline(region))
            {
                text.Write(string.Create(
                    CultureInfo.InvariantCulture,
                    $" {(double)point.X / picture.Width:0.0#####} {(double)point.Y / picture.Height:0.0#####}"));
            }
            text.WriteLine();
        }
    }
}

/// <summary>classes.txt: the name of a class in every line, in the order of the labels.</summary>
internal sealed class YoloClasses : RunWriter
{
    public YoloClasses(Stream stream, RunClasses classes)
    {
        using var text = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        foreach (string name in classes.Names)
            text.WriteLine(name.ReplaceLineEndings(" "));
    }

    public override void Add(AnnotatedPicture picture)
    {
        // The classes are those of the model, whatever the pictures show.
    }

    public override void Dispose()
    {
        // Written whole when it was begun.
    }
}
