using System.Buffers.Binary;
using System.Text.Json;
using Atrous.Imaging;

using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Pixels as a tensor [N, H, W, C], or [N, 3, H, W] where that cannot be the former, of any number type: whole numbers
/// from 0 to 255, RGB. What is outside (pictures that are normalised already, say) is refused, because it would give a
/// wrong mask without a word.
/// </summary>
internal static class PixelTensor
{
    private const int MostChannels = 4, Planes = 3;

    /// <summary>The depth was looked at when the request was read.</summary>
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    /// <summary>Looks at shape and size, before memory is taken for the pictures.</summary>
    /// <param name="input">The request's tensor of a number type.</param>
    /// <param name="maxCount">Pictures that a request may have.</param>
    /// <param name="maxPixels">The number of pixels that all pictures may have together.</param>
    /// <returns>The pixels of all pictures.</returns>
    /// <exception cref="ProtocolException">Shape and data do not fit together.</exception>
    public static long Check(InputTensor input, int maxCount, long maxPixels)
    {
        CheckSides(input, maxPixels);
        PictureCount.Check(input, input.Shape[0], maxCount);
        CheckSize(input);
        return input.Elements / ChannelsOf(input);
    }

    /// <summary>The channels of the pictures of a tensor that was checked.</summary>
    public static int ChannelsOf(InputTensor input) => (int)(IsPlanar(input) ? input.Shape[1] : input.Shape[3]);

    /// <summary>The rows and columns of the pictures of a tensor that was checked.</summary>
    public static (int Height, int Width) SizeOf(InputTensor input) => IsPlanar(input)
        ? ((int)input.Shape[2], (int)input.Shape[3])
        : ((int)input.Shape[1], (int)input.Shape[2]);

    /// <summary>The pictures of a tensor that was checked, in its order. The caller disposes them.</summary>
    /// <exception cref="ProtocolException">An element is no pixel's.</exception>
    public static Image[] Read(InputTensor input)
    {
        int count = (int)input.Shape[0], channels = ChannelsOf(input);
        (int height, int width) = SizeOf(input);
        var pictures = new Image[count];
        try
        {
            for (int i = 0; i < count; i++)
                pictures[i] = new Image(height, width, channels);
            if (input.Form == TensorForm.Json)
                ReadJson(input, pictures);
            else
                ReadBinary(input, pictures);
            return pictures;
        }
        catch
        {
            foreach (Image? picture in pictures)
                picture?.Dispose();
            throw;
        }
    }

    /// <summary>No picture has more than four channels, so that at most one of the two can be meant.</summary>
    private static bool IsPlanar(InputTensor input) => input.Shape[3] > MostChannels && input.Shape[1] == Planes;

    private static void CheckSides(InputTensor input, long maxPixels)
    {
        if (input.Type == TensorType.Bool || input.Shape is not [_, _, _, _])
        {
            throw new ProtocolException(
                $"Input '{input.Name}' is {input.Type.Name()} {input.ShapeText}; send pixels as UINT8 [N,H,W,3], or " +
                $"files as BYTES [N].");
        }
        long elements = input.Elements;
        long channels = IsPlanar(input) ? Planes : input.Shape[3];
        if (elements == 0 || channels > MostChannels)
        {
            throw new ProtocolException(
                $"Input '{input.Name}' has the shape {input.ShapeText}; pixels are [N,H,W,C] or [N,3,H,W] with at " +
                $"least one picture, row and column, and C from 1 to {MostChannels}.");
        }
        if (elements / channels > maxPixels)
        {
            throw new ProtocolException(
                $"Input '{input.Name}' has {elements / channels} pixels, {maxPixels} are allowed in a request; send " +
                $"less at a time.",
                StatusCodes.Status413PayloadTooLarge);
        }
    }

    /// <summary>Looks whether the data can be as much as the shape says, before memory is taken for it.</summary>
    private static void CheckSize(InputTensor input)
    {
        long elements = input.Elements;
        long size = input.Type.SizeInBytes();
        if (input.Form == TensorForm.Json)
        {
            if (input.Type is TensorType.Fp16 or TensorType.Bf16)
                throw new ProtocolException(
                    $"Input '{input.Name}': {input.Type.Name()} has no JSON form; send it as binary data.");
            // A digit and a comma or bracket each.
            if (input.Data.Length < 2 * elements + 1)
                throw Few(input, elements);
        }
        else if (input.Data.Length != elements * size)
        {
            throw new ProtocolException(
                $"Input '{input.Name}': shape {input.ShapeText} of {input.Type.Name()} takes {elements * size} " +
                $"bytes, but {input.Data.Length} were sent.");
        }
    }

    private static void ReadJson(InputTensor input, Image[] pictures)
    {
        int max = input.Type == TensorType.Int8 ? sbyte.MaxValue : byte.MaxValue;
        var json = new Utf8JsonReader(input.Data.Span, AnyDepth);
        bool planar = IsPlanar(input);
        long index = 0;
        foreach (Image picture in pictures)
        {
            Span<byte> pixels = picture.Pixels;
            for (int i = 0; i < pixels.Length; i++)
            {
                pixels[PlaceOf(i, picture, planar)] = NextNumber(ref json, out double value)
                    ? Pixel(input, value, index++, max)
                    : throw Few(input, index);
            }
        }
        if (NextNumber(ref json, out _))
            throw new ProtocolException(
                $"Input '{input.Name}': the data has more elements than the shape {input.ShapeText} says.");

        static bool NextNumber(ref Utf8JsonReader json, out double value)
        {
            value = 0;
            while (json.Read())
            {
                switch (json.TokenType)
                {
                    case JsonTokenType.StartArray or JsonTokenType.EndArray:
                        continue;
                    case JsonTokenType.Number:
                        if (json.TryGetByte(out byte small))
                            value = small;
                        else if (!json.TryGetDouble(out value))
                            value = double.NaN;
                        return true;
                    default:
                        throw new ProtocolException("A tensor's data may hold numbers and arrays of numbers only.");
                }
            }
            return false;
        }
    }

    private static void ReadBinary(InputTensor input, Image[] pictures)
    {
        int size = input.Type.SizeInBytes();
        bool planar = IsPlanar(input);
        ReadOnlySpan<byte> data = input.Data.Span;
        long index = 0;
        foreach (Image picture in pictures)
        {
            Span<byte> pixels = picture.Pixels;
            if (input.Type == TensorType.UInt8 && !planar)
                data[..pixels.Length].CopyTo(pixels);
            else
            {
                for (int i = 0; i < pixels.Length; i++)
                {
                    pixels[PlaceOf(i, picture, planar)] =
                        Pixel(input, Element(input.Type, data[(i * size)..]), index++, byte.MaxValue);
                }
            }
            data = data[(pixels.Length * size)..];
        }
    }

    private static byte Pixel(InputTensor input, double value, long index, int max)
    {
        byte pixel = (byte)Math.Clamp(value, 0, max);
        return pixel == value
            ? pixel
            : throw new ProtocolException(
                $"Input '{input.Name}': element {index} is no pixel; pixels are whole numbers from 0 to {max}, not " +
                $"normalised.");
    }

    /// <summary>Where an element of a picture stands in its rows of pixels.</summary>
    private static int PlaceOf(int element, Image picture, bool planar)
    {
        if (!planar)
            return element;
        int plane = picture.Height * picture.Width;
        return element % plane * picture.Channels + element / plane;
    }

    private static double Element(TensorType type, ReadOnlySpan<byte> bytes) => type switch
    {
        TensorType.UInt8 => bytes[0],
        TensorType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        TensorType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        TensorType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        TensorType.Int8 => (sbyte)bytes[0],
        TensorType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        TensorType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        TensorType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        TensorType.Fp16 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        TensorType.Bf16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        TensorType.Fp32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        TensorType.Fp64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    private static ProtocolException Few(InputTensor input, long elements) =>
        new($"Input '{input.Name}': the data has fewer elements than the shape {input.ShapeText} says, {elements} at " +
        $"most.");
}
