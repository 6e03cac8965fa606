using Spectre.Console;

namespace Atrous.Cli.Output;

/// <summary>A progress bar on standard error, where that is a terminal.</summary>
internal sealed class ProgressBar
{
    private readonly IAnsiConsole _console;
    private readonly ProgressTask _task;

    private ProgressBar(IAnsiConsole console, ProgressTask task) => (_console, _task) = (console, task);

    /// <summary>Does the work, which gets the bar; null where there is no terminal.</summary>
    /// <param name="title">A word before the bar that says what is done, such as "evaluating".</param>
    /// <param name="steps">How often <see cref="Step"/> will be called; null where nobody knows.</param>
    /// <param name="work">What is done while the bar is shown; it steps the bar, null where there is none.</param>
    public static void Around(string title, int? steps, Action<ProgressBar?> work)
    {
        if (Console.IsErrorRedirected)
        {
            work(null);
            return;
        }
        IAnsiConsole console = Terminal.Rich(Console.Error, isRedirected: false);
        console.Progress()
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(title, maxValue: steps ?? 1);
                task.IsIndeterminate = steps is null;
                work(new ProgressBar(console, task));
                task.StopTask();
            });
    }

    public void Step() => _task.Increment(1);

    /// <summary>Says how many steps are done, and what stands before the bar from now on.</summary>
    public void Reach(int steps, string title)
    {
        _task.Description = title;
        if (!_task.IsIndeterminate)
            _task.Value = steps;
    }

    /// <summary>
    /// As <see cref="Terminal.Message"/>, through the console that draws the bar, which makes room for the line.
    /// </summary>
    public void Message(string message) => Line($"atrous: {message}");

    /// <summary>A line above the bar.</summary>
    public void Line(string line) => _console.WriteLine(Terminal.OneLine(line));
}
