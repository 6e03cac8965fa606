using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Atrous.Checkpoints;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Checkpoints.Storages;

/// <summary>Names and values of a file are counted: small files can ask for much memory, and for hours.</summary>
public sealed class ReadBudgetTests : IDisposable
{
    /// <summary>Twice what may be held; what is thrown away again on the way counts here too.</summary>
    private const long MaxAllocated = 250 << 20;

    /// <summary>A call for a tensor of the storage 0, up to that storage's number of elements.</summary>
    private const string Rebuild =
        "ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\n";

    /// <summary>A tensor of a safetensors header.</summary>
    private const string Empty = """{"dtype":"F32","shape":[0],"data_offsets":[0,0]}""";

    private readonly Workplace _place = new();

    /// <summary>Each a few bytes, as often as a pickle of 32 MB has room for, which packs to some kilobytes.</summary>
    [Theory]
    [InlineData("}")]
    [InlineData("]")]
    [InlineData("}K\u0001K\u0001s")]
    [InlineData("\u008f(K\u0001K\u0002\u0090")]
    [InlineData("(K\u0001K\u0002K\u0003t")]
    [InlineData("C\u0001a")]
    [InlineData("G12345678")]
    [InlineData("ca\nb\n")]
    [InlineData("ca\nb\n)R")]
    [InlineData("L111111111111111111111111111111111111111111111111111111111111111111111111111111L\n")]
    [InlineData("F0.111111111111111111111111111111111111111111111111111111111111111111111111111111\n")]
    [InlineData("Vabcdefghijklmnopqrstuvwxyz\n")]
    [InlineData("K\u0001\u0094")]
    public void Values_without_end_are_refused(string step)
    {
        string path = Packed(string.Concat(Enumerable.Repeat(step, (24 << 20) / step.Length)));
        Assert.InRange(new FileInfo(path).Length, 0, 256 << 10);
        Refused(path, "than any|more than|instructions|objects");
    }

    [Fact]
    public void Numbers_with_thousands_of_digits_are_refused()
    {
        string digits = new('9', 60_000);
        Refused(Packed($"(lL{digits}L\na."), "malformed");
        Refused(Packed($"(lF0.{digits}\na."), "malformed");
    }

    /// <summary>One long tuple as the shape of a million tensors.</summary>
    [Theory]
    [InlineData($"{Rebuild}I1\ntQI0\ng0\ng0\nI00\n)tR0")]
    [InlineData("cnumpy\nndarray\n)R(g0\ncnumpy\ndtype\n(S'f4'\ntRI00\nS'abcd'\ntb0")]
    public void Shapes_of_many_dimensions_are_refused_at_once(string step)
    {
        string shape = string.Concat(Enumerable.Repeat("I1\n", 50_000));
        Refused(
            Packed(
                $"(dp1\n0({shape}tp0\n0" + string.Concat(Enumerable.Repeat(step, 20_000)) + "g1\n.",
                ("data/0", new byte[4])),
            "dimensions");
    }

    [Fact]
    public void A_packed_storage_cannot_be_larger_than_packing_makes_it()
    {
        string path = Packed(
            $"(dS'w'\n{Rebuild}I1000\ntQI0\n(I1000\nt(I1\ntI00\n)tRs.", ("data/0", new byte[4000]));
        byte[] zip = File.ReadAllBytes(path);
        // The size before packing, in the entry of the central directory.
        int entry = zip.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        Assert.Equal(4000, BinaryPrimitives.ReadInt32LittleEndian(zip.AsSpan(entry + 24)));
        BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(entry + 24), 1 << 30);
        File.WriteAllBytes(path, zip);
        Refused(path, "claims an absurd size");
    }

    [Theory]
    [InlineData(1001, 1, "name has 1001 characters")]
    [InlineData(700_000, 1, "name has 700000 characters")]
    [InlineData(6, 100_001, "more than 100000 tensors")]
    public void Names_of_safetensors_have_a_limit(int length, int count, string words)
    {
        var header = new StringBuilder("{");
        for (int i = 0; i < count; i++)
        {
            string name = new string('m', length - 6) + i.ToString("000000", null);
            header.Append(i > 0 ? "," : "").Append($"\"{name}\":{Empty}");
        }
        Refused(Safetensors(header.Append('}').ToString()), words);
    }

    [Fact]
    public void Metadata_has_a_limit()
    {
        Refused(Safetensors($"{{\"__metadata__\":{{\"a\":\"{new string('x', 5 << 20)}\"}}}}"), "more metadata");
        string many = string.Join(',', Enumerable.Range(0, 10_001).Select(i => $"\"{i}\":\"\""));
        Refused(Safetensors($"{{\"__metadata__\":{{{many}}}}}"), "more metadata");
    }

    [Fact]
    public void All_names_together_have_a_limit()
    {
        string header = string.Join(',', Enumerable.Range(0, 5000).Select(i =>
            $"\"{new string('m', 994)}{i:000000}\":{Empty}"));
        Refused(Safetensors($"{{{header}}}"), "more than 4 million characters");
    }

    /// <summary>Many times what a network has, with longer names.</summary>
    [Fact]
    public void A_large_checkpoint_is_read()
    {
        string header = string.Join(',', Enumerable.Range(0, 20_000).Select(i =>
            $"\"{new string('m', 184)}{i:000000}\":{Empty}"));
        using Checkpoint checkpoint = Checkpoint.Open(Safetensors($"{{{header}}}"));
        Assert.Equal(20_000, checkpoint.Weights.Count);
    }

    public void Dispose() => _place.Dispose();

    private static void Refused(string path, string words)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(path));
        Assert.Matches(words, error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, MaxAllocated);
    }

    private string Packed(string pickle, params (string Name, byte[] Bytes)[] records)
    {
        string path = _place["packed.pth"];
        using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        foreach ((string name, byte[] bytes) in records.Prepend(("data.pkl", Encoding.Latin1.GetBytes(pickle))))
        {
            using Stream stream = zip.CreateEntry("m/" + name, CompressionLevel.Optimal).Open();
            stream.Write(bytes);
        }
        return path;
    }

    private string Safetensors(string header)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return _place.Add("model.safetensors", [.. length, .. text]);
    }
}
