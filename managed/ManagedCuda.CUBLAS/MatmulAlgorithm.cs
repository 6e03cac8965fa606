using System.Runtime.InteropServices;
using Atrous.ManagedCuda.CUBLAS.Native;

namespace Atrous.ManagedCuda.CUBLAS;

/// <summary>One algorithm that computes a product.</summary>
public sealed class MatmulAlgorithm
{
    /// <summary>Bytes of <see cref="ToBytes"/>.</summary>
    public const int ByteCount = 64;

    internal MatmulAlgorithm(in MatmulHeuristicResult result)
    {
        Blob = result.Algorithm;
        WorkspaceSize = (long)result.WorkspaceSize;
        WavesCount = result.WavesCount;
    }

    /// <summary>Bytes of device memory that it needs beside the matrices.</summary>
    public long WorkspaceSize { get; }

    /// <summary>How often the device is filled; 1 is best.</summary>
    public float WavesCount { get; }

    internal MatmulAlgorithmBlob Blob { get; }

    /// <summary>
    /// The algorithm as bytes, for a cache; <see cref="Matmul.Restore"/> reads them with the same version of cuBLASLt.
    /// </summary>
    public byte[] ToBytes()
    {
        MatmulAlgorithmBlob blob = Blob;
        return MemoryMarshal.AsBytes((ReadOnlySpan<ulong>)blob).ToArray();
    }
}
