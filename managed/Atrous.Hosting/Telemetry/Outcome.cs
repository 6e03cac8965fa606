namespace Atrous.Hosting.Telemetry;

/// <summary>How a request ended, as the tag of its measurements.</summary>
internal static class Outcome
{
    public const string Ok = "ok";

    public static string Of(Exception? failure) => failure switch
    {
        null => Ok,
        QueueFullException => "queue_full",
        RequestTimeoutException => "timeout",
        ModelNotReadyException => "not_ready",
        OperationCanceledException => "cancelled",
        ImageException or PictureTooLargeException or RequestException => "bad_input",
        _ => "failed",
    };

    /// <summary>The service's own doing: neither a result nor the caller's fault or wish.</summary>
    public static bool IsRefusal(string outcome) => outcome is "queue_full" or "timeout" or "not_ready";
}
