namespace Atrous;

/// <summary>A picture that cannot be read, or that does not suit the model. Retrying is useless.</summary>
public sealed class ImageException : AtrousException
{
    public ImageException(string message)
        : base(message)
    {
    }

    public ImageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
