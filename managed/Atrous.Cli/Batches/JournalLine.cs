using System.Text;
using System.Text.Json;

namespace Atrous.Cli.Batches;

/// <summary>What later runs and `atrous merge` need of a line.</summary>
/// <param name="Name">The picture below the folder that was given, with slashes.</param>
/// <param name="Text">The whole line, without its end.</param>
internal sealed record JournalLine(string Name, string Text)
{
    /// <summary>The exit code of what failed; null where the picture is done.</summary>
    public int? ExitCode { get; private init; }

    public bool IsDone => ExitCode is null;

    /// <summary>The picture's hash; null where the picture failed.</summary>
    public string? Input { get; private init; }

    /// <summary>The stamp of model and options; null where the picture failed.</summary>
    public string? Run { get; private init; }

    /// <summary>The part that it belongs to, as "0/8"; null where the run had no parts.</summary>
    public string? Shard { get; private init; }

    /// <summary>How many pictures there are in all parts.</summary>
    public int Pictures { get; private init; }

    /// <summary>Null for what is no line of a run.</summary>
    public static JournalLine? Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8);
            JsonElement line = document.RootElement;
            bool failed = line.TryGetProperty("error", out _);
            if (line.GetProperty("name").GetString() is not { } name
                || !failed && line.GetProperty("run").GetString() is null)
                return null;
            return new JournalLine(name, Encoding.UTF8.GetString(utf8.Span))
            {
                ExitCode = failed ? line.GetProperty("exitCode").GetInt32() : null,
                Input = failed ? null : line.GetProperty("sha256").GetString(),
                Run = failed ? null : line.GetProperty("run").GetString(),
                Shard = line.TryGetProperty("shard", out JsonElement shard) ? shard.GetString() : null,
                Pictures = line.GetProperty("pictures").GetInt32(),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            return null;
        }
    }
}
