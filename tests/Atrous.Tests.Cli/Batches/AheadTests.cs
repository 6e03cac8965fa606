using Atrous.Cli.Batches;

namespace Atrous.Tests.Cli.Batches;

/// <summary>Work on several pictures at a time, taken in order.</summary>
public sealed class AheadTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(20)]
    public void Results_come_in_the_order_of_the_items_and_failures_are_those_of_their_items(int atOnce)
    {
        var results = new List<string>();
        foreach ((int item, Func<Result> result) in Ahead.Of(Enumerable.Range(0, 10), atOnce, Make))
        {
            try
            {
                results.Add($"{item}:{result().Value}");
            }
            catch (InvalidOperationException e)
            {
                results.Add($"{item}:{e.Message}");
            }
        }
        Assert.Equal(
            ["0:0", "1:1", "2:4", "3:three", "4:16", "5:25", "6:36", "7:49", "8:64", "9:81"], results);

        static Result Make(int item)
        {
            Thread.Sleep(item % 3);
            return item == 3 ? throw new InvalidOperationException("three") : new Result(item * item);
        }
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(8, true)]
    [InlineData(8, false)]
    public void Who_stops_early_leaves_nothing_open(int last, bool isAskedFor)
    {
        var made = new List<Result>();
        foreach ((int item, Func<Result> result) in Ahead.Of(Enumerable.Range(0, 10), 4, Make))
        {
            if (item < last || isAskedFor)
                result().Dispose();
            if (item == last)
                break;
        }
        Assert.Equal(Math.Min(last + 4, 10), made.Count);
        Assert.All(made, result => Assert.True(result.IsDisposed));

        Result Make(int item)
        {
            var result = new Result(item);
            lock (made)
                made.Add(result);
            return result;
        }
    }

    private sealed class Result(int value) : IDisposable
    {
        public int Value => value;

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
