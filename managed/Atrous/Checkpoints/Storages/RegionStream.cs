using Atrous.Files;

namespace Atrous.Checkpoints.Storages;

/// <summary>A region from an offset to its end.</summary>
internal sealed class RegionStream(ByteRegion region, long offset) : ForwardStream
{
    private long _offset = offset;

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, region.Length - _offset);
        region.Read(_offset, buffer[..count]);
        _offset += count;
        return count;
    }
}
