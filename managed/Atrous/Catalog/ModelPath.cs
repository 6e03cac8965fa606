namespace Atrous.Catalog;

/// <summary>The one place that knows what a model may be called.</summary>
public static class ModelPath
{
    private static readonly string[] Extensions = [".safetensors", ".pth", ".pt", ".ckpt", ".pkl", ".bin", ".tar"];

    /// <summary>
    /// What <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes: the file or folder of this path where there
    /// is one, else the model in the box or the pulled model of this name.
    /// </summary>
    /// <param name="model">A path or a name.</param>
    /// <exception cref="ModelException">
    /// The model has not been pulled, or there is neither such a file nor such a name.
    /// </exception>
    /// <exception cref="UnavailableException">The catalog of ATROUS_CATALOG cannot be read.</exception>
    public static string Resolve(string model)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        if (Path.Exists(model))
            return model;
        if (model == DefaultModel.Name)
            return DefaultModel.Existing();
        if (model != Path.GetFileName(model))
            return model;
        if (PublishedModels.Open().Find(model) is { } entry)
        {
            var cache = ModelCache.Default();
            return cache.StateOf(entry) == PullState.Pulled
                ? cache.PathOf(entry)
                : throw new ModelException($"The model '{model}' is published, but not on this machine.")
                {
                    Remedy = Remedy.PullModel,
                    ModelName = model,
                };
        }
        // What looks like a file gets the sentence about a missing file from whoever opens it.
        return Extensions.Contains(Path.GetExtension(model).ToLowerInvariant())
            ? model
            : throw new ModelException($"There is no file '{model}', and no model of that name.")
            {
                Remedy = Remedy.ListModels,
            };
    }
}
