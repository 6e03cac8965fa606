using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Atrous.Cli.Output;

/// <summary>
/// Ctrl-C and its relatives: the first signal asks the command to stop after what it is doing; a second one, or
/// <see cref="Grace"/> without an end, stops the process at once, with the unfinished outputs removed.
/// </summary>
internal sealed partial class Interruption : IDisposable
{
    /// <summary>What GetCurrentProcess() returns.</summary>
    private const nint ThisProcess = -1;

    /// <summary>Signals of which the program `timeout` sends one to the process and one to all of its group.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _source = new();
    private readonly TemporaryFiles _temporaries;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Timer _deadline;
    private int _exitCode;
    private long _first;
    private Action? _hangUp;
    private TimeSpan _serviceDeadline;

    public Interruption(TemporaryFiles temporaries)
    {
        _temporaries = temporaries;
        _deadline = new Timer(_ => Quit());
        _registrations = [On(PosixSignal.SIGHUP, 129), On(PosixSignal.SIGINT, 130), On(PosixSignal.SIGTERM, 143)];
    }

    /// <summary>How long a command may take to end after the first signal.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>128 + the signal's number, or null where none came.</summary>
    public int? ExitCode => Volatile.Read(ref _exitCode) is var code and not 0 ? code : null;

    /// <summary>
    /// For a command that serves: the first SIGINT or SIGTERM cancels <see cref="Token"/> and leaves the rest to it,
    /// with no exit code of its own; a second one, or no end by the deadline, stops the process at once. SIGHUP has
    /// another meaning.
    /// </summary>
    /// <param name="hangUp">What SIGHUP does from now on, as often as it comes; it must not throw.</param>
    /// <param name="deadline">The longest time from the first signal to the end.</param>
    public void LeaveToService(Action hangUp, TimeSpan deadline)
    {
        _serviceDeadline = deadline;
        Volatile.Write(ref _hangUp, hangUp);
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _deadline.Dispose();
        _source.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal, int code) =>
        PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        if (Volatile.Read(ref _hangUp) is { } hangUp
            && (signal == PosixSignal.SIGHUP || !_source.IsCancellationRequested))
        {
            if (signal == PosixSignal.SIGHUP)
            {
                hangUp();
                return;
            }
            _deadline.Change(_serviceDeadline, Timeout.InfiniteTimeSpan);
            _source.Cancel();
            return;
        }
        long now = Stopwatch.GetTimestamp();
        if (Interlocked.CompareExchange(ref _first, now, 0) is var first and not 0
            && Stopwatch.GetElapsedTime(first, now) < Together)
            return;
        if (Interlocked.CompareExchange(ref _exitCode, code, 0) != 0 || _source.IsCancellationRequested)
        {
            Quit();
            return;
        }
        _deadline.Change(Grace, Timeout.InfiniteTimeSpan);
        _source.Cancel();
    });

    private void Quit()
    {
        _temporaries.Discard();
        Terminal.ShowCursor();
        // Not Environment.Exit: its handlers would run under native code that is still computing.
        if (OperatingSystem.IsWindows())
            _ = TerminateProcess(ThisProcess, (uint)_exitCode); // nobody is left to hear of a failure
        else
            ExitNow(_exitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int status);

    [LibraryImport("kernel32")]
    private static partial int TerminateProcess(nint process, uint exitCode);
}
