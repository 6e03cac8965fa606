namespace Atrous;

/// <summary>
/// A model file that cannot be used: broken, hostile, of an unknown dialect, or with missing weights. Retrying is
/// useless.
/// </summary>
public sealed class ModelException : AtrousException
{
    public ModelException(string message)
        : base(message)
    {
    }

    public ModelException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
