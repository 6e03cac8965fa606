using System.Text;
using Atrous.Imaging;
using Atrous.Server.OpenInference;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>What reading a request costs: tensors go from the body to the picture and nowhere else.</summary>
public sealed class ReadingTests
{
    private const int Side = 200;
    private const int Elements = Side * Side * 3;

    [Theory]
    [InlineData("UINT8")]
    [InlineData("FP32")]
    public void Numbers_in_JSON_leave_no_garbage(string datatype)
    {
        byte[] body = Encoding.UTF8.GetBytes(
            $$"""{"inputs":[{"name":"image","datatype":"{{datatype}}","shape":[1,{{Side}},{{Side}},3],"data":[{{string.Join(",", Enumerable.Range(0, Elements).Select(i => i % 256))}}]}]}""");
        AssertFrugal(body, null);
    }

    [Theory]
    [InlineData("UINT8", 1)]
    [InlineData("INT64", 8)]
    public void Binary_tensors_leave_no_garbage(string datatype, int size)
    {
        byte[] json = Encoding.UTF8.GetBytes(
            $$$"""{"inputs":[{"name":"image","datatype":"{{{datatype}}}","shape":[1,{{{Side}}},{{{Side}}},3],"parameters":{"binary_data_size":{{{Elements * size}}}}}]}""");
        AssertFrugal([.. json, .. new byte[Elements * size]], json.Length);
    }

    [Fact]
    public void Picture_files_stay_where_they_are_in_the_body()
    {
        byte[] first = [1, 2, 3], second = [4, 5];
        byte[] tensor = Protocol.Bytes(first, second);
        byte[] json = Encoding.UTF8.GetBytes(
            $$$"""{"inputs":[{"name":"image","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":{{{tensor.Length}}}}}]}""");
        byte[] body = [.. json, .. tensor];
        InferRequest request = InferRequestReader.Read(body, json.Length, maxDepth: 64);
        using PictureFiles files = PictureFiles.Read(request.Inputs[0], maxCount: 2);
        Assert.Equal(2, files.Files.Count);
        Assert.True(files.Files[0].Span == body.AsSpan(json.Length + sizeof(uint), first.Length));
        Assert.Equal(second, files.Files[1].ToArray());
    }

    [Fact]
    public void What_is_not_asked_for_takes_its_default()
    {
        InferRequest request = InferRequestReader.Read(
            Encoding.UTF8.GetBytes(
                """{"inputs":[{"name":"a","datatype":"BF16","shape":[],"data":[]}],"parameters":{"timeout":0}}"""), null, maxDepth: 64);
        Assert.Null(request.Id);
        Assert.Null(request.Timeout);
        Assert.Equal(0, request.Priority);
        Assert.False(request.BinaryOutputs);
        Assert.Empty(request.Outputs);
        Assert.Equal(TensorType.Bf16, request.Inputs[0].Type);
        Assert.Equal(1, request.Inputs[0].Elements);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(500_000, 500_000)]
    [InlineData(long.MaxValue, 86_400_000_000)]
    public void A_timeout_is_in_microseconds_and_at_most_a_day(long sent, long expected)
    {
        InferRequest request = InferRequestReader.Read(Encoding.UTF8.GetBytes(
            $$$"""{"parameters":{"timeout":{{{sent}}}},"inputs":[{"name":"a","datatype":"UINT8","shape":[1],"data":[1]}]}"""), null, maxDepth: 64);
        Assert.Equal(expected, request.Timeout!.Value.TotalMicroseconds);
    }

    private static void AssertFrugal(byte[] body, long? headerLength)
    {
        Read(body, headerLength);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Read(body, headerLength);
        // A few small objects for the request itself; the tensor has 120,000 elements.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 4096);
    }

    private static void Read(byte[] body, long? headerLength)
    {
        InferRequest request = InferRequestReader.Read(body, headerLength, maxDepth: 64);
        Assert.Equal(Side * Side, PixelTensor.Check(request.Inputs[0], maxCount: 1, maxPixels: Side * Side));
        foreach (Image picture in PixelTensor.Read(request.Inputs[0]))
            picture.Dispose();
    }
}
