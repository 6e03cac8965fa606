using System.CommandLine;
using Atrous.Cli.Output;
using Atrous.Specs;

namespace Atrous.Cli.Options;

/// <summary>
/// --size of the commands that check and measure: what the network sees, and how large the picture is that they make.
/// </summary>
internal sealed class NetworkSizeOption
{
    private readonly Option<(int Height, int Width)?> _size = new("--size")
    {
        Description =
            "Size that the network sees; the pre-processing's own unless given, of a picture of 513x513 where none " +
            "is named",
        HelpName = "HxW",
        CustomParser = result => Numbers.ParseSize(result),
    };

    public void AddTo(ToolCommand command) => command.Add(ToolCommand.Input, _size);

    /// <summary>What was given, or null.</summary>
    public (int Height, int Width)? Of(ParseResult result) => result.GetValue(_size);

    /// <summary>
    /// The options with the pre-processing stretching every picture to the size, where one was given.
    /// </summary>
    /// <exception cref="ModelException">The model cannot be read.</exception>
    public SegmenterOptions Read(ParseResult result, string model, SegmenterOptions options)
    {
        if (Of(result) is not { } size)
            return options;
        PreprocessingSpec spec = ModelInfo.Read(model, options).Preprocessing;
        return options with
        {
            Preprocessing = spec with { Resize = new ResizePolicy.Stretch(size.Height, size.Width) },
        };
    }
}
