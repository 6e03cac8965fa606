using Atrous.Cli.Options;

namespace Atrous.Cli;

/// <summary>What the tool tells the shell; <see cref="Help"/> is the documentation.</summary>
internal static class ExitCode
{
    public const int Done = 0, Failed = 1, Usage = 2, BadInput = 3;

    /// <summary>Appended to every --help.</summary>
    public const string Help = """
        Exit codes:
          0    done
          1    failed, worth retrying: an output cannot be written, a disk or network fails, memory ran out;
               of verify: the tolerance is exceeded
          2    wrong usage: an option, device, dialect, switch or precision that does not exist here
          3    bad input or model: retrying is useless
          130  interrupted with Ctrl-C (143: by SIGTERM, 129: by SIGHUP); finished outputs stay, no others are left
               (a video ends with the frames up to there)
        """;
}
