using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Formats;

/// <summary>
/// Every format is read by the libraries of those who take it, with no pixel lost: GDAL, OpenCV, lxml, and pycocotools
/// where it is installed.
/// </summary>
public sealed class LibraryTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Random_masks_are_read_by_the_formats_own_libraries() =>
        AssertRead(SetsOfMasks.Random(), SetsOfMasks.Classes);

    [Theory]
    [MemberData(nameof(SetsOfMasks.OfPhotographs), MemberType = typeof(SetsOfMasks))]
    public void Masks_of_photographs_are_read_by_the_formats_own_libraries(string folder, int classes) =>
        AssertRead(SetsOfMasks.Of(folder, classes), classes);

    /// <summary>The judge itself: one pixel of a mask is changed after the shapes were written.</summary>
    [Fact]
    public void A_pixel_that_is_lost_is_counted()
    {
        Python.Require("cv2, lxml.etree", "osgeo.gdal_array");
        ushort[] labels = [0, 0, 1, 0, 2, 1];
        SetsOfMasks.Write(_place["out"], [Segmentation.FromLabels(labels, 2, 3, 3)], 3);
        labels[4] = 1;
        Segmentation.FromLabels(labels, 2, 3, 3).SaveMask(_place["out/0.mask.png"]);
        Assert.All(ReadBack(1), line => Assert.EndsWith(" 1", line));
    }

    private void AssertRead(IReadOnlyList<Segmentation> masks, int classes)
    {
        Python.Require("cv2, lxml.etree", "osgeo.gdal_array");
        SetsOfMasks.Write(_place["out"], masks, classes);
        string[] lines = ReadBack(masks.Count);
        Assert.Equal(
            ["tiff", "geojson", "coco", "cvat", "labelstudio", "yolo", "labelme", "svg"],
            lines.Select(line => line.Split(' ')[0]));
        Assert.All(lines, line => Assert.EndsWith(" 0", line));
    }

    private string[] ReadBack(int count) => Python.Run(
        Repository.PathOf("tests/formats/read_back.py"), _place["out"], $"{count}").Exits(0)
        .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
