using Microsoft.Extensions.Logging;

namespace Atrous.Hosting.Lifecycle;

/// <summary>What the log says of models.</summary>
internal static partial class Log
{
    [LoggerMessage(
        1, LogLevel.Information, "Model {Model} is ready (load {Generation}, {Path}, on {Device}, {Seconds:0.00} s)")]
    public static partial void Loaded(
        ILogger logger, string model, int generation, string path, string device, double seconds);

    [LoggerMessage(2, LogLevel.Error, "Model {Model} cannot be loaded: {Reason}")]
    public static partial void LoadFailed(ILogger logger, string model, string reason);

    [LoggerMessage(3, LogLevel.Error, "Model {Model} cannot be reloaded and goes on as it was: {Reason}")]
    public static partial void ReloadFailed(ILogger logger, string model, string reason);

    [LoggerMessage(4, LogLevel.Information, "Model {Model} is unloaded")]
    public static partial void Unloaded(ILogger logger, string model);

    [LoggerMessage(5, LogLevel.Warning, "Model {Model} has more tensors than its network: {Selection}")]
    public static partial void Selected(ILogger logger, string model, string selection);

    [LoggerMessage(6, LogLevel.Information, "Model {Model} does not say, so that it is assumed: {Assumptions}")]
    public static partial void Assumed(ILogger logger, string model, string assumptions);
}
