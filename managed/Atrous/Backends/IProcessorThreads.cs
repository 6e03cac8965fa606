using Atrous.Native;

namespace Atrous.Backends;

/// <summary>A backend on the processor, whose threads other stages of a picture may use between its runs.</summary>
internal interface IProcessorThreads
{
    /// <summary>The threads, which the backend owns.</summary>
    EngineHandle Engine { get; }
}
