using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Imaging;
using Atrous.Verification;

namespace Atrous.Cli.Verifying;

/// <summary>What was compared, and with what result.</summary>
/// <param name="Model">The description of the model that was compared.</param>
/// <param name="Options">The options with which the model was loaded on the device in question.</param>
/// <param name="Device">The device in question.</param>
/// <param name="Judge">The device that is trusted.</param>
/// <param name="Tolerance">What the precision may cost.</param>
/// <param name="Pictures">The comparison of each picture, of which there is at least one.</param>
/// <param name="Layers">The first picture's comparison of each layer; empty where it was not asked for.</param>
internal sealed record VerifyResult(
    ModelInfo Model, SegmenterOptions Options, string Device, string Judge, VerificationTolerance Tolerance,
    IReadOnlyList<VerifiedPicture> Pictures, IReadOnlyList<LayerVerification> Layers)
{
    /// <summary>The first layer, in the order in which they run, that exceeds the tolerance.</summary>
    public LayerVerification? FirstAbove => Layers.FirstOrDefault(layer => !Tolerance.Allows(layer.Error));

    /// <summary>Every picture and every layer is within the tolerance.</summary>
    public bool IsWithin => Pictures.All(picture => Allows(picture.Result)) && FirstAbove is null;

    public bool Allows(PictureVerification picture) =>
        Tolerance.Allows(picture.Scores) && Tolerance.Allows(picture.Labels);
}

/// <summary>One picture's comparison.</summary>
internal sealed record VerifiedPicture(string Name, int Height, int Width, PictureVerification Result);

/// <summary>Compares picture by picture; the first bad one ends it.</summary>
internal sealed class VerifyRun(CancellationToken cancellationToken)
{
    private const int UsualSide = 513, SideForReference = 129;

    public required string Model { get; init; }

    public required SegmenterOptions Options { get; init; }

    /// <summary>Files; none for a made picture.</summary>
    public required IReadOnlyList<InputFile> Pictures { get; init; }

    public required (int Height, int Width)? Size { get; init; }

    /// <summary>A device, or null for the usual one.</summary>
    public required string? Judge { get; init; }

    public required bool Layers { get; init; }

    public required bool Quiet { get; init; }

    /// <summary>The pictures that arguments stand for.</summary>
    /// <exception cref="CommandException">One cannot be listed.</exception>
    public static IReadOnlyList<InputFile> Files(string[] named)
    {
        var files = new InputFiles(named);
        return files.Bad is [var bad, ..]
            ? throw new CommandException(ExitCode.BadInput, $"{bad.Path}: {bad.Message}")
            : files.Pictures.Count > 0
                ? files.Pictures
                : throw CommandException.Usage("There is no picture among the inputs.");
    }

    public VerifyResult Run()
    {
        using Verifier verifier = Verifier.Load(Model, Options, Judge);
        if (!Quiet)
            Terminal.Message($"{DescribedModel.Line(verifier.Tested, Options)}, against {verifier.Judge.Device}, fp32");
        var pictures = new List<VerifiedPicture>();
        LayerVerification[] layers = [];
        foreach (Func<(string Name, Image Photo)> open in Sources(verifier))
        {
            cancellationToken.ThrowIfCancellationRequested();
            (string name, Image photo) = open();
            using (photo)
            {
                pictures.Add(
                    new VerifiedPicture(name, photo.Height, photo.Width, verifier.Compare(photo, cancellationToken)));
                if (Layers && layers.Length == 0)
                    layers = [.. verifier.CompareLayers(photo, cancellationToken)];
            }
        }
        return new VerifyResult(
            verifier.Tested.Info, Options, verifier.Tested.Device, verifier.Judge.Device, verifier.Tolerance, pictures,
            layers);
    }

    private IEnumerable<Func<(string Name, Image Photo)>> Sources(Verifier verifier)
    {
        if (Pictures.Count > 0)
            return Pictures.Select<InputFile, Func<(string, Image)>>(file => () => (file.Path, Image.Load(file.Path)));
        int side = verifier.Judge.Device == "reference" ? SideForReference : UsualSide;
        (int height, int width) = Size ?? (side, side);
        string name = string.Create(CultureInfo.InvariantCulture, $"made picture {height}x{width}");
        return [() => (name, MadePicture.Of(height, width, verifier.Tested.Info.InputChannels))];
    }
}
