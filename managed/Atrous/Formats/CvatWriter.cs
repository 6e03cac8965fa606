using System.Globalization;
using System.Text;
using System.Xml;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// CVAT's "for images 1.1": a polygon a region, or a mask where it has holes, which CVAT's polygons have not.
/// </summary>
internal sealed class CvatWriter : RunWriter
{
    private readonly XmlWriter _xml;
    private int _images;

    public CvatWriter(Stream stream, RunClasses classes)
    {
        _xml = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = true });
        _xml.WriteStartElement("annotations");
        _xml.WriteElementString("version", "1.1");
        _xml.WriteStartElement("meta");
        _xml.WriteStartElement("task");
        _xml.WriteStartElement("labels");
        for (int label = 0; label < classes.Names.Count; label++)
        {
            _xml.WriteStartElement("label");
            _xml.WriteElementString("name", XmlText.Of(classes.Names[label]));
            _xml.WriteElementString("color", classes.Palette[label].ToString());
            _xml.WriteElementString("attributes", "");
            _xml.WriteEndElement();
        }
        _xml.WriteEndElement();
        _xml.WriteEndElement();
        _xml.WriteEndElement();
    }

    public override void Add(AnnotatedPicture picture)
    {
        _xml.WriteStartElement("image");
        Write("id", _images++);
        _xml.WriteAttributeString("name", XmlText.Of(picture.Name));
        Write("width", picture.Width);
        Write("height", picture.Height);
        foreach (Region region in picture.Regions)
        {
            _xml.WriteStartElement(region.Holes.Count == 0 ? "polygon" : "mask");
            _xml.WriteAttributeString("label", XmlText.Of(picture.NameOf(region)));
            _xml.WriteAttributeString("source", "auto");
            Write("occluded", 0);
            if (region.Holes.Count == 0)
            {
                _xml.WriteAttributeString("points", string.Join(';', region.Outline.Points.Select(
                    point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.00},{point.Y:0.00}"))));
            }
            else
            {
                WriteMask(region);
            }
            Write("z_order", 0);
            _xml.WriteEndElement();
        }
        _xml.WriteEndElement();
        _xml.Flush();
    }

    public override void Dispose()
    {
        _xml.WriteEndElement();
        _xml.Dispose();
    }

    /// <summary>Runs of the region's box, row by row: others and the region take turns, others first.</summary>
    private void WriteMask(Region region)
    {
        (int left, int top, int columns, int rows) = region.Bounds;
        var inside = new bool[rows * columns];
        foreach ((int x, int first, int last) in RegionRuns.Columns(region))
        {
            for (int y = first; y < last; y++)
                inside[(y - top) * columns + x - left] = true;
        }
        var runs = new List<int>();
        bool current = false;
        int length = 0;
        foreach (bool pixel in inside)
        {
            if (pixel != current)
            {
                runs.Add(length);
                (current, length) = (pixel, 0);
            }
            length++;
        }
        runs.Add(length);
        _xml.WriteAttributeString(
            "rle", string.Join(", ", runs.Select(run => run.ToString(CultureInfo.InvariantCulture))));
        Write("left", left);
        Write("top", top);
        Write("width", columns);
        Write("height", rows);
    }

    private void Write(string name, int value) =>
        _xml.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));
}
