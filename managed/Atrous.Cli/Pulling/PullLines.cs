using Atrous.Cli.Output;

namespace Atrous.Cli.Pulling;

/// <summary>
/// For logs: a line at a file's beginning and end, and at most one in <see cref="Interval"/> between.
/// </summary>
internal sealed class PullLines : PullReport
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private string? _file;
    private long _next;

    public override void Received(string file, long received, long? total)
    {
        if (file == _file && received != total && Environment.TickCount64 < _next)
            return;
        (_file, _next) = (file, Environment.TickCount64 + (long)Interval.TotalMilliseconds);
        Terminal.Message(total is { } all
            ? $"{file}: {Numbers.Megabytes(received)} of {Numbers.Megabytes(all)}"
            : $"{file}: {Numbers.Megabytes(received)}");
    }

    public override void Noted(string message) => Terminal.Message(message);
}
