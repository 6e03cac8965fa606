namespace Atrous.Cli.Batches;

/// <summary>Work on some items at a time, whose results are taken one after the other in their order.</summary>
internal static class Ahead
{
    /// <summary>Each item with what its work gives, or throws. Who stops early has the rest thrown away.</summary>
    /// <param name="items">In the order of their results.</param>
    /// <param name="atOnce">Works that go on at a time; of 1, each begins when its result is asked for.</param>
    /// <param name="work">On a thread of the pool, unless one goes on at a time.</param>
    public static IEnumerable<(TItem Item, Func<TResult> Result)> Of<TItem, TResult>(
        IEnumerable<TItem> items, int atOnce, Func<TItem, TResult> work)
    {
        if (atOnce == 1)
        {
            foreach (TItem item in items)
                yield return (item, () => work(item));
            yield break;
        }
        var begun = new Queue<Begun<TItem, TResult>>();
        try
        {
            foreach (TItem item in items)
            {
                begun.Enqueue(new Begun<TItem, TResult>(item, Task.Run(() => work(item))));
                if (begun.Count < atOnce)
                    continue;
                yield return (begun.Peek().Item, begun.Peek().Take);
                begun.Dequeue();
            }
            for (; begun.Count > 0; begun.Dequeue())
                yield return (begun.Peek().Item, begun.Peek().Take);
        }
        finally
        {
            // Their devices and files are not to be taken away under them. The first may have been handed over already.
            foreach (Begun<TItem, TResult> rest in begun.Where(rest => !rest.IsTaken))
            {
                try
                {
                    (rest.Take() as IDisposable)?.Dispose();
                }
                catch (Exception)
                {
                    // Nobody asks for it any more.
                }
            }
        }
    }

    /// <summary>Work that goes on or is done.</summary>
    private sealed class Begun<TItem, TResult>(TItem item, Task<TResult> work)
    {
        public TItem Item => item;

        /// <summary>Its result is somebody else's.</summary>
        public bool IsTaken { get; private set; }

        public TResult Take()
        {
            IsTaken = true;
            return work.GetAwaiter().GetResult();
        }
    }
}
