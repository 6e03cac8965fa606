using Atrous.Imaging;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>The front door: any size, any number of threads, errors in one sentence.</summary>
public sealed class SegmenterTests(GeneratedModel model)
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 300)]
    [InlineData(2, 1)]
    [InlineData(513, 513)]
    [InlineData(1025, 2049)]
    public void The_mask_has_the_picture_s_size(int height, int width)
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        using Image photo = Noise(height, width, seed: 1);
        Segmentation result = segmenter.Segment(photo, confidence: true);
        Assert.Equal((height, width), (result.Height, result.Width));
        Assert.Equal(height * width, result.Labels.Length);
        Assert.Equal(height * width, result.Confidence.Length);
        Assert.Equal(1, result.Shares.Sum(share => share.Share), 1e-9);
        foreach (float confidence in result.Confidence)
            Assert.InRange(confidence, 1f / result.Classes, 1f);
    }

    [Fact]
    public void Every_call_gives_the_same_mask_alone_in_a_batch_and_from_many_threads()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path, new SegmenterOptions { Threads = 2 });
        Image[] photos = [.. Enumerable.Range(0, 6).Select(i => Noise(65 + 16 * (i % 2), 97, seed: i))];
        ushort[][] alone = [.. photos.Select(photo => segmenter.Segment(photo).Labels.ToArray())];
        IReadOnlyList<Segmentation> batch = segmenter.Segment(photos);
        var threads = new ushort[24][];
        Parallel.For(0, threads.Length, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
            threads[i] = segmenter.Segment(photos[i % photos.Length]).Labels.ToArray());
        for (int i = 0; i < photos.Length; i++)
            Assert.Equal(alone[i], batch[i].Labels.ToArray());
        for (int i = 0; i < threads.Length; i++)
            Assert.Equal(alone[i % photos.Length], threads[i]);
        foreach (Image photo in photos)
            photo.Dispose();
    }

    [Fact]
    public void A_model_from_memory_or_a_stream_is_the_file_s()
    {
        using Image photo = Noise(65, 81, seed: 4);
        byte[] bytes = File.ReadAllBytes(model.Path);
        using Segmenter file = Segmenter.Load(model.Path), memory = Segmenter.Load(bytes),
            stream = Segmenter.Load(new MemoryStream(bytes), name: "roads.safetensors");
        ushort[] expected = file.Segment(photo).Labels.ToArray();
        Assert.Equal(expected, memory.Segment(photo).Labels.ToArray());
        Assert.Equal(expected, stream.Segment(photo).Labels.ToArray());
        Assert.Equal("roads.safetensors", stream.Info.Path);
        Assert.Contains(
            "model in memory",
            Assert.Throws<ModelException>(() => Segmenter.Load(bytes.AsMemory(0, bytes.Length / 2))).Message);
    }

    [Fact]
    public async Task A_model_from_memory_or_a_stream_loads_without_a_thread_that_waits()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using Image photo = Noise(65, 81, seed: 4);
        byte[] bytes = await File.ReadAllBytesAsync(model.Path, token);
        using Segmenter file = await Segmenter.LoadAsync(model.Path, cancellationToken: token);
        using Segmenter memory = await Segmenter.LoadAsync(bytes, cancellationToken: token);
        using var source = new MemoryStream(bytes);
        using Segmenter stream = await Segmenter.LoadAsync(source, name: "roads.safetensors", cancellationToken: token);
        ushort[] expected = file.Segment(photo).Labels.ToArray();
        Assert.Equal(expected, memory.Segment(photo).Labels.ToArray());
        Assert.Equal(expected, stream.Segment(photo).Labels.ToArray());
        Assert.Equal("roads.safetensors", stream.Info.Path);
        source.Position = bytes.Length / 2;
        ModelException refused = await Assert.ThrowsAsync<ModelException>(
            () => Segmenter.LoadAsync(source, name: "half", cancellationToken: token));
        Assert.Contains("'half'", refused.Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Segmenter.LoadAsync(bytes, cancellationToken: new CancellationToken(canceled: true)));
        source.Position = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Segmenter.LoadAsync(source, cancellationToken: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void The_mask_is_the_argmax_of_the_logits_at_the_input_s_size()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        Golden golden = Golden.Load(GeneratedModel.Name);
        using Tensor input = golden.Input();
        using NetworkResult result = segmenter.Infer(input);
        Assert.Equal(golden.Output().Nhwc, result.Forward.Shape);
        Tolerance.AssertWithin(
            Tolerance.Network, result.Forward.Image<float>(0), golden.Output().ToNhwc(), "Infer", golden.OutputStd);
    }

    [Fact]
    public async Task Cancellation_ends_a_run_and_leaves_the_segmenter_usable()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        using Image photo = Noise(257, 257, seed: 3);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => segmenter.SegmentAsync(photo, cancellationToken: cancelled.Token));
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(3));
        using Image large = Noise(1025, 1025, seed: 4);
        Assert.ThrowsAny<OperationCanceledException>(() => segmenter.Segment(large, cancellationToken: soon.Token));
        Assert.Equal(
            257 * 257,
            (await segmenter.SegmentAsync(
                photo, cancellationToken: TestContext.Current.CancellationToken)).Labels.Length);
    }

    [Fact]
    public void More_shapes_than_are_kept_still_work_from_many_threads()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path, new SegmenterOptions { CachedShapes = 1 });
        Parallel.For(0, 24, i =>
        {
            using Image photo = Noise(33 + i % 5, 40 + i % 3, seed: i);
            Assert.Equal(photo.Height * photo.Width, segmenter.Segment(photo).Labels.Length);
        });
    }

    [Fact]
    public void An_output_stride_of_8_changes_the_mask_and_12_is_refused()
    {
        using Image photo = Noise(97, 97, seed: 5);
        using Segmenter dense = Segmenter.Load(model.Path, new SegmenterOptions { OutputStride = 8 });
        using Segmenter usual = Segmenter.Load(model.Path);
        Assert.Equal(8, dense.Info.OutputStride);
        Assert.Equal(16, usual.Info.OutputStride);
        Assert.NotEqual(usual.Segment(photo, confidence: true).Confidence.ToArray(),
            dense.Segment(photo, confidence: true).Confidence.ToArray());
        UnavailableException refused = Assert.Throws<UnavailableException>(
            () => Segmenter.Load(model.Path, new SegmenterOptions { OutputStride = 12 }));
        Assert.Contains("8, 16", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_to_be_had_is_refused_in_one_sentence()
    {
        Refused(new SegmenterOptions { Device = "cuda" }, "cuda");
        Refused(new SegmenterOptions { Device = "tpu" }, "no device 'tpu'");
        Refused(
            new SegmenterOptions { Precision = Precision.Fp16 },
            "cpu computes in fp32, bf16 or int8; it does not have fp16");
        Refused(new SegmenterOptions { Device = "reference", Precision = Precision.Bf16 }, "it does not have bf16");
        Refused(new SegmenterOptions { Dialect = "caffe" }, "no dialect 'caffe'");
        Refused(
            new SegmenterOptions { Switches = new Dictionary<string, string> { ["frobnicate"] = "1" } }, "frobnicate");
        Refused(new SegmenterOptions { ClassNames = ["one"] }, "5 classes");
        Assert.Throws<ModelException>(() => Segmenter.Load("no such file.pth"));

        void Refused(SegmenterOptions options, string part)
        {
            UnavailableException exception =
                Assert.Throws<UnavailableException>(() => Segmenter.Load(model.Path, options));
            Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_missing_weight_is_named()
    {
        Golden golden = Golden.Load(GeneratedModel.Name);
        string folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;
        try
        {
            string path = Path.Combine(folder, "partial.safetensors");
            const string Lost = "classifier.aspp.project.1.running_var";
            GeneratedModel.Write(golden, path, name => name != Lost);
            ModelException exception = Assert.Throws<ModelException>(() => Segmenter.Load(path));
            Assert.Contains(Lost, exception.Message, StringComparison.Ordinal);
            Assert.Equal([Lost], ModelInfo.Read(path).Missing);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_disposed_segmenter_says_so()
    {
        Segmenter segmenter = Segmenter.Load(model.Path);
        segmenter.Dispose();
        segmenter.Dispose();
        using Image photo = Noise(9, 9, seed: 6);
        Assert.Throws<ObjectDisposedException>(() => segmenter.Segment(photo));
    }

    private static Image Noise(int height, int width, int seed)
    {
        var image = new Image(height, width, 3);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }
}
