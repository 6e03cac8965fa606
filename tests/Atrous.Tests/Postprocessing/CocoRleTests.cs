using Atrous.Postprocessing;

namespace Atrous.Tests.Postprocessing;

public class CocoRleTests
{
    /// <summary>
    /// Height, width, text and area of masks that pycocotools wrote; decoding them here is the independent way back.
    /// </summary>
    public static TheoryData<int, int, string> Published => new()
    {
        {
            50, 70,
            "0g05b08J4M2N2NA^O1`0OCO=0E090H080IO68DH;>@C>a0_O_O`0j0OWOF<:CM72I24NL43JM92FN;1ENKO72L0LO91J0MO92INO0NO122OO0M031O000NO3"
            + "1OO11MO40N011MO41MO21L06OL021L06OL021L06OL021L060J040L060J040L060J040L060J040L060J040L060J040L060KO31L060KO31L06OL021L"
            + "06OL021L06OL021MO41MO21MO40N100NO310O00M0310O00NO1220NO92IONO91KOMO72M0<1EO:2GN63KM34OLM73JF<;=1G_O_Ob0=AC`07EH=1IO71"
            + "H090F0:1DO>1_O1b0>2N2N3L6H]O"
        },
        { 667, 1000, @"PUi>9Td0j0\O<E9F:I<Fi0SO<E9E;C<]Oc0K3M4K4M3O100O10000010O000O4KV1lJU@l2ea0POe0jNW[o4" },
    };

    [Fact]
    public void Runs_go_down_the_columns_and_start_with_the_others()
    {
        // 7 7 2
        // 2 7 2
        IReadOnlyList<CocoRle> runs = CocoRle.Of([7, 7, 2, 2, 7, 2], 2, 3);
        Assert.Equal([2, 7], runs.Select(run => run.Label));
        Assert.Equal([1, 1, 2, 2], runs[0].Counts);
        Assert.Equal([0, 1, 1, 2, 2], runs[1].Counts);
        Assert.Equal([3L, 3L], runs.Select(run => run.Area));
        Assert.All(runs, run => Assert.Equal((2, 3), (run.Height, run.Width)));
    }

    [Theory]
    [MemberData(nameof(Published))]
    public void Masks_of_pycocotools_come_back_as_the_text_that_it_wrote(int height, int width, string text)
    {
        int[] counts = Decompress(text);
        Assert.Equal(height * width, counts.Sum());
        ushort[] labels = Paint(counts, height, width);
        CocoRle run = CocoRle.Of(labels, height, width)[1];
        Assert.Equal(1, run.Label);
        Assert.Equal(counts, run.Counts);
        Assert.Equal(text, run.Compress());
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(97, 5)]
    [InlineData(600, 65536)]
    public void Any_map_is_the_sum_of_its_classes(int width, int classes)
    {
        var random = new Random(width);
        const int height = 61;
        var labels = new ushort[height * width];
        // Runs of one class, so that there are long and short ones.
        for (int i = 0; i < labels.Length;)
        {
            var label = (ushort)random.Next(classes);
            for (int end = Math.Min(labels.Length, i + random.Next(1, 3 * width)); i < end; i++)
                labels[i] = label;
        }
        var painted = new ushort[labels.Length];
        IReadOnlyList<CocoRle> runs = CocoRle.Of(labels, height, width);
        foreach (CocoRle run in runs)
        {
            Assert.Equal(run.Counts, Decompress(run.Compress()));
            ushort[] mask = Paint([.. run.Counts], height, width);
            for (int i = 0; i < mask.Length; i++)
                painted[i] += (ushort)(mask[i] * run.Label);
        }
        Assert.Equal(labels, painted);
        Assert.Equal(ClassShare.Of(labels).OrderBy(share => share.Label).Select(share => share.Pixels),
            runs.Select(run => run.Area));
    }

    [Fact]
    public void A_map_of_another_size_is_refused() =>
        Assert.Throws<ArgumentException>(() => CocoRle.Of(new ushort[5], 2, 3));

    /// <summary>The mask that the counts describe; a last run of others may be left out.</summary>
    private static ushort[] Paint(int[] counts, int height, int width)
    {
        var mask = new ushort[height * width];
        int position = 0;
        for (int run = 0; run < counts.Length; run++)
        {
            for (int end = position + counts[run]; position < end; position++)
                mask[position % height * width + position / height] = (ushort)(run % 2);
        }
        return mask;
    }

    /// <summary>The way back, as COCO's mask API documents it.</summary>
    private static int[] Decompress(string text)
    {
        var counts = new List<int>();
        for (int at = 0; at < text.Length;)
        {
            int value = 0, bits = 0, group;
            do
            {
                group = text[at++] - '0';
                value |= (group & 0x1f) << bits;
                bits += 5;
            }
            while ((group & 0x20) != 0);
            if ((group & 0x10) != 0)
                value |= -1 << bits;
            counts.Add(counts.Count > 2 ? value + counts[^2] : value);
        }
        return [.. counts];
    }
}
