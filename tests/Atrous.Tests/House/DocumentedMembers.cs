using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Atrous.Tests.House;

/// <summary>
/// A member whose parameters users see, and what the built XML documentation says of them.
/// </summary>
/// <param name="Id">The member's name in the XML file, such as "M:Atrous.Imaging.Image.SavePng(System.String)".</param>
/// <param name="Parameters">The names of its parameters, in their order.</param>
/// <param name="Docs">Its element in the file; null where it has none.</param>
internal sealed record DocumentedMember(string Id, IReadOnlyList<string> Parameters, XElement? Docs);

/// <summary>The public members of our packages with their documentation.</summary>
internal static class DocumentedMembers
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Every public or protected constructor, method, indexer and delegate with parameters, but for what the compiler
    /// writes, overrides, and implementations of interfaces: their documentation is where they were declared first.
    /// </summary>
    public static IEnumerable<DocumentedMember> Of(Assembly assembly)
    {
        XDocument file = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"));
        Dictionary<string, XElement> docs = file.Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);
        foreach (Type type in assembly.GetExportedTypes())
        {
            if (type.IsSubclassOf(typeof(Delegate)))
            {
                yield return Member("T:" + NameOf(type), type.GetMethod("Invoke")!.GetParameters());
                continue;
            }
            foreach (MethodBase method in type.GetConstructors(Declared).Concat<MethodBase>(type.GetMethods(Declared)))
            {
                if (method.GetParameters().Length > 0 && IsSeen(method) && IsOwn(type, method))
                    yield return Member("M:" + IdOf(type, method), method.GetParameters());
            }
            foreach (PropertyInfo property in type.GetProperties(Declared))
            {
                if (property.GetIndexParameters() is { Length: > 0 } indices && property.GetMethod is { } getter
                    && IsSeen(getter) && getter.GetBaseDefinition() == getter)
                    yield return Member($"P:{NameOf(type)}.{property.Name}{ListOf(indices)}", indices);
            }
        }

        DocumentedMember Member(string id, ParameterInfo[] parameters) =>
            new(id, [.. parameters.Select(parameter => parameter.Name!)], docs.GetValueOrDefault(id));
    }

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsOwn(Type type, MethodBase method)
    {
        if (method.GetCustomAttribute<CompilerGeneratedAttribute>() is not null)
            return false;
        if (method is not MethodInfo info)
            // A record copies itself.
            return method.GetParameters() is not [var only] || only.ParameterType != type;
        // Accessors and operators have no parameters of their own to tell of.
        return !info.IsSpecialName && info.GetBaseDefinition() == info
            && (type.IsInterface || !type.GetInterfaces().Any(contract => Implements(type, contract, info)));
    }

    private static bool Implements(Type type, Type contract, MethodInfo method) =>
        type.GetInterfaceMap(contract).TargetMethods.Contains(method);

    private static string IdOf(Type type, MethodBase method)
    {
        string name = method.IsConstructor ? "#ctor" : method.Name;
        int own = method.IsGenericMethod ? method.GetGenericArguments().Length : 0;
        return $"{NameOf(type)}.{name}{(own > 0 ? "``" + own : "")}{ListOf(method.GetParameters())}";
    }

    private static string ListOf(ParameterInfo[] parameters) =>
        $"({string.Join(',', parameters.Select(parameter => ArgumentOf(parameter.ParameterType)))})";

    /// <summary>A type that declares members.</summary>
    private static string NameOf(Type type) =>
        type.IsNested ? $"{NameOf(type.DeclaringType!)}.{type.Name}" : $"{type.Namespace}.{type.Name}";

    /// <summary>A type as a parameter has it.</summary>
    private static string ArgumentOf(Type type)
    {
        if (type.IsByRef)
            return ArgumentOf(type.GetElementType()!) + "@";
        if (type.IsPointer)
            return ArgumentOf(type.GetElementType()!) + "*";
        if (type.IsArray)
        {
            int rank = type.GetArrayRank();
            return ArgumentOf(type.GetElementType()!)
                + (rank == 1 ? "[]" : $"[{string.Join(',', Enumerable.Repeat("0:", rank))}]");
        }
        if (type.IsGenericParameter)
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        return type.IsGenericType
            ? $"{NameOf(type).Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(ArgumentOf))}}}"
            : NameOf(type);
    }
}
