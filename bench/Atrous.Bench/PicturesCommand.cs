using System.CommandLine;
using System.Security.Cryptography;
using Atrous.Imaging;

namespace Atrous.Bench;

/// <summary>What is read of picture files, for bench/pictures.py: a line of fields between tabs for each.</summary>
internal static class PicturesCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Picture files" };
        var command = new Command("pictures", "What is read of picture files: size, channels, a hash of their RGB.")
        {
            files,
        };
        command.SetAction(result =>
        {
            foreach (string file in result.GetRequiredValue(files))
                Console.WriteLine($"{Path.GetFileName(file)}\t{ResultOf(file)}");
        });
        return command;
    }

    private static string ResultOf(string file)
    {
        try
        {
            using Image picture = Image.Load(file);
            using Image rgb = picture.WithChannels(3);
            string hash = Convert.ToHexStringLower(SHA256.HashData(rgb.Pixels));
            int depth = picture.Lower is null ? 8 : 16;
            return $"{picture.Width}x{picture.Height}\t{picture.Channels} of {depth} bits\t{hash}\t{picture.Warning}";
        }
        catch (ImageException e)
        {
            return $"refused\t\t\t{e.Message[(file.Length + 2)..]}";
        }
    }
}
