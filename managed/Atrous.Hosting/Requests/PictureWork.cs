using System.Diagnostics;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Scheduling;
using Atrous.Imaging;
using Atrous.Imaging.Maps;

namespace Atrous.Hosting.Requests;

/// <summary>A picture to segment: the caller's, or one that is decoded from the caller's bytes.</summary>
internal sealed class PictureWork : Work
{
    private readonly LoadedModel _model;
    private readonly ReadOnlyMemory<byte> _file;
    private readonly PictureKey _key;
    private readonly SegmentRequest _request;
    private readonly bool _owned;
    private Image? _photo;
    private DecodedPicture? _decoded;

    /// <summary>Of the caller's picture.</summary>
    /// <param name="model">The model, which the caller has acquired and this work releases.</param>
    /// <param name="photo">The picture, which the caller keeps until the request ends.</param>
    /// <param name="request">What is wanted beside the mask.</param>
    public PictureWork(LoadedModel model, Image photo, SegmentRequest request)
    {
        (_model, _photo, _request) = (model, photo, request);
        _key = new PictureKey(model, photo.Height, photo.Width, photo.Channels, request.Confidence);
        WorthwhileBatch = request.Scoring is null ? model.Segmenter.BatchOf(photo.Height, photo.Width) : 1;
    }

    /// <summary>Of a file whose header was read.</summary>
    /// <param name="model">The model, which the caller has acquired and this work releases.</param>
    /// <param name="file">The file's bytes, which the caller keeps until the request ends.</param>
    /// <param name="header">What the file's header says of the picture.</param>
    /// <param name="request">What is wanted beside the mask.</param>
    public PictureWork(LoadedModel model, ReadOnlyMemory<byte> file, ImageInfo header, SegmentRequest request)
    {
        (_model, _file, _owned, _request) = (model, file, true, request);
        _key = new PictureKey(model, header.Height, header.Width, header.Channels, request.Confidence);
        WorthwhileBatch = request.Scoring is null ? model.Segmenter.BatchOf(header.Height, header.Width) : 1;
    }

    /// <summary>Who is scored in a way of one's own runs alone.</summary>
    public override object Key => _request.Scoring is null ? _key : this;

    public override int WorthwhileBatch { get; }

    public override bool NeedsPreparation => _owned;

    /// <summary>The decoded picture, the caller's once the work is delivered.</summary>
    public Image Photo => _photo!;

    /// <summary>Of a file that is a map, what it says of its place; null for nothing.</summary>
    public GeoTags? Tags => _decoded?.Tags;

    /// <summary>Of a file that is a map, where its pixels lie; null where that is not known.</summary>
    public GeoReference? Place => _decoded?.Place;

    /// <summary>The result.</summary>
    public Segmentation Mask { get; private set; } = null!;

    public override void Prepare()
    {
        // No more pixels than the header said when the limit was checked.
        _decoded = DecodedPicture.Read(_file, _model.Segmenter, (long)_key.Height * _key.Width);
        _photo = _decoded.Photo;
        if ((_photo.Height, _photo.Width, _photo.Channels) != (_key.Height, _key.Width, _key.Channels))
            throw new ImageException("The picture is not as its header says; it is damaged.");
    }

    public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken)
    {
        Image[] photos = [.. batch.Select(work => ((PictureWork)work)._photo!)];
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<Segmentation> masks = _request.Scoring is null
            ? _model.Segmenter.Segment(photos, _key.Confidence, cancellationToken)
            : [_model.Segmenter.Segment(photos[0], _request, cancellationToken)];
        // Timings are each picture's part of the batch.
        SegmentationTimings each = masks[0].Timings;
        TimeSpan preprocess = each.Preprocess * masks.Count, network = each.Network * masks.Count;
        TimeSpan rest = Stopwatch.GetElapsedTime(start) - preprocess - network;
        var stages = new StageTimes(preprocess, network, rest > TimeSpan.Zero ? rest : TimeSpan.Zero, masks.Count);
        for (int i = 0; i < masks.Count; i++)
        {
            var work = (PictureWork)batch[i];
            work.Stages = stages;
            work.Mask = work._decoded?.Marked(masks[i], _model.Segmenter) ?? masks[i];
        }
    }

    public override void Release(bool delivered)
    {
        if (_owned && !delivered)
            _photo?.Dispose();
        _model.Release();
    }

    /// <summary>What pictures of one run have in common.</summary>
    private sealed record PictureKey(LoadedModel Model, int Height, int Width, int Channels, bool Confidence);
}
