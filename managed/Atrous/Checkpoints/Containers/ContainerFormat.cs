using System.Buffers.Binary;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>Tells what a file is by its first bytes, and has it read or says why it cannot be.</summary>
internal static class ContainerFormat
{
    private const int TarMagicOffset = 257;

    public static ContainerContents Read(CheckpointFile file)
    {
        if (file.Length == 0)
            throw file.Error("is empty; copy or download it again");
        if (HasExtension(file.Path, ShardIndex.Extension))
            return ShardIndex.Read(file);
        Span<byte> start = stackalloc byte[(int)Math.Min(file.Length, 512)];
        file.Read(0, start);
        if (ForeignFormat(start, file.Path) is { } complaint)
            throw file.Error(complaint);
        if (start.StartsWith("PK"u8))
            return TorchZip.Read(file);
        if (IsSafetensors(start, file.Path))
            return SafetensorsReader.Read(file);
        if (IsPickle(start))
            return TorchLegacy.TryRead(file) ?? NumpyPickle.Read(file);
        throw file.Error(
            "is in no known form; safetensors, PyTorch (.pth, .pt, .bin, .ckpt) and NumPy pickles (.pkl) are");
    }

    private static bool IsSafetensors(ReadOnlySpan<byte> start, string path) =>
        HasExtension(path, ".safetensors") || HasHeader(start);

    private static bool HasHeader(ReadOnlySpan<byte> start) =>
        start.Length > 8 && start[8] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(start) < uint.MaxValue;

    private static bool IsPickle(ReadOnlySpan<byte> start) => start[0] == 0x80 || "(c}]L"u8.Contains(start[0]);

    /// <summary>What people hand over by mistake, and what to do then.</summary>
    private static string? ForeignFormat(ReadOnlySpan<byte> start, string path)
    {
        ReadOnlySpan<byte> text =
            start.TrimStart((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf, (byte)' ', (byte)'\t', (byte)'\r', (byte)'\n']);
        string name = Path.GetFileName(path);
        if (start.StartsWith("version https://git-lfs"u8))
            return "is a git-lfs pointer and not the file itself; run: git lfs pull";
        if (text.StartsWith("<"u8))
            return "is a web page; download the file itself, the link led to a page about it";
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
            return "is compressed with gzip; unpack it first";
        if (start.Length > TarMagicOffset + 5 && start[TarMagicOffset..].StartsWith("ustar"u8))
            return "is a tar archive; unpack it, or load and save it with a newer PyTorch";
        if (start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F']))
            return "is a Keras (HDF5) file; convert its weights to safetensors";
        if (start.Length > 8 && start[4..].StartsWith("TFL3"u8))
            return "is a TensorFlow Lite file; convert its weights to safetensors";
        if (name.Contains(".ckpt.data-", StringComparison.Ordinal) || HasExtension(path, ".ckpt.meta")
            || HasExtension(path, ".pb") || HasExtension(path, ".index"))
            return "is a TensorFlow file; convert its variables to safetensors";
        if (HasExtension(path, ".onnx") && start[0] == 0x08)
            return "is an ONNX file; use the framework's own checkpoint";
        // The length of a header may begin with the same byte.
        if (text.StartsWith("{"u8) && !HasHeader(start))
            return "is a JSON file; name the file of weights, or the folder that holds both";
        return null;
    }

    private static bool HasExtension(string path, string extension) =>
        path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}
