namespace Atrous;

/// <summary>
/// A network's scores are infinite or no numbers, so that no mask can be made of them: it overflowed the precision that
/// it was computed in, or its weights or the numbers that it was given are too large for any.
/// </summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
public sealed class ScoreException(string message) : AtrousException(message)
{
    internal ScoreException()
        : this("The network's scores are infinite or no numbers, and no mask can be made of them: its weights, or the "
            + "numbers that it was given, are too large.")
    {
    }

    /// <summary>The same of a network that was computed in half precision.</summary>
    internal static ScoreException OfHalfPrecision() => new(
        "The network's scores overflow fp16, whose largest number is 65,504, and no mask can be made of them; bf16 and "
        + "fp32 hold larger ones.")
    {
        Remedy = Remedy.ChangePrecision,
    };
}
