using Atrous.Imaging;
using Atrous.Tensors;

namespace Atrous.Postprocessing;

/// <summary>A CRF of one Gaussian and one bilateral kernel, as papers and programs quote it.</summary>
/// <param name="Name">What <see cref="ByName"/> finds it by.</param>
/// <param name="Iterations">The number of iterations of mean field.</param>
/// <param name="GaussianSigma">The standard deviation of the Gaussian kernel, in pixels.</param>
/// <param name="GaussianWeight">The Potts weight of the Gaussian kernel.</param>
/// <param name="BilateralSigma">The standard deviation of the bilateral kernel in space, in pixels.</param>
/// <param name="BilateralColourSigma">
/// The standard deviation in grey levels of 0 to 255, the same for every channel.
/// </param>
/// <param name="BilateralWeight">The Potts weight of the bilateral kernel.</param>
/// <param name="Clip">The least probability that a unary is made from.</param>
public sealed record DenseCrfParameters(
    string Name,
    int Iterations,
    float GaussianSigma,
    float GaussianWeight,
    float BilateralSigma,
    float BilateralColourSigma,
    float BilateralWeight,
    float Clip = 1e-5f)
{
    /// <summary>DeepLabV2 on PASCAL VOC 2012 and COCO-Stuff, as kazuto1011/deeplab-pytorch runs it.</summary>
    public static DenseCrfParameters DeepLabV2 { get; } = new("deeplabv2", 10, 1, 3, 67, 3, 4);

    /// <summary>The numbers of pydensecrf's README.</summary>
    public static DenseCrfParameters PyDenseCrf { get; } = new("pydensecrf", 5, 3, 3, 80, 13, 10);

    /// <summary>The parameters that have a name.</summary>
    public static IReadOnlyList<DenseCrfParameters> All { get; } = [DeepLabV2, PyDenseCrf];

    /// <summary>Finds parameters as a user says their name, in any case.</summary>
    /// <param name="name">The name of a set of parameters, such as "deeplabv2".</param>
    /// <exception cref="UnavailableException">
    /// There are none of that name; the message lists those that there are.
    /// </exception>
    public static DenseCrfParameters ByName(string name) =>
        All.FirstOrDefault(known => string.Equals(known.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new UnavailableException(
            $"There is no CRF named '{name}'; use {string.Join(" or ", All.Select(known => known.Name))}.");

    /// <summary>The labels of a picture, from a network's scores for its pixels and the picture's own edges.</summary>
    /// <param name="image">The picture. Alpha is not looked at.</param>
    /// <param name="scores">
    /// A tensor in NHWC, float32, of the picture's size (resize logits first), with a channel per label.
    /// </param>
    /// <param name="form">What the scores are.</param>
    /// <param name="index">Which picture of the batch it is.</param>
    /// <param name="threads">The caller's included; 0 means one per core that the process may use.</param>
    /// <param name="cancellationToken">Is looked at between two iterations.</param>
    /// <returns>The most probable label of every pixel, [height, width].</returns>
    /// <exception cref="ArgumentException">
    /// The scores have not the picture's size, or one is not a finite number.
    /// </exception>
    /// <exception cref="MemoryException">It needs more memory than there is: the message says how much.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ushort[] Refine(
        Image image, Tensor scores, CrfScores form, int index = 0, int threads = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(scores);
        using var step = new CrfStep(this, null, threads, progress: null);
        return step.Refine(image, scores, form, index, confidence: false, cancellationToken).Labels;
    }

    /// <summary>Adds the two kernels, the Gaussian first.</summary>
    /// <param name="crf">The CRF that the kernels are added to.</param>
    /// <param name="image">A picture of the CRF's size. Alpha is not looked at.</param>
    /// <inheritdoc cref="DenseCrf.AddGaussian" path="/exception"/>
    public void AddTo(DenseCrf crf, Image image)
    {
        ArgumentNullException.ThrowIfNull(crf);
        ArgumentNullException.ThrowIfNull(image);
        crf.AddGaussian(GaussianSigma, GaussianSigma, GaussianWeight);
        // Red first, so that the lattice rounds the same whatever the order of the caller's channels.
        bool plain = image.Format is PixelFormat.Grey or PixelFormat.Rgb;
        using Image? opaque = plain ? null : image.WithChannels(image.Channels <= 2 ? 1 : 3);
        crf.AddBilateral(BilateralSigma, BilateralSigma, [BilateralColourSigma], opaque ?? image, BilateralWeight);
    }
}
