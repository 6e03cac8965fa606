using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Atrous.Hosting;

/// <summary>Says what is wrong with <see cref="AtrousOptions"/>, one sentence each.</summary>
internal sealed partial class AtrousOptionsValidator : IValidateOptions<AtrousOptions>
{
    public ValidateOptionsResult Validate(string? name, AtrousOptions options)
    {
        string[] failures = [.. Failures(options)];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(AtrousOptions options)
    {
        if (options.Models.Count == 0)
            yield return "No model is configured; add one with AtrousOptions.AddModel.";
        if (options.DefaultModel is { } chosen && !options.Models.ContainsKey(chosen))
            yield return $"The default model '{chosen}' is not among the models " +
                $"({string.Join(", ", options.Models.Keys)}).";
        if (options.MaxPixels is < 1 or > int.MaxValue / 4)
            yield return $"MaxPixels is {options.MaxPixels}; it is a number from 1 to {int.MaxValue / 4}.";
        if (options.MaxNetworkPixels is < 1 or > int.MaxValue / 4)
            yield return $"MaxNetworkPixels is {options.MaxNetworkPixels}; it is a number from 1 to " +
                $"{int.MaxValue / 4}.";
        if (options.MaxPictureBytes < 1)
            yield return $"MaxPictureBytes is {options.MaxPictureBytes}; it is at least 1, or null.";
        foreach ((string name, ModelOptions model) in options.Models)
        {
            foreach (string failure in Failures(name, model))
                yield return $"Model '{name}': {failure}";
        }
    }

    private static IEnumerable<string> Failures(string name, ModelOptions model)
    {
        if (!Name().IsMatch(name))
            yield return "a name has 1 to 128 letters, digits, dots, hyphens and underscores, and begins with a " +
                "letter or digit.";
        if (string.IsNullOrWhiteSpace(model.Path))
            yield return "it has no path; name a checkpoint file or folder.";
        if (model.Segmenter is null || model.Batching is null || model.WarmUp is null)
        {
            yield return "Segmenter, Batching and WarmUp cannot be null; leave them out for the defaults.";
            yield break;
        }
        if (!(model.Weight is > 0 and <= 1000))
            yield return $"Weight is {model.Weight}; it is a number above 0, up to 1000.";
        if (model.WarmUp.Any(size => size.Height is < 1 or > 16384 || size.Width is < 1 or > 16384))
            yield return "WarmUp has a size whose sides are not 1 to 16384 pixels.";
        if (model.Segmenter.CachedShapes < 1)
            yield return $"Segmenter.CachedShapes is {model.Segmenter.CachedShapes}; it is at least 1.";
        if (model.Segmenter.Threads < 0)
            yield return $"Segmenter.Threads is {model.Segmenter.Threads}; it is at least 1, or 0 for one per core.";
        foreach (string failure in Failures(model.Batching))
            yield return failure;
    }

    private static IEnumerable<string> Failures(BatchingOptions batching)
    {
        if (batching.MaxBatch is < 1 or > 1024)
            yield return $"Batching.MaxBatch is {batching.MaxBatch}; it is a number from 1 to 1024.";
        if (batching.QueueLimit is < 1 or > 1_000_000)
            yield return $"Batching.QueueLimit is {batching.QueueLimit}; it is a number from 1 to 1000000.";
        if (batching.QueueLimit < batching.MaxBatch)
            yield return $"Batching.QueueLimit ({batching.QueueLimit}) is below MaxBatch ({batching.MaxBatch}), so " +
                $"that no batch would ever be full.";
        if (batching.MaxDelay < TimeSpan.Zero || batching.MaxDelay > TimeSpan.FromMinutes(1))
            yield return $"Batching.MaxDelay is {batching.MaxDelay}; it is from zero to a minute.";
        if (batching.Timeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > TimeSpan.FromDays(1)))
            yield return $"Batching.Timeout is {timeout}; it is above zero, up to a day, or null for no limit.";
        if (batching.PriorityLevels is < 1 or > 100)
            yield return $"Batching.PriorityLevels is {batching.PriorityLevels}; it is a number from 1 to 100.";
        else if (batching.DefaultPriority < 1 || batching.DefaultPriority > batching.PriorityLevels)
            yield return $"Batching.DefaultPriority is {batching.DefaultPriority}; it is a level from 1 to " +
                $"{batching.PriorityLevels}.";
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z")]
    private static partial Regex Name();
}
