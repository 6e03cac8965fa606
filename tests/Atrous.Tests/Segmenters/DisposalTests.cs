using System.Collections.Concurrent;
using Atrous.Imaging;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Segmenters;

/// <summary>A segmenter that is disposed while others use it.</summary>
public sealed class DisposalTests(GeneratedModel model)
{
    [Fact]
    public void What_runs_is_freed_when_its_last_run_has_ended()
    {
        int freed = 0;
        var uses = new UseCount(() => freed++);
        uses.Begin(this);
        uses.Begin(this);
        uses.End();
        uses.End();
        Assert.Throws<ObjectDisposedException>(() => uses.Begin(this));
        uses.Finish();
        Assert.Equal(0, freed);
        uses.Finish();
        Assert.Equal(1, freed);
        Assert.Throws<ObjectDisposedException>(() => uses.Begin(this));
        Assert.Equal(1, freed);
    }

    [Fact]
    public void Every_call_ends_with_a_result_or_says_that_it_came_too_late()
    {
        for (int round = 0; round < 5; round++)
        {
            using Image photo = Image.Load(Workplace.Photo(40 + round, 50));
            var segmenter = Segmenter.Load(model.Path, new SegmenterOptions { Threads = 1, CachedShapes = 1 });
            var failures = new ConcurrentBag<Exception>();
            using var begun = new CountdownEvent(4);
            Thread[] callers = [.. Enumerable.Range(0, 4).Select(i => new Thread(() => Call(photo, i)))];
            Array.ForEach(callers, caller => caller.Start());
            Assert.True(begun.Wait(TimeSpan.FromMinutes(2)), "a first call failed or never ended");
            segmenter.Dispose();
            Array.ForEach(callers, caller => caller.Join());
            Assert.All(failures, failure => Assert.IsType<ObjectDisposedException>(failure));
            Assert.Equal(callers.Length, failures.Count);

            void Call(Image picture, int caller)
            {
                try
                {
                    for (bool first = true; ; first = false)
                    {
                        Segmentation mask = segmenter.Segment(picture, confidence: caller % 2 == 0);
                        Assert.Equal(picture.Height, mask.Height);
                        if (first)
                            begun.Signal();
                    }
                }
                catch (Exception e)
                {
                    failures.Add(e);
                }
            }
        }
    }
}
