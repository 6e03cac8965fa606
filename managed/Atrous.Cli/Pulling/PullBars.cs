using Atrous.Cli.Output;
using Spectre.Console;

namespace Atrous.Cli.Pulling;

/// <summary>For people: a bar for every file.</summary>
internal sealed class PullBars : PullReport
{
    private readonly Dictionary<string, ProgressTask> _tasks = [];
    private IAnsiConsole? _console;
    private ProgressContext? _context;

    public override void Around(Action work)
    {
        _console = Terminal.Rich(Console.Error, isRedirected: false);
        _console.Progress()
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(),
                new TransferSpeedColumn(),
                new RemainingTimeColumn())
            .Start(context =>
            {
                _context = context;
                work();
            });
    }

    public override void Received(string file, long received, long? total)
    {
        if (!_tasks.TryGetValue(file, out ProgressTask? task))
            _tasks.Add(file, task = _context!.AddTask(Markup.Escape(file)));
        task.IsIndeterminate = total is null;
        task.MaxValue = total ?? Math.Max(received, 1);
        task.Value = received;
    }

    // Through the console that draws the bars, which makes room for the line.
    public override void Noted(string message) => _console!.WriteLine($"atrous: {Terminal.OneLine(message)}");
}
