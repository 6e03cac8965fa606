namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// Functions that a pickle calls only in order to attack whoever loads it: no object of any library is pickled as a
/// call of them. Only for a clear message: without this list such a call would be just as inert as any other. They are
/// full names, because people call packages of their own `code`, `commands` or `timeit` too.
/// </summary>
internal static class KnownAttacks
{
    private static readonly Dictionary<string, string[]> Functions = new(StringComparer.Ordinal)
    {
        ["builtins"] =
        [
            "eval", "exec", "execfile", "compile", "open", "file", "input", "raw_input", "__import__", "breakpoint",
            "apply", "reload", "globals", "locals",
        ],
        ["os"] =
        [
            "system", "popen", "popen2", "popen3", "popen4", "startfile", "fork", "forkpty", "kill", "killpg", "abort",
            "_exit", "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe", "spawnl",
            "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe", "posix_spawn", "posix_spawnp",
            "remove", "unlink", "rmdir", "removedirs", "rename", "renames", "replace", "truncate", "mkdir", "makedirs",
            "mkfifo", "symlink", "link", "chmod", "chown", "chroot", "putenv", "unsetenv", "open", "write", "dup2",
            "setuid", "setgid",
        ],
        ["subprocess"] =
            ["Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"],
        ["_posixsubprocess"] = ["fork_exec"],
        ["runpy"] = ["run_module", "run_path", "_run_code", "_run_module_code", "_run_module_as_main"],
        ["pty"] = ["spawn", "fork", "openpty"],
        ["popen2"] = ["popen2", "popen3", "popen4", "Popen3", "Popen4"],
        ["shutil"] = ["rmtree", "move", "copy", "copy2", "copyfile", "copytree", "chown", "unpack_archive"],
        ["sys"] = ["settrace", "setprofile", "call_tracing"],
        ["socket"] = ["socket", "create_connection", "create_server", "socketpair", "fromfd"],
        ["importlib"] = ["import_module", "__import__", "reload"],
        ["ctypes"] = ["CDLL", "PyDLL", "WinDLL", "OleDLL", "LibraryLoader", "memmove", "memset", "string_at", "cast"],
        ["webbrowser"] = ["open", "open_new", "open_new_tab", "get"],
        ["pickle"] = ["load", "loads", "Unpickler", "_load", "_loads"],
        ["marshal"] = ["load", "loads"],
        ["code"] = ["interact", "InteractiveConsole", "InteractiveInterpreter", "compile_command"],
        ["codeop"] = ["compile_command"],
        ["commands"] = ["getoutput", "getstatusoutput", "getstatus"],
        ["asyncio"] = ["create_subprocess_exec", "create_subprocess_shell", "run"],
        ["pip"] = ["main", "_internal.main", "_internal.cli.main.main"],
        ["timeit"] = ["timeit", "repeat", "main", "Timer", "Timer.timeit", "Timer.repeat"],
        ["pdb"] = ["run", "runeval", "runcall", "runctx", "set_trace", "main", "Pdb"],
        ["bdb"] = ["Bdb", "Tdb", "Bdb.run", "Bdb.runeval", "Bdb.runctx", "set_trace"],
        ["profile"] = ["run", "runctx"],
        ["urllib"] = ["request.urlopen", "request.urlretrieve", "urlopen", "urlretrieve"],
        ["ftplib"] = ["FTP"],
        ["smtplib"] = ["SMTP"],
        ["torch"] = ["load", "serialization.load", "hub.load", "jit.load", "package.PackageImporter"],
        ["numpy"] = ["testing._private.utils.runstring", "testing.utils.runstring"],
    };

    /// <summary>The names under which CPython has the same functions.</summary>
    private static readonly Dictionary<string, string> Same = new(StringComparer.Ordinal)
    {
        ["__builtin__"] = "builtins",
        ["posix"] = "os",
        ["nt"] = "os",
        ["_pickle"] = "pickle",
        ["cPickle"] = "pickle",
        ["dill"] = "pickle",
        ["cloudpickle"] = "pickle",
        ["joblib"] = "pickle",
        ["imp"] = "importlib",
        ["_socket"] = "socket",
        ["cProfile"] = "profile",
        ["urllib2"] = "urllib",
    };

    public static bool Contains(PickleGlobal function)
    {
        // A name may reach into an object: `builtins`, `eval.__call__`.
        ReadOnlySpan<char> name = function.FullName;
        while (name.EndsWith(".__call__", StringComparison.Ordinal))
            name = name[..^".__call__".Length];
        if (name.IndexOf('.') is var dot && dot <= 0)
            return false;
        string package = name[..dot].ToString();
        package = Same.GetValueOrDefault(package, package);
        string rest = name[(dot + 1)..].ToString();
        return Functions.TryGetValue(package, out string[]? functions) && functions.Contains(rest);
    }
}
