using System.CommandLine;
using Atrous.Cli.Output;

namespace Atrous.Cli.Options;

/// <summary>The options that say where and how a network is run.</summary>
internal sealed class DeviceOptions
{
    private const string PrecisionNames = "fp32|tf32|fp16|bf16|int8";

    private readonly Option<string> _device = new("--device")
    {
        Description = "auto takes the best that there is; `atrous devices` lists them",
        HelpName = "auto|cpu[:n,...|:all]|reference|cuda[:n,...|:all]",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<Precision?> _precision = new("--precision")
    {
        Description =
            "Number format of weights and activations; fp32 unless given, and int8 for a model that was quantised",
        HelpName = PrecisionNames,
        CustomParser = result =>
        {
            string name = result.Tokens[0].Value;
            if (PrecisionNames.Split('|').Contains(name)
                && Enum.TryParse(name, ignoreCase: true, out Precision precision))
                return precision;
            result.AddError($"--precision takes {PrecisionNames}, not '{name}'.");
            return null;
        },
    };

    private readonly ThreadsOption _threads = new();

    public void AddTo(ToolCommand command)
    {
        command.Add(ToolCommand.Device, _device, _precision);
        _threads.AddTo(command);
    }

    /// <summary>The options with device, precision and threads filled in.</summary>
    public SegmenterOptions Read(ParseResult result, SegmenterOptions options) => _threads.Read(result, options) with
    {
        Device = result.IsGiven(_device) ? result.GetRequiredValue(_device) : options.Device,
        Precision = result.GetValue(_precision) ?? options.Precision,
    };
}
