using Atrous.Catalog;

namespace Atrous.Cli.Pulling;

/// <summary>What a pull shows while it runs: here nothing.</summary>
internal class PullReport : IPullReport
{
    /// <summary>Does the work, with the display's beginning and end around it.</summary>
    public virtual void Around(Action work) => work();

    public virtual void Received(string file, long received, long? total)
    {
    }

    public virtual void Noted(string message)
    {
    }
}
