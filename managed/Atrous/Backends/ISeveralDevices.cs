namespace Atrous.Backends;

/// <summary>A backend of several devices, which goes on with the others where one is lost.</summary>
internal interface ISeveralDevices
{
    /// <summary>How many devices there are, those that are lost among them.</summary>
    int Count { get; }

    /// <summary>How many of them are lost.</summary>
    int LostCount { get; }

    /// <summary>Is told, in a sentence, of every device that is taken out; null for nobody.</summary>
    Action<string>? Lost { get; set; }
}
