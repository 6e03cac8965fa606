using System.Runtime.CompilerServices;

namespace Atrous.Hosting.Scheduling;

/// <summary>
/// A thread that runs a device's batches, so that runs of a second do not take threads from the pool, which would
/// then be slow to answer everything else.
/// </summary>
internal sealed class DeviceThread : IDisposable
{
    private readonly AutoResetEvent _given = new(initialState: false);
    private readonly Action<Batch> _run;
    private readonly Thread _thread;
    private Batch? _next;
    private volatile bool _ended;

    public DeviceThread(string device, Action<Batch> run)
    {
        _run = run;
        _thread = new Thread(Loop) { IsBackground = true, Name = $"atrous {device}" };
        _thread.UnsafeStart();
    }

    /// <summary>Gives it a batch; only when the last one has ended.</summary>
    public void Run(Batch batch)
    {
        Volatile.Write(ref _next, batch);
        _given.Set();
    }

    /// <summary>Ends the thread once what runs has ended.</summary>
    public void Dispose()
    {
        _ended = true;
        _given.Set();
        if (Thread.CurrentThread != _thread)
            _thread.Join();
        _given.Dispose();
    }

    private void Loop()
    {
        while (true)
        {
            _given.WaitOne();
            if (_ended)
                return;
            RunNext();
        }
    }

    /// <summary>
    /// Apart from the loop, whose frame would keep the last batch, and with it a mask as large as its picture, until
    /// the next one comes. The next one may be given before this one's run returns, while it answers its requests.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RunNext() => _run(Interlocked.Exchange(ref _next, null)!);
}
