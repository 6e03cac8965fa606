using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.Rpc;

/// <summary>
/// The messages of a call, within the limits that bodies of HTTP have: a message is charged to what all bodies in
/// memory share as it comes, and with what reading it takes when it is whole; it has a time, and a size that is known
/// before it comes.
/// </summary>
/// <param name="inner">The body as Kestrel gives it.</param>
/// <param name="budget">What all bodies in memory share.</param>
/// <param name="client">The client whose call it is.</param>
/// <param name="limits">Say how long a message may take.</param>
/// <param name="mostBytes">The largest message of the call.</param>
/// <param name="costOf">What reading a message takes; null where it is small.</param>
internal sealed class MeteredBody(
    PipeReader inner, BodyBudget budget, string client, ServerLimits limits, long mostBytes,
    Func<ReadOnlySequence<byte>, long>? costOf) : PipeReader, IDisposable
{
    /// <summary>Before each message: whether it is compressed, and its length.</summary>
    private const int HeaderBytes = 5;

    private readonly Lock _lock = new();
    private ReadOnlySequence<byte> _buffer;
    private long _charged, _held, _weighed;
    private bool _any, _disposed;

    /// <summary>How long the message that is coming has been waited for.</summary>
    private TimeSpan _waited;

    /// <summary>Gives back what the messages took that were read until now: nobody holds them any more.</summary>
    public void Release()
    {
        lock (_lock)
        {
            budget.Refund(client, _charged);
            (_charged, _weighed) = (0, 0);
        }
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Between two messages of a stream a client may take its time.
        bool isTimed = !_any || _held > 0;
        if (isTimed)
            deadline.CancelAfter(_waited < limits.BodyTimeout ? limits.BodyTimeout - _waited : TimeSpan.Zero);
        long start = Stopwatch.GetTimestamp();
        try
        {
            ReadResult result = await inner.ReadAsync(deadline.Token);
            if (isTimed)
                _waited += Stopwatch.GetElapsedTime(start);
            Account(result.Buffer);
            return result;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested
            && deadline.IsCancellationRequested)
        {
            throw new RpcException(new Status(
                StatusCode.DeadlineExceeded,
                $"The message came too slowly: it has {limits.BodyTimeout.TotalSeconds:0.###} s in all."));
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
            return false;
        Account(result.Buffer);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long taken = _buffer.Slice(0, consumed).Length;
        _held -= taken;
        if (taken > 0)
            (_weighed, _waited) = (0, TimeSpan.Zero);
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
        }
        Release();
    }

    private void Account(ReadOnlySequence<byte> buffer)
    {
        _buffer = buffer;
        _any |= !buffer.IsEmpty;
        Charge(buffer.Length - _held, buffer.Length);
        _held = buffer.Length;
        if (buffer.Length < HeaderBytes)
            return;
        Span<byte> header = stackalloc byte[HeaderBytes];
        buffer.Slice(0, HeaderBytes).CopyTo(header);
        long length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > mostBytes)
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"The message has {length} bytes, and {mostBytes} are allowed."));
        if (costOf is null || buffer.Length < HeaderBytes + length || _weighed > 0)
            return;
        _weighed = costOf(buffer.Slice(HeaderBytes, length)) + 1;
        if (_weighed > budget.MostOfClient)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"Reading the message would take {_weighed >> 20} MiB of memory, and a client's messages have "
                + $"{budget.MostOfClient >> 20} MiB; send pixels as raw_input_contents."));
        }
        Charge(_weighed, _weighed);
    }

    private void Charge(long bytes, long size)
    {
        if (bytes <= 0)
            return;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                budget.Charge(client, bytes, size);
            }
            catch (BadHttpRequestException e)
            {
                throw RpcFailure.Exception(e.StatusCode, e.Message);
            }
            _charged += bytes;
        }
    }
}
