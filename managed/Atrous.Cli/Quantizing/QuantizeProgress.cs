using Atrous.Cli.Output;
using Atrous.Quantizing;

namespace Atrous.Cli.Quantizing;

/// <summary>A line for each stage, and a bar of what is done where standard error is a terminal.</summary>
internal sealed class QuantizeProgress : IProgress<QuantizationProgress>
{
    private string _stage = "";

    public void Report(QuantizationProgress value)
    {
        bool isNew = value.Stage != _stage;
        _stage = value.Stage;
        if (!Console.IsErrorRedirected)
        {
            string end = value.Done == value.Total ? "\n" : "";
            Console.Error.Write($"\r\e[Katrous: {value.Stage}, {value.Done} of {value.Total}{end}");
        }
        else if (isNew)
        {
            Terminal.Message(value.Stage);
        }
    }
}
