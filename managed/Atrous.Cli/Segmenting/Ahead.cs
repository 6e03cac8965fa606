namespace Atrous.Cli.Segmenting;

/// <summary>Work on some items at a time, whose results are taken one after the other in their order.</summary>
internal static class Ahead
{
    /// <summary>Each item with what its work gives, or throws. Who stops early has the rest thrown away.</summary>
    /// <param name="items">In the order of their results.</param>
    /// <param name="atOnce">Works that go on at a time; of 1, each begins when its result is asked for.</param>
    /// <param name="work">On a thread of the pool, unless one goes on at a time.</param>
    public static IEnumerable<(TItem Item, Func<TResult> Result)> Of<TItem, TResult>(
        IEnumerable<TItem> items, int atOnce, Func<TItem, TResult> work)
        where TResult : IDisposable?
    {
        if (atOnce == 1)
        {
            foreach (TItem item in items)
                yield return (item, () => work(item));
            yield break;
        }
        var begun = new Queue<(TItem Item, Task<TResult> Work)>();
        try
        {
            foreach (TItem item in items)
            {
                begun.Enqueue((item, Task.Run(() => work(item))));
                if (begun.Count == atOnce)
                    yield return Next();
            }
            while (begun.Count > 0)
                yield return Next();
        }
        finally
        {
            // Their devices and files are not to be taken away under them.
            foreach ((_, Task<TResult> rest) in begun)
            {
                try
                {
                    rest.GetAwaiter().GetResult()?.Dispose();
                }
                catch (Exception)
                {
                    // Nobody asks for it any more.
                }
            }
        }

        (TItem, Func<TResult>) Next()
        {
            (TItem item, Task<TResult> next) = begun.Dequeue();
            return (item, () => next.GetAwaiter().GetResult());
        }
    }
}
