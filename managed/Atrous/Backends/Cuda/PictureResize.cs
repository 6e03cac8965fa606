namespace Atrous.Backends.Cuda;

/// <summary>
/// Resizes pictures of one size on the device, all in one launch, with the bits of atrous_image_resize: Pillow's
/// bilinear and bicubic, or two taps without antialiasing.
/// </summary>
internal sealed class PictureResize
{
    private const int Bicubic = 1, Plain = 3;
    private const int Alignment = 256;

    private readonly int _filter;
    private readonly int _pictures;
    private readonly PictureSize _from;
    private readonly PictureSize _to;
    private readonly Axis _columns;
    private readonly Axis _rows;
    private readonly long _between;
    private readonly long _result;

    /// <summary>Plans memory and launches; touches no device.</summary>
    /// <param name="filter">0 bilinear, 1 bicubic, 3 bilinear without antialiasing, as in atrous_filter.</param>
    /// <param name="picture">The size that the picture has.</param>
    /// <param name="height">The number of rows that it shall have.</param>
    /// <param name="width">The number of columns that it shall have.</param>
    /// <param name="pictures">How many there are, one behind the other.</param>
    public PictureResize(int filter, PictureSize picture, int height, int width, int pictures = 1)
    {
        (_filter, _from, _to) = (filter, picture, picture with { Height = height, Width = width });
        _pictures = pictures;
        _columns = Reserve(picture.Width, width);
        _rows = Reserve(picture.Height, height);
        _between = Reserve(pictures * new PictureSize(picture.Height, width, picture.Channels).Bytes);
        _result = Reserve(pictures * _to.Bytes);
    }

    /// <summary>Bytes of device memory that the launches use besides the picture.</summary>
    public long WorkspaceSize { get; private set; }

    /// <summary>
    /// The launches that make the taps, whose results stay in the workspace: before the first of <see cref="Launches"/>
    /// only.
    /// </summary>
    /// <param name="workspace">The address of <see cref="WorkspaceSize"/> bytes, a multiple of 256.</param>
    public IReadOnlyList<KernelLaunch> Preparation(nint workspace)
    {
        var launches = new List<KernelLaunch>();
        // As Pillow: an axis that keeps its size is left alone.
        bool both = _filter == Plain && _from != _to;
        if (both || _from.Width != _to.Width)
            launches.Add(Taps(_columns, workspace));
        if (both || _from.Height != _to.Height)
            launches.Add(Taps(_rows, workspace));
        return launches;
    }

    /// <summary>The launches in order, none where the size is right already.</summary>
    /// <param name="picture">The address of the first picture.</param>
    /// <param name="workspace">Where <see cref="Preparation"/> has been.</param>
    /// <param name="resized">The address of the first result.</param>
    public IReadOnlyList<KernelLaunch> Launches(nint picture, nint workspace, out nint resized)
    {
        var launches = new List<KernelLaunch>();
        resized = picture;
        if (_from == _to)
            return launches;
        nint result = workspace + (nint)_result, between = workspace + (nint)_between;
        if (_filter == Plain)
        {
            launches.Add(new KernelLaunch(
                Kernels.Find("picture_plain"), (long)_pictures * _to.Height, (long)_to.Width * _to.Channels,
                picture, _pictures, _from.Height, _from.Width, _to.Height, _to.Width, _to.Channels,
                workspace + _rows.Spans, workspace + _rows.Weights, workspace + _columns.Spans,
                workspace + _columns.Weights, result));
            resized = result;
            return launches;
        }
        // As Pillow: the width comes first.
        if (_from.Width != _to.Width)
        {
            nint narrow = _from.Height == _to.Height ? result : between;
            launches.Add(new KernelLaunch(
                Kernels.Find("picture_width"), (long)_pictures * _from.Height, (long)_to.Width * _to.Channels,
                resized, checked(_pictures * _from.Height), _from.Width, _to.Width, _to.Channels,
                workspace + _columns.Spans, workspace + _columns.Weights, _columns.Stride, narrow));
            resized = narrow;
        }
        if (_from.Height != _to.Height)
        {
            launches.Add(new KernelLaunch(
                Kernels.Find("picture_height"), (long)_pictures * _to.Height, (long)_to.Width * _to.Channels,
                resized, _pictures, _from.Height, _to.Height, _to.Width, _to.Channels, workspace + _rows.Spans,
                workspace + _rows.Weights, _rows.Stride, result));
            resized = result;
        }
        return launches;
    }

    private KernelLaunch Taps(Axis axis, nint workspace) => new(
        Kernels.Find("picture_taps"), 1, axis.Output,
        _filter, axis.Input, axis.Output, axis.Stride, workspace + axis.Spans, workspace + axis.Weights);

    private Axis Reserve(int input, int output)
    {
        double support = _filter == Bicubic ? 2 : 1;
        int stride = _filter == Plain ? 2 : (int)Math.Ceiling(support * Math.Max((double)input / output, 1)) * 2 + 1;
        nint spans = (nint)Reserve(2L * sizeof(int) * output);
        return new Axis(input, output, stride, spans, (nint)Reserve((long)sizeof(int) * stride * output));
    }

    private long Reserve(long bytes)
    {
        long offset = WorkspaceSize;
        WorkspaceSize += (bytes + Alignment - 1) / Alignment * Alignment;
        return offset;
    }

    /// <summary>
    /// The taps of an axis: first cell and count, and <see cref="Stride"/> weights, for every output cell.
    /// </summary>
    private readonly record struct Axis(int Input, int Output, int Stride, nint Spans, nint Weights);
}
