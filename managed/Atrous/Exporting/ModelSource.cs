using Atrous.Checkpoints;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Exporting;

/// <summary>An open checkpoint with what Atrous makes of it, and no device: what every export starts from.</summary>
internal sealed class ModelSource : IDisposable
{
    private readonly Checkpoint _checkpoint;

    private ModelSource(Checkpoint checkpoint, SegmenterOptions options)
    {
        (_checkpoint, Description) = ModelInfo.Describe(checkpoint, options);
        Model = new Model(Description, _checkpoint);
        Info = ModelInfo.Of(_checkpoint, Description);
    }

    /// <summary>What the model is.</summary>
    public ModelInfo Info { get; }

    /// <summary>The dialect's description with the user's choices.</summary>
    public ModelDescription Description { get; }

    /// <summary>Builds the network's graph for any input size.</summary>
    public Model Model { get; }

    /// <summary>The file's tensors, by the file's names.</summary>
    public IWeightSource Weights => _checkpoint;

    /// <summary>Opens a checkpoint; reads names and shapes, no weights.</summary>
    /// <param name="path">
    /// The path of a model, as <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes it.
    /// </param>
    /// <param name="options">
    /// The output stride, dialect, switches, pre-processing and class names count; null for the defaults.
    /// </param>
    /// <exception cref="ModelException">The file is missing, broken, of no known dialect, or lacks weights.</exception>
    /// <exception cref="UnavailableException">The output stride, dialect or switch is not to be had.</exception>
    public static ModelSource Open(string path, SegmenterOptions? options = null)
    {
        Checkpoint checkpoint = Checkpoint.Open(path);
        try
        {
            return new ModelSource(checkpoint, options ?? new SegmenterOptions());
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public void Dispose() => _checkpoint.Dispose();
}
