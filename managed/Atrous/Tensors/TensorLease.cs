namespace Atrous.Tensors;

/// <summary>
/// Keeps the memory of tensors while a call knows them by address alone: one that is disposed meanwhile is freed when
/// the call has ended.
/// </summary>
internal readonly ref struct TensorLease : IDisposable
{
    private readonly ReadOnlySpan<Tensor> _inputs, _outputs;

    /// <exception cref="ObjectDisposedException">A tensor is disposed.</exception>
    public TensorLease(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs = default)
    {
        int held = 0;
        try
        {
            for (; held < inputs.Length; held++)
                inputs[held].Hold();
            for (; held < inputs.Length + outputs.Length; held++)
                outputs[held - inputs.Length].Hold();
        }
        catch
        {
            Release(inputs[..Math.Min(held, inputs.Length)]);
            Release(outputs[..Math.Max(held - inputs.Length, 0)]);
            throw;
        }
        _inputs = inputs;
        _outputs = outputs;
    }

    public void Dispose()
    {
        Release(_inputs);
        Release(_outputs);
    }

    private static void Release(ReadOnlySpan<Tensor> tensors)
    {
        foreach (Tensor tensor in tensors)
            tensor.Release();
    }
}
