namespace Atrous.Tests.Imaging.Maps;

/// <summary>A file on a disk that fails once.</summary>
internal sealed class FailingStream(byte[] file) : MemoryStream(file)
{
    private int _left = -1;

    /// <summary>How often it was read since <see cref="FailIn"/>.</summary>
    public int Reads { get; private set; }

    /// <summary>Fails after so many more reads.</summary>
    public void FailIn(int reads) => (_left, Reads) = (reads, 0);

    public override int Read(Span<byte> buffer)
    {
        Reads++;
        return _left-- == 0 ? throw new IOException("Input/output error") : base.Read(buffer);
    }
}
