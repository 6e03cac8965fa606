using Microsoft.Extensions.Logging;

namespace Atrous;

/// <summary>The sentences that a segmenter says to its logger; nothing where there is none.</summary>
internal sealed partial class SegmenterLog(ILogger? logger)
{
    public void Loaded(ModelInfo model, string device, string? passedOver)
    {
        if (logger is null)
            return;
        if (passedOver is not null)
            PassedOver(logger, device, passedOver);
        Loaded(logger, model.Path, model.Architecture, model.Backbone, model.Classes, device);
        if (model.Selection is { Length: > 0 } selection)
            Selected(logger, model.Path, selection);
    }

    public void FirstRun(NetworkKey key, string device)
    {
        if (logger is not null)
            FirstRun(logger, key.Height, key.Width, key.Input.Batch, device);
    }

    /// <summary>
    /// A device is lost and others go on: said on standard error where there is no logger, as nobody else tells.
    /// </summary>
    public void Lost(string sentence)
    {
        if (logger is null)
            Console.Error.WriteLine($"warning: {sentence}");
        else
            Lost(logger, sentence);
    }

    [LoggerMessage(5, LogLevel.Error, "{Sentence}")]
    private static partial void Lost(ILogger logger, string sentence);

    [LoggerMessage(
        1, LogLevel.Information,
        "Loaded {Path}: {Architecture} on {Backbone}, {Classes} classes, on device {Device}.")]
    private static partial void Loaded(
        ILogger logger, string path, string architecture, string backbone, int classes, string device);

    [LoggerMessage(4, LogLevel.Warning, "{Path} has more tensors than the network: {Selection}")]
    private static partial void Selected(ILogger logger, string path, string selection);

    [LoggerMessage(2, LogLevel.Warning, "The device {Device} is used in place of a better one. {Reason}")]
    private static partial void PassedOver(ILogger logger, string device, string reason);

    [LoggerMessage(
        3, LogLevel.Debug,
        "First run for pictures of {Height}x{Width}, {Batch} at a time, on device {Device}.")]
    private static partial void FirstRun(ILogger logger, int height, int width, int batch, string device);
}
