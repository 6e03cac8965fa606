namespace Atrous.Cli.Videos;

/// <summary>The unit in which a video counts time: so many seconds as a fraction.</summary>
/// <param name="Numerator">Upper part of the fraction, 1 for most videos.</param>
/// <param name="Denominator">Lower part of the fraction, such as 90000.</param>
internal readonly record struct TimeBase(int Numerator, int Denominator)
{
    /// <summary>The seconds of so many units.</summary>
    public double Seconds(long units) => (double)units * Numerator / Denominator;
}
