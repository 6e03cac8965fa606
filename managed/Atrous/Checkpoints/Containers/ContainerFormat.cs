namespace Atrous.Checkpoints.Containers;

/// <summary>Tells what a file is by its first bytes, and has it read.</summary>
internal static class ContainerFormat
{
    public static ContainerContents Read(CheckpointFile file) => SafetensorsReader.Read(file);
}
