using System.Text;
using Atrous.Cli.Batches;
using Atrous.Postprocessing;

namespace Atrous.Tests.Cli.Batches;

/// <summary>A text in a PNG, and whether the file around it is whole.</summary>
public sealed class PngTextTests
{
    private const string Keyword = "Atrous", Text = """{"version":1}""";

    private static readonly ushort[] Labels = [.. Enumerable.Range(0, 12).Select(label => (ushort)(label % 5))];

    [Fact]
    public void A_text_that_was_added_is_found_and_the_pixels_stay()
    {
        byte[] plain = Mask(), marked = PngText.Add(plain, Keyword, Text);
        Assert.Equal(Text, Find(marked));
        Assert.Null(Find(plain));
        Assert.Null(PngText.Find(new MemoryStream(marked), "Other"));
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            File.WriteAllBytes(path, marked);
            Assert.Equal(Labels, LabelImage.Load(path).Labels);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_that_is_cut_off_or_changed_anywhere_has_none()
    {
        byte[] marked = PngText.Add(Mask(), Keyword, Text);
        for (int length = 0; length < marked.Length; length++)
            Assert.Null(Find(marked[..length]));
        for (int i = 0; i < marked.Length; i++)
        {
            byte[] changed = [.. marked];
            changed[i] ^= 1;
            Assert.Null(Find(changed));
        }
        Assert.Null(Find([.. marked, 0]));
    }

    private static string? Find(byte[] png) => PngText.Find(new MemoryStream(png), Keyword);

    private static byte[] Mask()
    {
        using var stream = new MemoryStream();
        LabelPng.Save(stream, Labels, 3, 4, 5);
        return stream.ToArray();
    }
}
