namespace Atrous.Catalog;

/// <summary>How patient a pull is.</summary>
public sealed record PullOptions
{
    /// <summary>Tries per file, the first included.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>
    /// Before the second try; doubles from try to try. A server's Retry-After counts instead, up to
    /// <see cref="LongestWait"/>.
    /// </summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A try ends when nothing came for this long. There is no limit on the whole.</summary>
    public TimeSpan Inactivity { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>What a pull tells while it runs, on any thread, one call at a time.</summary>
public interface IPullReport
{
    /// <summary>Bytes of a file so far, those of earlier pulls included.</summary>
    /// <param name="file">The name of the file.</param>
    /// <param name="received">The number of bytes that are there so far, those of earlier pulls included.</param>
    /// <param name="total">Bytes; null where the server does not say.</param>
    void Received(string file, long received, long? total);

    /// <summary>Something that the user should know: a new try, a start from the beginning.</summary>
    /// <param name="message">One sentence without its full stop, which names the file or the model.</param>
    void Noted(string message);
}
