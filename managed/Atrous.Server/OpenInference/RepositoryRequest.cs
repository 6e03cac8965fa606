using System.Text.Json;
using Atrous.Hosting;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Reads the bodies of the model repository extension. An empty body is as good as {}. What a client could change a
/// model by, another configuration or files of its own, is refused: models come from where the server was told to look,
/// and nowhere else.
/// </summary>
internal static class RepositoryRequest
{
    /// <summary>POST index: whether only ready models are wanted.</summary>
    /// <exception cref="ProtocolException">It is no index request.</exception>
    public static bool ReadyOnly(ReadOnlyMemory<byte> body, int maxDepth)
    {
        bool ready = false;
        Read(body, maxDepth, (ref DocumentReader reader) =>
        {
            if (reader.Is("ready"u8))
                ready = reader.ReadTruth("ready");
            else
                reader.SkipValue();
        });
        return ready;
    }

    /// <summary>POST load and unload: that nothing is asked for that is not to be had.</summary>
    /// <exception cref="ProtocolException">It is no such request, or asks for too much.</exception>
    public static void Check(ReadOnlyMemory<byte> body, int maxDepth) =>
        Read(body, maxDepth, (ref DocumentReader reader) =>
    {
        if (reader.Is("parameters"u8))
            CheckParameters(ref reader);
        else
            reader.SkipValue();
    });

    /// <summary>What every transport says of models that clients bring along.</summary>
    public static ProtocolException NoParameters() =>
        new("A model is loaded as the server was configured; leave 'config' and 'file:' parameters away.");

    /// <summary>Loads a model, or loads it anew.</summary>
    /// <exception cref="ProtocolException">It cannot be loaded, and why.</exception>
    public static async Task LoadAsync(IModelCatalog catalog, string model)
    {
        try
        {
            // A client that does not wait has asked all the same.
            await catalog.LoadAsync(model, CancellationToken.None);
        }
        catch (Exception e) when (e is ModelException or UnavailableException)
        {
            // Whoever may load models learns what is wrong with their files; the status is Triton's.
            throw new ProtocolException(e.Message);
        }
    }

    private static void CheckParameters(ref DocumentReader reader)
    {
        reader.BeginObject("parameters");
        while (reader.NextMember())
        {
            // A model has no dependents here, so that either value is honoured.
            if (!reader.Is("unload_dependents"u8))
                throw NoParameters();
            reader.ReadTruth("The parameter unload_dependents");
        }
    }

    private static void Read(ReadOnlyMemory<byte> body, int maxDepth, Member member)
    {
        if (body.IsEmpty)
            return;
        try
        {
            var reader = new DocumentReader(body, maxDepth);
            reader.BeginObject("The request");
            while (reader.NextMember())
                member(ref reader);
            reader.End();
        }
        catch (JsonException e)
        {
            throw DocumentReader.Broken(e);
        }
    }

    private delegate void Member(ref DocumentReader reader);
}
