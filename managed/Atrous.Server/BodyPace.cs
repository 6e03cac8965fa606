namespace Atrous.Server;

/// <summary>
/// How fast a body comes, decompressed, in one stretch of time after the other: what came in a burst at the beginning
/// does not make up for dripping afterwards.
/// </summary>
/// <param name="least">The bytes that a second must bring.</param>
/// <param name="time">The clock that it goes by.</param>
internal sealed class BodyPace(double least, TimeProvider time)
{
    private static readonly TimeSpan Stretch = TimeSpan.FromSeconds(10);

    private long _begun = time.GetTimestamp();
    private long _came;

    /// <summary>Counts bytes that came; false where a stretch of ten seconds had too few.</summary>
    public bool Keeps(int bytes)
    {
        _came += bytes;
        TimeSpan elapsed = time.GetElapsedTime(_begun);
        if (elapsed < Stretch)
            return true;
        bool enough = _came >= least * elapsed.TotalSeconds;
        (_begun, _came) = (time.GetTimestamp(), 0);
        return enough;
    }
}
