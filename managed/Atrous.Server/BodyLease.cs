using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>A body in memory. Dispose it when nothing reads it any more.</summary>
/// <param name="budget">What all bodies in memory share; it is charged as this one grows.</param>
/// <param name="client">The client whose body it is.</param>
/// <param name="most">The largest body that is taken; no more than one byte above it has room.</param>
internal sealed class BodyLease(BodyBudget budget, string client, long most) : IDisposable
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
        long wanted = Math.Min(Math.Max(least, 2L * _capacity), Math.Max(least, most + 1));
        int size = (int)Math.Min(wanted, Array.MaxLength);
        budget.Charge(client, size - _charged, size);
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
        budget.Refund(client, Interlocked.Exchange(ref _charged, 0));
    }
}
