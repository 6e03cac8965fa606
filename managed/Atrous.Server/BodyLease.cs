using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>A body in memory. Dispose it when nothing reads it any more.</summary>
/// <param name="budget">What all bodies in memory share; it is charged as this one grows.</param>
internal sealed class BodyLease(BodyBudget budget) : IDisposable
{
    private UnmanagedBytes? _bytes;
    private int _capacity;
    private long _charged;

    /// <summary>Bytes that were read.</summary>
    public int Length { get; set; }

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes?.Memory[..Length] ?? default;

    /// <summary>Where the next bytes go.</summary>
    public Memory<byte> Room => _bytes?.Memory[Length..] ?? default;

    /// <summary>Sees to it that some bytes have room.</summary>
    /// <exception cref="BadHttpRequestException">503: all bodies together would be too large.</exception>
    public void MakeRoom(int least)
    {
        if (_capacity > Length)
            return;
        int size = (int)Math.Min(Math.Max(least, 2L * _capacity), Array.MaxLength);
        budget.Charge(size - _charged);
        _charged = size;
        var larger = new UnmanagedBytes(size);
        Memory.CopyTo(larger.Memory);
        _bytes?.Free();
        (_bytes, _capacity) = (larger, size);
    }

    public void Dispose()
    {
        Length = 0;
        Interlocked.Exchange(ref _bytes, null)?.Free();
        budget.Refund(Interlocked.Exchange(ref _charged, 0));
    }
}

/// <summary>What all bodies in memory may hold together.</summary>
internal sealed class BodyBudget(ServerOptions options)
{
    private long _held;

    /// <summary>Bytes held now.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <exception cref="BadHttpRequestException">503: there is no room.</exception>
    public void Charge(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= options.Limits.MaxBufferedBytes)
            return;
        Interlocked.Add(ref _held, -bytes);
        throw new BadHttpRequestException(
            "Too many large bodies are being received at this moment; try again later.",
            StatusCodes.Status503ServiceUnavailable);
    }

    public void Refund(long bytes) => Interlocked.Add(ref _held, -bytes);
}
