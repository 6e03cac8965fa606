using System.Diagnostics;
using Atrous.Hosting;
using Atrous.Hosting.Requests;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Tensors;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>Runs an infer request through a model's queue.</summary>
/// <param name="model">The model that the request's address names.</param>
/// <param name="room">Gives memory for pictures and masks.</param>
/// <param name="maxPixels">The number of pixels that all pictures of a request may have together.</param>
/// <param name="cost">What the answer takes beside the masks.</param>
internal sealed class Inference(IServedModel model, AnswerRoom room, long maxPixels, AnswerCost cost)
{
    /// <summary>Also computes the probability of every class.</summary>
    public bool Probabilities { get; init; }

    /// <summary>The masks, in the order of the input's first dimension. The caller disposes them.</summary>
    /// <exception cref="ProtocolException">The request does not suit the models here.</exception>
    public async Task<InferredMasks> RunAsync(
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
        {
            PixelTensor.Check(input, maxCount, maxPixels);
            return await RunAsync(
                PixelTensor.SizeOf(input), (int)input.Shape[0], PixelTensor.ChannelsOf(input),
                () => PixelTensor.Read(input).Select(picture => new DecodedPicture(picture)), wanted,
                cancellationToken);
        }
        using PictureFiles files = PictureFiles.Read(input, maxCount);
        if (files.Files is [ReadOnlyMemory<byte> file] && cost.HeldPerPixel == 0)
        {
            SegmentedPhoto photo = await model.SegmentAsync(file, wanted, cancellationToken);
            photo.Photo.Dispose();
            return new InferredMasks([photo.Mask], photo);
        }
        (ImageInfo header, int bytes) = CheckHeaders(files.Files);
        return await RunAsync(
            (header.Height, header.Width), files.Files.Count, bytes, () => Decode(files.Files), wanted,
            cancellationToken);
    }

    /// <summary>Pictures that are made once there is room for all of them.</summary>
    private async Task<InferredMasks> RunAsync(
        (int Height, int Width) size, int count, int bytes, Func<IEnumerable<DecodedPicture>> read,
        SegmentRequest wanted,
        CancellationToken cancellationToken)
    {
        long pixels = (long)size.Height * size.Width * count;
        if (Probabilities && pixels * model.Info.Classes > Array.MaxLength)
            throw new ProtocolException(
                $"There are too many probabilities: {pixels} pixels of {model.Info.Classes} classes; send smaller "
                + "pictures.", StatusCodes.Status413PayloadTooLarge);
        cost.Check(pixels);
        if (Probabilities)
            (model as ServedModel)?.CheckProbabilities(wanted);
        long each = bytes + sizeof(ushort) + (wanted.Confidence ? sizeof(float) : 0) + cost.HeldPerPixel;
        long all = pixels * each;
        // Such pictures run one after the other, in no batch.
        long scores = (model as ServedModel)?.ScoringBytes(wanted, size.Height, size.Width) ?? 0;
        // What the model was loaded for is not refused: it has all of the memory for itself.
        all += wanted.Scoring is null ? Math.Clamp(room.Most - all, 0, scores) : scores;
        IDisposable held = await room.TakeAsync(
            all, "pictures and masks", model, wanted.Timeout, cancellationToken);
        try
        {
            (IReadOnlyList<Segmentation> masks, IReadOnlyList<Tensor> probabilities) =
                await RunAsync([.. read()], wanted, cancellationToken);
            return new InferredMasks(masks, held) { Probabilities = probabilities };
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private async Task<(IReadOnlyList<Segmentation> Masks, IReadOnlyList<Tensor> Probabilities)> RunAsync(
        DecodedPicture[] decoded, SegmentRequest wanted, CancellationToken cancellationToken)
    {
        Image[] pictures = [.. decoded.Select(picture => picture.Photo)];
        var probabilities = new List<Tensor>();
        long start = Stopwatch.GetTimestamp();
        try
        {
            IReadOnlyList<Segmentation> masks = await model.SegmentAsync(pictures, wanted, cancellationToken);
            foreach (Image picture in Probabilities ? pictures : [])
                probabilities.Add(await model.ProbabilitiesAsync(picture, Left(wanted, start), cancellationToken));
            Segmentation[]? marked = (model as ServedModel)?.With<Segmentation[]>(
                loaded => [.. decoded.Zip(masks, (picture, mask) => picture.Marked(mask, loaded.Segmenter))]);
            return (marked ?? masks, probabilities);
        }
        catch
        {
            probabilities.ForEach(tensor => tensor.Dispose());
            throw;
        }
        finally
        {
            foreach (Image picture in pictures)
                picture.Dispose();
        }
    }

    /// <summary>The request with the time that it still has.</summary>
    private SegmentRequest Left(SegmentRequest wanted, long start)
    {
        if ((wanted.Timeout ?? model.Batching.Timeout) is not { } limit)
            return wanted;
        TimeSpan left = limit - Stopwatch.GetElapsedTime(start);
        return wanted with { Timeout = left > TimeSpan.Zero ? left : TimeSpan.FromTicks(1) };
    }

    /// <summary>All headers are looked at before the first picture is decoded.</summary>
    /// <returns>The first, whose size all have, and the most bytes of a pixel, of which each has its own.</returns>
    private (ImageInfo First, int Bytes) CheckHeaders(IReadOnlyList<ReadOnlyMemory<byte>> files)
    {
        ImageInfo first = Image.Probe(files[0].Span);
        int bytes = BytesOf(first, files[0].Span);
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
            bytes = Math.Max(bytes, BytesOf(header, files[i].Span));
        }
        return (first, bytes);
    }

    private static int BytesOf(ImageInfo header, ReadOnlySpan<byte> file) =>
        header.Channels * PictureDecoder.MostBytesPerChannel(file);

    private List<DecodedPicture> Decode(IReadOnlyList<ReadOnlyMemory<byte>> files)
    {
        var pictures = new List<DecodedPicture>(files.Count);
        try
        {
            foreach (ReadOnlyMemory<byte> file in files)
            {
                pictures.Add(
                    (model as ServedModel)?.With(loaded => DecodedPicture.Read(file, loaded.Segmenter, maxPixels))
                    ?? new DecodedPicture(Image.Load(file.Span, maxPixels)));
            }
            return pictures;
        }
        catch
        {
            pictures.ForEach(picture => picture.Photo.Dispose());
            throw;
        }
    }
}
