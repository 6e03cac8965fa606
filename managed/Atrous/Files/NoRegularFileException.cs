namespace Atrous.Files;

/// <summary>What is to be read as a file is none, and will be none.</summary>
internal sealed class NoRegularFileException() : IOException(RegularFile.Complaint);
