namespace Atrous.Hosting;

/// <summary>What one request wants.</summary>
public sealed record RequestOptions
{
    /// <summary>Nothing out of the ordinary.</summary>
    public static RequestOptions Default { get; } = new();

    /// <summary>Also compute the softmax probability of every pixel's class.</summary>
    public bool Confidence { get; init; }

    /// <summary>
    /// 1 is served first; 0 takes <see cref="BatchingOptions.DefaultPriority"/>. A waiting request of a higher level
    /// always goes before one of a lower level.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>
    /// The longest time from call to result; null takes <see cref="BatchingOptions.Timeout"/>, and a longer one is cut
    /// to that.
    /// </summary>
    public TimeSpan? Timeout { get; init; }
}
