using Atrous.Hosting;
using Atrous.Imaging;

using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>Runs an infer request through a model's queue.</summary>
/// <param name="model">The model that the request's address names.</param>
/// <param name="maxPixels">Pixels that all pictures of a request may have together.</param>
internal sealed class Inference(IServedModel model, long maxPixels)
{
    /// <summary>The masks, in the order of the input's first dimension.</summary>
    /// <exception cref="ProtocolException">The request does not suit the models here.</exception>
    public async Task<IReadOnlyList<Segmentation>> RunAsync(
        InferRequest request, SegmentRequest wanted, CancellationToken cancellationToken)
    {
        if (request.Inputs is not [{ Name: ModelSurface.Input } input])
        {
            string given = string.Join(", ", request.Inputs.Select(other => ProtocolException.Quote(other.Name)));
            throw new ProtocolException(
                $"The models here have one input, '{ModelSurface.Input}'; the request has {given}.");
        }
        int maxCount = model.Batching.QueueLimit;
        if (input.Type != TensorType.Bytes)
            return await RunAsync(PixelTensor.Read(input, maxCount, maxPixels), wanted, cancellationToken);
        using PictureFiles files = PictureFiles.Read(input, maxCount);
        if (files.Files is not [ReadOnlyMemory<byte> file])
            return await RunAsync(Decode(files.Files), wanted, cancellationToken);
        using SegmentedPhoto photo = await model.SegmentAsync(file, wanted, cancellationToken);
        return [photo.Mask];
    }

    private async Task<IReadOnlyList<Segmentation>> RunAsync(
        Image[] pictures, SegmentRequest wanted, CancellationToken cancellationToken)
    {
        try
        {
            return await model.SegmentAsync(pictures, wanted, cancellationToken);
        }
        finally
        {
            foreach (Image picture in pictures)
                picture.Dispose();
        }
    }

    /// <summary>All headers are looked at before the first picture is decoded.</summary>
    private Image[] Decode(IReadOnlyList<ReadOnlyMemory<byte>> files)
    {
        ImageInfo first = Image.Probe(files[0].Span);
        if ((long)first.Width * first.Height * files.Count > maxPixels)
        {
            throw new ProtocolException(
                $"{files.Count} pictures of {first.Width} x {first.Height} pixels are too many, {maxPixels} pixels " +
                $"are allowed in a "
                + "request; send less at a time.", StatusCodes.Status413PayloadTooLarge);
        }
        for (int i = 1; i < files.Count; i++)
        {
            ImageInfo header = Image.Probe(files[i].Span);
            if ((header.Width, header.Height) != (first.Width, first.Height))
            {
                throw new ProtocolException(
                    $"Picture {i} has {header.Width} x {header.Height} pixels, the first {first.Width} x " +
                    $"{first.Height}; the pictures of "
                    + "a request must have one size, since their masks are one tensor.");
            }
        }
        var pictures = new List<Image>(files.Count);
        try
        {
            foreach (ReadOnlyMemory<byte> file in files)
                pictures.Add(Image.Load(file.Span, maxPixels));
            return [.. pictures];
        }
        catch
        {
            pictures.ForEach(picture => picture.Dispose());
            throw;
        }
    }
}
