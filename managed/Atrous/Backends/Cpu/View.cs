using Atrous.Graph;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>The memory of one run: the arena, then the caller's inputs, then the caller's outputs.</summary>
internal sealed class Frame(int blocks)
{
    /// <summary>The address of every block.</summary>
    public nint[] Blocks { get; } = new nint[blocks];
}

/// <summary>Where a value lies: a block of the frame, an offset in it, and the distance from pixel to pixel.</summary>
internal readonly record struct View(
    int Block, long OffsetInBytes, long PixelStride, Shape Shape, DType Type, Quantization Quantization = default)
{
    /// <summary>The tensor in a frame.</summary>
    public unsafe NativeTensor In(Frame frame) => new(
        (void*)(frame.Blocks[Block] + (nint)OffsetInBytes), PixelStride, Shape.Batch, Shape.Height, Shape.Width,
        Shape.Channels,
        NativeTypeOf(Type), Quantization.Step, Quantization.Zero);

    /// <summary>The type's number in libatrous; labels, whose type no kernel asks for, pass as float32.</summary>
    public static NativeType NativeTypeOf(DType type) => type switch
    {
        DType.BFloat16 => NativeType.BFloat16,
        DType.UInt8 => NativeType.UInt8,
        _ => NativeType.Float32,
    };

    /// <summary>Some of the channels of every pixel.</summary>
    public View Slice(int first, int channels) => this with
    {
        OffsetInBytes = OffsetInBytes + (long)first * Type.SizeInBytes(),
        Shape = Shape with { Channels = channels },
    };

    /// <summary>Some of the rows of one of the pictures.</summary>
    public View Rows(int picture, int first, int height) => this with
    {
        OffsetInBytes = OffsetInBytes
            + ((long)picture * Shape.Height + first) * Shape.Width * PixelStride * Type.SizeInBytes(),
        Shape = Shape with { Batch = 1, Height = height },
    };
}

/// <summary>Turns a memory plan into views.</summary>
internal sealed class Layout(NetworkGraph graph, MemoryPlan plan)
{
    /// <summary>The arena, the inputs and the outputs.</summary>
    public int Blocks => 1 + graph.Inputs.Count + graph.Outputs.Count;

    public View Of(Value value)
    {
        Placement place = plan.Locate(value);
        long channel = (long)place.Channel * value.Type.SizeInBytes();
        (int block, long offset) = Home(place.Root);
        return new View(
            block, offset + channel, place.Root.Shape.Channels, value.Shape, value.Type, value.Quantization);
    }

    /// <summary>The tensor that the caller gave for an output.</summary>
    public View OfOutput(int index)
    {
        Value output = graph.Outputs[index];
        return new View(
            1 + graph.Inputs.Count + index, 0, output.Shape.Channels, output.Shape, output.Type, output.Quantization);
    }

    private (int Block, long Offset) Home(Value root)
    {
        if (plan.Offsets.TryGetValue(root, out long offset))
            return (0, offset);
        for (int i = 0; i < graph.Inputs.Count; i++)
        {
            if (graph.Inputs[i] == root)
                return (1 + i, 0);
        }
        for (int i = 0; i < graph.Outputs.Count; i++)
        {
            if (graph.Outputs[i] == root)
                return (1 + graph.Inputs.Count + i, 0);
        }
        throw new InvalidOperationException($"{root} has no memory.");
    }
}
