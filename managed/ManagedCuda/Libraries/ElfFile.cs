namespace Atrous.ManagedCuda.Libraries;

/// <summary>What a shared library of Linux says of the folders that it opens others from.</summary>
internal static class ElfFile
{
    private const uint Magic = 0x464C457F;
    private const int Load = 1, Dynamic = 2, StringTable = 5, RPath = 15, RunPath = 29;

    /// <summary>
    /// Whether libraries that it opens by their bare names are looked for in its own folder. False for a file that
    /// cannot be read.
    /// </summary>
    public static bool LooksBesideItself(string path) =>
        RunPathOf(path)?.Split(':').Any(folder => folder is "$ORIGIN" or "${ORIGIN}" or "$ORIGIN/.") == true;

    /// <summary>Its DT_RUNPATH, or the older DT_RPATH; null where it has neither or is no 64-bit library.</summary>
    public static string? RunPathOf(string path)
    {
        try
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            return Read(reader);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? Read(BinaryReader reader)
    {
        if (reader.ReadUInt32() != Magic || reader.ReadUInt16() != 0x0102)
            return null;
        long headers = At(reader, 32).ReadInt64();
        int size = At(reader, 54).ReadUInt16(), count = reader.ReadUInt16();
        var loads = new List<(long Address, long Offset, long Bytes)>();
        (long Offset, long Bytes) dynamic = default;
        for (int i = 0; i < count; i++)
        {
            int type = At(reader, headers + (long)i * size).ReadInt32();
            reader.ReadInt32();
            long offset = reader.ReadInt64(), address = reader.ReadInt64();
            reader.ReadInt64();
            long bytes = reader.ReadInt64();
            if (type == Load)
                loads.Add((address, offset, bytes));
            else if (type == Dynamic)
                dynamic = (offset, bytes);
        }
        long strings = -1, run = -1, old = -1;
        At(reader, dynamic.Offset);
        for (long entry = 0; entry < dynamic.Bytes / 16; entry++)
        {
            (long tag, long value) = (reader.ReadInt64(), reader.ReadInt64());
            if (tag == StringTable)
                strings = value;
            else if (tag == RunPath)
                run = value;
            else if (tag == RPath)
                old = value;
            else if (tag == 0)
                break;
        }
        long name = run >= 0 ? run : old;
        int part = loads.FindIndex(load => strings >= load.Address && strings < load.Address + load.Bytes);
        if (name < 0 || part < 0)
            return null;
        At(reader, strings - loads[part].Address + loads[part].Offset + name);
        var text = new List<char>();
        for (byte next = reader.ReadByte(); next != 0; next = reader.ReadByte())
            text.Add((char)next);
        return new string([.. text]);
    }

    private static BinaryReader At(BinaryReader reader, long offset)
    {
        reader.BaseStream.Seek(offset, SeekOrigin.Begin);
        return reader;
    }
}
