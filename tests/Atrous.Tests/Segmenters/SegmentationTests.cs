using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Tests.Segmenters;

/// <summary>Masks without a network: made of labels, copied out, written.</summary>
public sealed class SegmentationTests : IDisposable
{
    private static readonly byte[] Labels = [0, 0, 1, 0, 2, 1];

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_mask_of_given_labels_is_as_good_as_a_network_s()
    {
        Segmentation mask = Segmentation.FromLabels(Labels, 2, 3, 3, ["sky", "road", "car"]);
        Assert.Equal((2, 3, 3), (mask.Height, mask.Width, mask.Classes));
        Assert.Equal(2, mask[1, 1]);
        Assert.Equal("car", mask.NameOf(mask[1, 1]));
        Assert.Equal([0, 1, 2], mask.Shares.Select(share => share.Label));
        Assert.True(mask.Confidence.IsEmpty);
        using var photo = new Image(2, 3, PixelFormat.Rgb);
        using Image overlay = mask.Overlay(photo);
        Assert.Equal((2, 3), (overlay.Height, overlay.Width));
        Assert.Equal("class 1", Segmentation.FromLabels([1], 1, 1, 2).NameOf(1));
    }

    [Fact]
    public void The_background_stays_clear()
    {
        using var photo = new Image(1, 2, PixelFormat.Rgb);
        photo.Pixels.Fill(200);
        using Image named = With("Background"), plain = With("road");
        Assert.Equal([200, 200, 200], named.Pixels[..3].ToArray());
        Assert.NotEqual([200, 200, 200], plain.Pixels[..3].ToArray());
        Assert.Equal(plain.Pixels[3..].ToArray(), named.Pixels[3..].ToArray());

        Image With(string first) =>
            Segmentation.FromLabels([0, 1], 1, 2, 2, [first, "car"]).Overlay(photo, palette: Palette.Voc);
    }

    [Fact]
    public void Labels_go_into_memory_of_the_caller_s()
    {
        Segmentation mask = Segmentation.FromLabels(Labels, 2, 3, 3);
        var bytes = new byte[7];
        mask.CopyLabels(bytes);
        Assert.Equal([.. Labels, 0], bytes);
        var words = new ushort[6];
        mask.CopyLabels(words);
        Assert.Equal(mask.Labels.ToArray(), words);
        Assert.Throws<ArgumentException>(() => mask.CopyLabels(new byte[5]));
        Assert.Throws<ArgumentException>(() => mask.CopyLabels(new ushort[5]));
        Segmentation many = Segmentation.FromLabels(new ushort[] { 300 }, 1, 1, 301);
        Assert.Throws<InvalidOperationException>(() => many.CopyLabels(new byte[1]));
    }

    [Fact]
    public void Labels_that_make_no_mask_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Segmentation.FromLabels(Labels, 3, 3, 3));
        Assert.Throws<ArgumentException>(() => Segmentation.FromLabels(Labels, 2, 3, 2));
        Assert.Throws<ArgumentException>(() => Segmentation.FromLabels(Labels, 2, 3, 3, ["one"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Segmentation.FromLabels(Labels, 2, 3, 65537));
    }

    [Fact]
    public async Task What_is_saved_in_the_background_is_the_same_file()
    {
        Segmentation mask = Segmentation.FromLabels(Labels, 2, 3, 3);
        string here = Path.Combine(_folder, "here.png"), there = Path.Combine(_folder, "there.png");
        mask.SaveMask(here);
        await mask.SaveMaskAsync(there);
        var stream = new MemoryStream();
        await mask.SaveMaskAsync(stream);
        Assert.Equal(File.ReadAllBytes(here), File.ReadAllBytes(there));
        Assert.Equal(File.ReadAllBytes(here), stream.ToArray());
        Assert.Equal(mask.Labels.ToArray(), LabelImage.Load(there).Labels.ToArray());

        using Image picture = await Image.LoadAsync(there);
        await picture.SavePngAsync(here);
        await using FileStream file = File.OpenRead(here);
        using Image again = await Image.LoadAsync(file);
        Assert.Equal(picture.Pixels.ToArray(), again.Pixels.ToArray());
        await picture.SaveJpegAsync(Path.Combine(_folder, "c.jpg"));
        Assert.Equal(ImageFormat.Jpeg, Image.Probe(Path.Combine(_folder, "c.jpg")).Format);
    }

    [Fact]
    public async Task Failures_in_the_background_are_the_same_sentences()
    {
        string nowhere = Path.Combine(_folder, "no", "such.png");
        Assert.Equal(
            $"{nowhere}: there is no such file; check the path.",
            (await Assert.ThrowsAsync<ImageException>(() => Image.LoadAsync(nowhere))).Message);
        Segmentation mask = Segmentation.FromLabels(Labels, 2, 3, 3);
        Assert.Equal(
            $"{nowhere}: its folder does not exist; create it first.",
            (await Assert.ThrowsAsync<OutputException>(() => mask.SaveMaskAsync(nowhere))).Message);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => mask.SaveMaskAsync(Path.Combine(_folder, "x.png"), cancellationToken: cancelled.Token));
        Assert.Empty(Directory.GetFiles(_folder));
    }
}
