using System.CommandLine;
using Atrous.Cli.Output;

namespace Atrous.Cli.Options;

/// <summary>The options that say where and how a network is run.</summary>
internal sealed class DeviceOptions
{
    private const string PrecisionNames = "fp32|tf32|fp16|bf16";

    private readonly Option<string> _device = new("--device")
    {
        Description = "auto takes the best that there is; `atrous devices` lists them",
        HelpName = "auto|cpu|reference|cuda[:n,...|:all]",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<Precision?> _precision = new("--precision")
    {
        Description = "Number format of weights and activations; fp32 unless given",
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

    private readonly Option<int?> _threads = new("--threads")
    {
        Description = "Threads of the CPU backend; one per core unless given",
        HelpName = "N",
        CustomParser = result => Numbers.Parse(result, 1, 1024, "a number from 1 to 1024"),
    };

    public void AddTo(ToolCommand command) => command.Add(ToolCommand.Device, _device, _precision, _threads);

    /// <summary>The options with device, precision and threads filled in.</summary>
    public SegmenterOptions Read(ParseResult result, SegmenterOptions options) => options with
    {
        Device = result.GetRequiredValue(_device),
        Precision = result.GetValue(_precision) ?? Precision.Fp32,
        Threads = result.GetValue(_threads) ?? 0,
    };
}
