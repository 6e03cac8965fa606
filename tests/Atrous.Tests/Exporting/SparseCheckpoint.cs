using System.Text;
using System.Text.Json;

namespace Atrous.Tests.Exporting;

/// <summary>A safetensors file of float32 zeros, which takes no room on the disk.</summary>
internal static class SparseCheckpoint
{
    public static void Write(string path, IEnumerable<(string Name, int[] Shape)> tensors)
    {
        long end = 0;
        var header = new Dictionary<string, object>();
        foreach ((string name, int[] shape) in tensors)
        {
            long begin = end;
            end += shape.Aggregate(4L, (product, size) => product * size);
            header.Add(name, new { dtype = "F32", shape, data_offsets = new[] { begin, end } });
        }
        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        using FileStream file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)json.Length));
        file.Write(json);
        file.SetLength(sizeof(long) + json.Length + end);
    }
}
