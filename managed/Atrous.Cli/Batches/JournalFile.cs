using System.Buffers;

namespace Atrous.Cli.Batches;

/// <summary>Reads the lines that a <see cref="Journal"/> wrote.</summary>
internal static class JournalFile
{
    private const int LongestLine = 64 << 20, Piece = 1 << 16;

    /// <summary>The lines, one after the other. The rest of a line whose run was killed is left out.</summary>
    /// <param name="stream">The file, from its beginning.</param>
    /// <param name="path">What errors call it.</param>
    /// <param name="end">Is told the length of the whole lines, at the end.</param>
    /// <exception cref="CommandException">A line is none of a run.</exception>
    public static IEnumerable<JournalLine> Read(Stream stream, string path, Action<long> end)
    {
        var line = new ArrayBufferWriter<byte>();
        var buffer = new byte[Piece];
        long whole = 0;
        int number = 1;
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            for (int start = 0; start < count;)
            {
                int length = buffer.AsSpan(start, count - start).IndexOf((byte)'\n');
                line.Write(buffer.AsSpan(start, length < 0 ? count - start : length));
                if (line.WrittenCount > LongestLine)
                    throw NoLine(path, number);
                if (length < 0)
                    break;
                start += length + 1;
                yield return JournalLine.Parse(line.WrittenMemory) ?? throw NoLine(path, number);
                whole += line.WrittenCount + 1;
                number++;
                line.ResetWrittenCount();
            }
        }
        // Of a machine that lost its power the end can be there without its bytes.
        if (line.WrittenCount > 0 && line.WrittenSpan[0] is not ((byte)'{' or 0))
            throw NoLine(path, number);
        end(whole);
    }

    private static CommandException NoLine(string path, int number) => new(
        ExitCode.Usage,
        $"{path}: line {number} is none that --jsonl wrote; name another file, or remove this one.");
}
