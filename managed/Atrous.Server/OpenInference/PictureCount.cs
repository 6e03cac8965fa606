using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>How many pictures a request may have: no more than the model's queue can ever take.</summary>
internal static class PictureCount
{
    /// <exception cref="ProtocolException">There are more.</exception>
    public static void Check(InputTensor input, long count, int maxCount)
    {
        if (count > maxCount)
        {
            throw new ProtocolException(
                $"Input '{input.Name}' has {count} pictures, {maxCount} are allowed in a request; send less at a time.",
                StatusCodes.Status413PayloadTooLarge);
        }
    }
}
