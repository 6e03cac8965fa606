using Atrous.Cli.Videos;

namespace Atrous.Tests.Cli.Videos;

/// <summary>Which frames --every and --max-fps take.</summary>
public sealed class FrameChoiceTests
{
    [Fact]
    public void The_first_of_every_so_many_frames_is_taken() =>
        Assert.Equal([0, 3, 6, 9], Taken(new FrameChoice(3, null), 10, 25));

    [Theory]
    [InlineData(25, 50)]
    [InlineData(100, 50)]
    [InlineData(12.5, 25)]
    [InlineData(10, 20)]
    [InlineData(0.5, 1)]
    public void No_more_than_so_many_are_taken_of_a_second(double most, int frames) =>
        Assert.Equal(Math.Min(frames, 50), Taken(new FrameChoice(1, most), 50, 25).Length); // two seconds

    [Fact]
    public void Frames_that_come_unevenly_are_taken_as_they_come()
    {
        var choice = new FrameChoice(1, 2);
        double[] times = [0, 0.1, 0.49, 0.5, 0.51, 3.2, 3.4, 3.6];
        for (int video = 0; video < 2; video++) // each begins at its own first frame
        {
            Func<int, double, bool> takes = choice.Begin();
            Assert.Equal([0, 0.5, 3.2, 3.6], times.Where((time, number) => takes(number, time)));
        }
    }

    private static int[] Taken(FrameChoice choice, int frames, double rate)
    {
        Func<int, double, bool> takes = choice.Begin();
        return [.. Enumerable.Range(0, frames).Where(number => takes(number, number / rate))];
    }
}
