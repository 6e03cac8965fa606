using System.Text.Json;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// COCO's annotations: an annotation a region, as a polygon, or as run-lengths where it has holes, which COCO's
/// polygons have not. A category's id is the class and one more; images are numbered from 1. Who made it and under
/// which licence it is are there because pycocotools copies them.
/// </summary>
internal sealed class CocoWriter : RunWriter
{
    private readonly Utf8JsonWriter _json;
    private readonly RunClasses _classes;
    private readonly List<(string Name, int Height, int Width)> _images = [];
    private long _annotations;

    public CocoWriter(Stream stream, RunClasses classes)
    {
        _json = new Utf8JsonWriter(stream, JsonFile.Options);
        _classes = classes;
        Begin(_json, classes.Part);
    }

    /// <summary>Begins a file, up to its annotations.</summary>
    /// <param name="json">What writes the file.</param>
    /// <param name="part">The part of a run and the pictures of all parts; null for a whole run.</param>
    public static void Begin(Utf8JsonWriter json, (string Name, int Pictures)? part)
    {
        json.WriteStartObject();
        json.WriteStartObject("info");
        json.WriteString("description", "Masks by Atrous");
        json.WriteString("version", "1.0");
        if (part is var (name, pictures))
        {
            json.WriteString("shard", name);
            json.WriteNumber("pictures", pictures);
        }
        json.WriteEndObject();
        json.WriteStartArray("licenses");
        json.WriteEndArray();
        json.WriteStartArray("annotations");
    }

    /// <summary>Ends a file, after its annotations.</summary>
    /// <param name="json">What writes the file.</param>
    /// <param name="images">The pictures, numbered from 1.</param>
    /// <param name="classes">The names of the classes, from class 0 on.</param>
    public static void End(
        Utf8JsonWriter json, IReadOnlyList<(string Name, int Height, int Width)> images, IReadOnlyList<string> classes)
    {
        json.WriteEndArray();
        json.WriteStartArray("images");
        for (int i = 0; i < images.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("file_name", images[i].Name);
            json.WriteNumber("height", images[i].Height);
            json.WriteNumber("width", images[i].Width);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("categories");
        for (int label = 0; label < classes.Count; label++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", label + 1);
            json.WriteString("name", classes[label]);
            json.WriteString("supercategory", "");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public override void Add(AnnotatedPicture picture)
    {
        _images.Add((picture.Name, picture.Height, picture.Width));
        foreach (Region region in picture.Regions)
            Write(region, picture.Height, picture.Width);
        _json.Flush();
    }

    public override void Dispose()
    {
        End(_json, _images, _classes.Names);
        _json.Dispose();
    }

    private void Write(Region region, int height, int width)
    {
        _json.WriteStartObject();
        _json.WriteNumber("id", ++_annotations);
        _json.WriteNumber("image_id", _images.Count);
        _json.WriteNumber("category_id", region.Label + 1);
        _json.WriteNumber("iscrowd", 0);
        _json.WriteNumber("area", region.Pixels);
        (int x, int y, int columns, int rows) = region.Bounds;
        WriteNumbers("bbox", x, y, columns, rows);
        if (region.Holes.Count == 0)
        {
            _json.WriteStartArray("segmentation");
            _json.WriteStartArray();
            foreach (GridPoint point in region.Outline.Points)
            {
                _json.WriteNumberValue(point.X);
                _json.WriteNumberValue(point.Y);
            }
            _json.WriteEndArray();
            _json.WriteEndArray();
        }
        else
        {
            CocoRle runs = region.RunLengths(height, width);
            _json.WriteStartObject("segmentation");
            WriteNumbers("size", height, width);
            _json.WriteString("counts", runs.Compress());
            _json.WriteEndObject();
        }
        _json.WriteEndObject();
    }

    private void WriteNumbers(string name, params ReadOnlySpan<int> numbers)
    {
        _json.WriteStartArray(name);
        foreach (int number in numbers)
            _json.WriteNumberValue(number);
        _json.WriteEndArray();
    }
}
