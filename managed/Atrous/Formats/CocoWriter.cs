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
        _json.WriteStartObject();
        _json.WriteStartObject("info");
        _json.WriteString("description", "Masks by Atrous");
        _json.WriteString("version", "1.0");
        _json.WriteEndObject();
        _json.WriteStartArray("licenses");
        _json.WriteEndArray();
        _json.WriteStartArray("annotations");
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
        _json.WriteEndArray();
        _json.WriteStartArray("images");
        for (int i = 0; i < _images.Count; i++)
        {
            _json.WriteStartObject();
            _json.WriteNumber("id", i + 1);
            _json.WriteString("file_name", _images[i].Name);
            _json.WriteNumber("height", _images[i].Height);
            _json.WriteNumber("width", _images[i].Width);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteStartArray("categories");
        for (int label = 0; label < _classes.Names.Count; label++)
        {
            _json.WriteStartObject();
            _json.WriteNumber("id", label + 1);
            _json.WriteString("name", _classes.Names[label]);
            _json.WriteString("supercategory", "");
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteEndObject();
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
