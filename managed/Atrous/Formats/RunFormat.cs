using Atrous.Postprocessing;

namespace Atrous.Formats;

/// <summary>A format with one file for all pictures of a run.</summary>
/// <param name="Name">The name that the tool and requests use.</param>
/// <param name="File">The file's name, in the folder of the masks.</param>
/// <param name="Open">Begins the file in a stream.</param>
internal sealed record RunFormat(string Name, string File, Func<Stream, RunClasses, RunWriter> Open)
{
    /// <summary>The file is the same whatever pictures there are.</summary>
    public bool HasClassesAlone { get; init; }

    /// <summary>The files of a run's parts can be joined, so that each part writes its own.</summary>
    public bool IsJoined { get; init; }
}

/// <summary>The classes of a run's model.</summary>
/// <param name="Names">The name of each class, from class 0 on.</param>
/// <param name="Palette">The colours of the classes.</param>
internal sealed record RunClasses(IReadOnlyList<string> Names, Palette Palette)
{
    /// <summary>The part of a run, as "0/8", and how many pictures all parts have; null for a whole run.</summary>
    public (string Name, int Pictures)? Part { get; init; }

    public static RunClasses Of(Segmentation mask, Palette palette) =>
        new([.. Enumerable.Range(0, mask.Classes).Select(mask.NameOf)], palette);

    public static RunClasses Of(ModelInfo model, Palette? palette) => new(
        [.. Enumerable.Range(0, model.Classes).Select(
            label => label < model.ClassNames.Count ? model.ClassNames[label] : $"class {label}")],
        palette ?? model.Palette ?? Palette.For(model.ClassNames));
}

/// <summary>Writes a file about all pictures, one after the other, without holding them.</summary>
internal abstract class RunWriter : IDisposable
{
    public abstract void Add(AnnotatedPicture picture);

    /// <summary>Ends the file. What was added until then is in it.</summary>
    public abstract void Dispose();
}
