using System.Buffers.Binary;
using System.Text;
using Atrous.Checkpoints;
using Atrous.Tensors;

namespace Atrous.Tests.Checkpoints.Containers;

/// <summary>Forms of the zip container that the goldens lack: zip64 and what newer PyTorch versions write.</summary>
public sealed class TorchZipTests : IDisposable
{
    private const string Storage =
        "((X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0004tQ";

    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".pth");

    [Fact]
    public void Reads_sizes_and_offsets_of_64_bits()
    {
        WriteZip64(Tensor("ctorch._utils\n_rebuild_tensor_v2\n", Storage + "K\0(K\u0004t(K\u0001t\u0089}tR"),
            [1f, 2f, 3f, 4f]);
        Assert.Equal([1f, 2f, 3f, 4f], ReadTensor(DType.Float32));
    }

    [Fact]
    public void Reads_integers_written_as_longs()
    {
        WriteZip64(
            Tensor("ctorch._utils\n_rebuild_tensor_v2\n", Storage
            + "\u008a\0(\u008a\u0001\u0002t(\u008a\u0001\u0002t\u0089}tR"), [1f, 2f, 3f, 4f]);
        Assert.Equal([1f, 3f], ReadTensor(DType.Float32));
    }

    [Fact]
    public void Reads_untyped_storages()
    {
        string storage =
            "((X\u0007\0\0\0storagectorch.storage\nUntypedStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0010tQ";
        WriteZip64(
            Tensor("ctorch._utils\n_rebuild_tensor_v3\n", storage + "K\0(K\u0008t(K\u0001t\u0089}ctorch\nuint16\n}tR"),
            [1f, 0f, 0f, 2f]);
        Assert.Equal([0f, 0x3f80, 0f, 0f, 0f, 0f, 0f, 0x4000], ReadTensor(DType.UInt16));
    }

    [Theory]
    [InlineData("ctorch\nComplexFloatStorage\n", "K\u0002", "'torch.ComplexFloatStorage'")]
    [InlineData("cmy\nStorage\n", "K\u0004", "unknown class 'my.Storage'")]
    [InlineData("ctorch\nFloatStorage\n", "K\u0005", "needs 5 elements")]
    public void Refuses_storages_it_cannot_read(string type, string count, string reason)
    {
        string storage = $"((X\u0007\0\0\0storage{type}X\u0001\0\0\00X\u0003\0\0\0cpu{count}tQ";
        WriteZip64(Tensor("ctorch._utils\n_rebuild_tensor_v2\n", storage + "K\0(K\u0001t(K\u0001t\u0089}tR"),
            [1f, 2f, 3f, 4f]);
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(_path);

    private static string Tensor(string function, string arguments) =>
        $"\u0080\u0002}}(X\u0001\0\0\0w{function}{arguments}u.";

    private float[] ReadTensor(DType type)
    {
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        WeightInfo info = checkpoint.Weights["w"];
        Assert.Equal(type, info.Type);
        var values = new float[info.Elements];
        checkpoint.Read("w", values);
        return values;
    }

    /// <summary>A zip file in which every field that can be moved to a zip64 one is.</summary>
    private void WriteZip64(string pickle, float[] values)
    {
        var file = new MemoryStream();
        var directory = new MemoryStream();
        Add(file, directory, "model/data.pkl", Encoding.Latin1.GetBytes(pickle));
        Add(file, directory, "model/data/0", [.. values.SelectMany(BitConverter.GetBytes)]);
        long start = file.Position;
        directory.WriteTo(file);
        long end = file.Position;

        byte[] end64 = new byte[56];
        "PK\x06\x06"u8.CopyTo(end64);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(4), 44);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(24), 2);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(32), 2);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(40), directory.Length);
        BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(48), start);
        file.Write(end64);
        byte[] locator = new byte[20];
        "PK\x06\x07"u8.CopyTo(locator);
        BinaryPrimitives.WriteInt64LittleEndian(locator.AsSpan(8), end);
        locator[16] = 1;
        file.Write(locator);
        byte[] tail = new byte[22];
        "PK\x05\x06"u8.CopyTo(tail);
        tail.AsSpan(8, 12).Fill(0xff);
        file.Write(tail);
        File.WriteAllBytes(_path, file.ToArray());
    }

    private static void Add(MemoryStream file, MemoryStream directory, string name, byte[] bytes)
    {
        byte[] local = new byte[30];
        "PK\x03\x04"u8.CopyTo(local);
        BinaryPrimitives.WriteInt32LittleEndian(local.AsSpan(18), bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(local.AsSpan(22), bytes.Length);
        local[26] = (byte)name.Length;
        byte[] entry = new byte[46];
        "PK\x01\x02"u8.CopyTo(entry);
        entry.AsSpan(20, 8).Fill(0xff);
        entry[28] = (byte)name.Length;
        entry[30] = 28 + 6;
        entry.AsSpan(42, 4).Fill(0xff);
        byte[] extra = new byte[34];
        extra[0] = 0x42;
        extra[2] = 2;
        extra[6] = 1;
        extra[8] = 24;
        BinaryPrimitives.WriteInt64LittleEndian(extra.AsSpan(10), bytes.Length);
        BinaryPrimitives.WriteInt64LittleEndian(extra.AsSpan(18), bytes.Length);
        BinaryPrimitives.WriteInt64LittleEndian(extra.AsSpan(26), file.Position);
        directory.Write(entry);
        directory.Write(Encoding.ASCII.GetBytes(name));
        directory.Write(extra);
        file.Write(local);
        file.Write(Encoding.ASCII.GetBytes(name));
        file.Write(bytes);
    }
}
