using Atrous.Backends;
using Atrous.Imaging;
using Atrous.Scoring;

namespace Atrous;

/// <content>Pictures and labels in a GPU's own memory.</content>
public sealed partial class Segmenter
{
    /// <summary>
    /// The labels of a picture that lies in the GPU's memory, as decoders leave it there, written into the GPU's
    /// memory: neither goes over the bus. Returns when the labels are written.
    /// </summary>
    /// <param name="pixels">
    /// The device address of the first row, in the primary context of the segmenter's GPU, which the CUDA runtime,
    /// NVDEC and nvJPEG use. The pixels are not changed.
    /// </param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="format">The bytes of a pixel.</param>
    /// <param name="rowStride">
    /// The number of bytes from a row's start to the next row's, at least those of a row.
    /// </param>
    /// <param name="labels">
    /// The device address of height * width labels, row by row without gaps: a byte each where the model has up to 256
    /// classes (<see cref="ModelInfo.Classes"/>), else two.
    /// </param>
    /// <param name="stream">
    /// A CUstream or cudaStream_t of that GPU: what was put into it before comes first; 0 for the default stream.
    /// </param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    /// <exception cref="ArgumentException">
    /// An address is none of the GPU's memory, or a size is no picture's.
    /// </exception>
    /// <exception cref="UnavailableException">
    /// The model is not on one GPU, or its labels are not the network's alone: those of a sliding window, of several
    /// scales, of the CRF, of a threshold, or of several classes a pixel.
    /// </exception>
    /// <exception cref="ImageException">The picture has not the channels that the model takes.</exception>
    /// <exception cref="MemoryException">Memory ran out.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void SegmentOnDevice(
        nint pixels, int height, int width, PixelFormat format, long rowStride, nint labels, nint stream = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowStride, (long)width * format.Channels());
        if (_backend is not IDevicePointers)
        {
            throw new UnavailableException(
                $"Pictures in a GPU's memory need a model on that GPU alone, such as cuda:0, and this one is on " +
                $"{Device}.");
        }
        if (!_masks.AreOfOneRun || !_masks.Scorer.IsLabelledByNetwork)
        {
            throw new UnavailableException(
                "Labels stay on the GPU only where the network alone makes them: load the model without a sliding " +
                "window, several scales, the CRF, a threshold and several labels a pixel.");
        }
        Guard(height, width, () =>
        {
            _masks.Scorer.LabelOnDevice(
                new PictureRows(pixels, rowStride), height, width, format, labels, stream, cancellationToken);
            return true;
        });
    }
}
