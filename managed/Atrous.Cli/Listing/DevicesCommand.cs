using System.CommandLine;
using Atrous.Backends;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Listing;

/// <summary>`atrous devices`: every device, available or why not.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Write one JSON document" };
        var command = new ToolCommand("devices", "List the devices that networks can run on, or why they cannot.")
        {
            Examples =
            [
                ("atrous devices",
                    "What --device takes on this machine"),
                ("atrous devices --json",
                    "The same for programs"),
            ],
        };
        command.Add(ToolCommand.Output, json);
        command.SetAction(result =>
        {
            IReadOnlyList<DeviceInfo> devices = BackendRegistry.Devices();
            if (result.GetValue(json))
                WriteJson(devices);
            else
                WriteLines(devices);
            return ExitCode.Done;
        });
        return command;
    }

    private static void WriteJson(IReadOnlyList<DeviceInfo> devices) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("devices");
        foreach (DeviceInfo device in devices)
        {
            json.WriteStartObject();
            json.WriteString("name", device.Name);
            json.WriteBoolean("available", device.Available);
            json.WriteString("detail", device.Detail);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteLines(IReadOnlyList<DeviceInfo> devices)
    {
        int width = devices.Max(device => device.Name.Length);
        foreach (DeviceInfo device in devices)
        {
            string state = device.Available ? "available  " : "unavailable";
            Console.Out.WriteLine($"{device.Name.PadRight(width)}  {state}  {Terminal.OneLine(device.Detail)}");
        }
    }
}
