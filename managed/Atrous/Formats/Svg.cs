using System.Globalization;
using System.Text;
using System.Xml;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>An SVG drawing of the picture's size: a group a class, a path a region.</summary>
internal static class Svg
{
    private const string Namespace = "http://www.w3.org/2000/svg";

    public static void Write(Stream stream, AnnotatedPicture picture)
    {
        using var xml = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(false) });
        string width = Text(picture.Width), height = Text(picture.Height);
        xml.WriteStartElement("svg", Namespace);
        xml.WriteAttributeString("width", width);
        xml.WriteAttributeString("height", height);
        xml.WriteAttributeString("viewBox", $"0 0 {width} {height}");
        foreach (IGrouping<int, Region> regions in picture.Regions.GroupBy(region => region.Label).OrderBy(g => g.Key))
        {
            xml.WriteStartElement("g", Namespace);
            xml.WriteAttributeString("fill", picture.Palette[regions.Key].ToString());
            xml.WriteAttributeString("fill-rule", "evenodd");
            xml.WriteAttributeString("data-class", Text(regions.Key));
            xml.WriteElementString("title", Namespace, XmlText.Of(picture.Mask.NameOf(regions.Key)));
            foreach (Region region in regions)
            {
                xml.WriteStartElement("path", Namespace);
                xml.WriteAttributeString("d", string.Concat(region.Rings.Select(Line)));
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    private static string Line(Ring ring) => "M" + string.Join(
        'L', ring.Points.Select(point => $"{Text(point.X)} {Text(point.Y)}")) + "Z";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
