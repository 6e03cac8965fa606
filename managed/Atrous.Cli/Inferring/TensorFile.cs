using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Cli.Output;
using Atrous.Tensors;

namespace Atrous.Cli.Inferring;

/// <summary>
/// Tensors between safetensors files, which have them as N,C,H,W, and memory, where they are N,H,W,C.
/// </summary>
internal static class TensorFile
{
    private const string Input = "input";

    /// <summary>The tensor 'input' of a file.</summary>
    /// <exception cref="CommandException">There is none, or it is no batch of pictures.</exception>
    /// <exception cref="ModelException">The file is broken.</exception>
    public static unsafe Tensor ReadInput(string path)
    {
        using Checkpoint file = Checkpoint.Open(path);
        if (!file.Weights.TryGetValue(Input, out WeightInfo? info))
            throw Bad($"{path} has no tensor called '{Input}'.");
        if (info.Shape is not [> 0 and var batch, > 0 and var channels, > 0 and var height, > 0 and var width])
            throw Bad($"{path}: '{Input}' has the shape [{string.Join(", ", info.Shape)}]; it has to be N,C,H,W.");
        if (!info.Type.IsFloatingPoint())
            throw Bad($"{path}: '{Input}' holds {info.Type}; it has to be float32.");
        if (info.Elements > int.MaxValue)
            throw Bad($"{path}: '{Input}' has more than 2^31 elements; use a smaller batch.");

        var values = GC.AllocateUninitializedArray<float>((int)info.Elements);
        file.Read(Input, values);
        var tensor = new Tensor(new Shape(batch, height, width, channels));
        var target = new Span<float>(tensor.Pointer, values.Length);
        Transpose(values, target, batch, channels, height * width);
        return tensor;
    }

    /// <summary>Writes float32 tensors in this order.</summary>
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public static void Write(TemporaryFiles temporaries, string path, params (string Name, Tensor Tensor)[] tensors)
    {
        using var file = new OutputFile(temporaries, path);
        // The writer renames onto what it is given, and a device must not be replaced.
        if (file.IsDirect)
            throw new CommandException(
                ExitCode.Failed, $"{path}: this is a device or a pipe; tensors need a file of their own.");
        try
        {
            WeightInfo[] infos = [.. tensors.Select(entry => InfoOf(entry.Name, entry.Tensor.Shape))];
            using var writer = new SafetensorsWriter(file.TemporaryPath, infos);
            foreach ((string name, Tensor tensor) in tensors)
                writer.Write(name, Planar(tensor));
            writer.Complete();
        }
        catch (OutputException e)
        {
            throw new CommandException(
                ExitCode.Failed, $"{path}: the file cannot be written ({e.InnerException?.Message.TrimEnd('.')}).", e);
        }
        file.Commit();
    }

    private static WeightInfo InfoOf(string name, Shape shape) =>
        new(name, DType.Float32, [shape.Batch, shape.Channels, shape.Height, shape.Width]);

    private static unsafe float[] Planar(Tensor tensor)
    {
        var values = GC.AllocateUninitializedArray<float>(checked((int)tensor.Shape.Elements));
        var source = new ReadOnlySpan<float>(tensor.Pointer, values.Length);
        Transpose(source, values, tensor.Shape.Batch, tensor.Shape.Height * tensor.Shape.Width, tensor.Shape.Channels);
        return values;
    }

    /// <summary>[batch, rows, columns] to [batch, columns, rows].</summary>
    private static void Transpose(ReadOnlySpan<float> source, Span<float> target, int batch, int rows, int columns)
    {
        for (int n = 0; n < batch; n++, source = source[(rows * columns)..], target = target[(rows * columns)..])
        {
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                    target[column * rows + row] = source[row * columns + column];
            }
        }
    }

    private static CommandException Bad(string message) => new(ExitCode.BadInput, message);
}
