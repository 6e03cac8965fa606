using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>What an answer takes beside the masks, and how much of it there may be.</summary>
/// <param name="HeldPerPixel">The number of bytes of a pixel that it keeps in memory.</param>
internal sealed record AnswerCost(int HeldPerPixel)
{
    /// <summary>Of JSON in one buffer: no array is longer, and what is around the numbers has room too.</summary>
    private const long MostJson = int.MaxValue - (1 << 26);

    /// <summary>What the writer of JSON takes as one text: a billion characters, when each is escaped.</summary>
    private const int MostText = 166_666_666;

    /// <summary>The longest escape of a byte of text.</summary>
    private const int Escape = 6;

    /// <summary>Bytes of a pixel in JSON that is held as a whole, at most.</summary>
    public int JsonPerPixel { get; init; }

    /// <summary>There are texts in the JSON.</summary>
    public bool HasJsonText { get; init; }

    /// <summary>The JSON is held as a whole.</summary>
    public bool HoldsJson { get; init; }

    /// <summary>Refuses JSON that is more than one buffer can hold, before it is made.</summary>
    /// <param name="pixels">Those of all pictures.</param>
    /// <exception cref="ProtocolException">It is.</exception>
    public void Check(long pixels)
    {
        if (pixels * JsonPerPixel > MostJson)
            throw TooLong();
    }

    /// <summary>Refuses texts that JSON cannot hold.</summary>
    /// <param name="pixels">Those of all pictures.</param>
    /// <param name="lengths">The lengths of the texts in bytes.</param>
    /// <exception cref="ProtocolException">It cannot.</exception>
    public void Check(long pixels, IReadOnlyList<int> lengths)
    {
        if (!HasJsonText)
            return;
        if (lengths.Any(length => length > MostText))
            throw new ProtocolException(
                $"The outlines of a picture are {lengths.Max()} bytes, and {MostText} are the most in JSON; ask for "
                + "them with binary_data, or send a smaller picture.",
                StatusCodes.Status413PayloadTooLarge);
        if (HoldsJson && pixels * JsonPerPixel + lengths.Sum(length => (long)length * Escape) > MostJson)
            throw TooLong();
    }

    private static ProtocolException TooLong() => new(
        "The JSON before binary outputs would be more than 2 GB; ask for all outputs with binary_data, or send less at "
        + "a time.", StatusCodes.Status413PayloadTooLarge);
}
