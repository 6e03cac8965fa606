using Atrous.Evaluation;

namespace Atrous.Cli.Evaluating;

/// <summary>Another model on the same pictures: how good it is, and where the two differ.</summary>
internal sealed class EvalRival(Segmenter segmenter, ConfusionMatrix matrix)
{
    private readonly List<DifferentPicture> _pictures = [];

    public Segmenter Segmenter => segmenter;

    public ConfusionMatrix Matrix => matrix;

    /// <summary>All pictures, those that differ most first.</summary>
    public IEnumerable<DifferentPicture> Pictures => _pictures.OrderByDescending(picture => picture.Share);

    /// <summary>The pixels of all pictures on which the two agree, as a share; 1 before the first.</summary>
    public double Agreement
    {
        get
        {
            long pixels = _pictures.Sum(picture => picture.Pixels);
            return pixels == 0 ? 1 : 1 - _pictures.Sum(picture => picture.Different) / (double)pixels;
        }
    }

    /// <summary>Counts where two masks of a picture, of equal size, differ.</summary>
    /// <param name="picture">The name of the picture.</param>
    /// <param name="first">The mask of the model that is evaluated.</param>
    /// <param name="second">The mask of the model that it is compared with.</param>
    public void Compare(string picture, Segmentation first, Segmentation second)
    {
        var pairs = new Dictionary<(int First, int Second), long>();
        ReadOnlySpan<ushort> one = first.Labels, other = second.Labels;
        for (int i = 0; i < one.Length; i++)
        {
            if (one[i] != other[i])
                pairs[(one[i], other[i])] = pairs.GetValueOrDefault((one[i], other[i])) + 1;
        }
        _pictures.Add(new DifferentPicture(
            picture, one.Length, pairs.Values.Sum(),
            pairs.Count == 0 ? null : pairs.MaxBy(pair => pair.Value).Key));
    }
}

/// <summary>How much two masks of a picture differ.</summary>
/// <param name="Picture">The name of the picture.</param>
/// <param name="Pixels">The pixels of the picture.</param>
/// <param name="Different">Those to which the models give different classes.</param>
/// <param name="Most">The pair of classes that most of them have; null where the masks are equal.</param>
internal sealed record DifferentPicture(string Picture, long Pixels, long Different, (int First, int Second)? Most)
{
    public double Share => Different / (double)Pixels;
}
