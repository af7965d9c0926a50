using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// The native library libsodium, bound by P/Invoke: found under the names its packages install, checked for its age and
/// initialised once per process. Each primitive declares its own functions in a part of this class beside its use.
/// </summary>
/// <remarks>
/// Source: https://doc.libsodium.org. The oldest version accepted is 1.0.18, which has ristretto255 and is what Debian 12
/// and Ubuntu 22.04 install. Everything in <c>Cryptography</c> calls <see cref="Initialize"/> before its first call into
/// the library; a program calls it at start, so that a missing library is told of then and not in the middle of work.
/// </remarks>
public static partial class Sodium
{
    private const string Library = "libsodium";

    /// <summary>Version of the library's binary interface in 1.0.18; it has only grown since.</summary>
    private const int OldestInterfaceMajor = 10;

    private const int OldestInterfaceMinor = 3;

    private const string Remedy =
        "install it with \"apt-get install libsodium23\" (Debian, Ubuntu) or \"brew install libsodium\" (macOS).";

    private static readonly string[] LibraryFiles = OperatingSystem.IsWindows()
        ? ["libsodium.dll"]
        : OperatingSystem.IsMacOS()
            ? ["libsodium.dylib", "/opt/homebrew/lib/libsodium.dylib", "/usr/local/lib/libsodium.dylib"]
            : ["libsodium.so.26", "libsodium.so.23", "libsodium.so"];

    private static readonly Lazy<string?> Failure = new(Load);

    /// <summary>Loads and initialises libsodium; does nothing when that is done already. Safe from any thread.</summary>
    /// <exception cref="PlatformNotSupportedException">
    /// The library is missing, too old or broken; the message is one sentence that says which and what mends it.
    /// </exception>
    public static void Initialize()
    {
        if (Failure.Value is { } sentence)
        {
            throw new PlatformNotSupportedException(sentence);
        }
    }

    /// <summary>Null when the library is ready, else the sentence to show.</summary>
    private static string? Load()
    {
        try
        {
            return JudgeAge(LibraryVersionMajor(), LibraryVersionMinor())
                ?? (Init() < 0 ? "libsodium could not initialise itself: the system gives it no randomness." : null);
        }
        catch (DllNotFoundException)
        {
            return $"libsodium 1.0.18 or later is needed and was not found; {Remedy}";
        }
        catch (EntryPointNotFoundException)
        {
            return $"The libsodium that was found is not the whole library; {Remedy}";
        }
        catch (BadImageFormatException)
        {
            return $"The libsodium that was found is for another kind of processor; {Remedy}";
        }
    }

    /// <summary>Null for an interface that is young enough, else the sentence to show.</summary>
    internal static string? JudgeAge(int major, int minor) =>
        (major, minor).CompareTo((OldestInterfaceMajor, OldestInterfaceMinor)) < 0
            ? $"The installed libsodium (interface {major}.{minor}) is older than 1.0.18; {Remedy}"
            : null;

#pragma warning disable CA2255 // A resolver must be in place before the first call, whichever part of the class makes it.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void InstallResolver() =>
        NativeLibrary.SetDllImportResolver(typeof(Sodium).Assembly, static (name, assembly, path) =>
            name == Library ? Resolve(assembly, path) : 0);

    private static nint Resolve(Assembly assembly, DllImportSearchPath? searchPath)
    {
        foreach (var file in LibraryFiles)
        {
            if (NativeLibrary.TryLoad(file, assembly, searchPath, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }

    [LibraryImport(Library, EntryPoint = "sodium_init")]
    private static partial int Init();

    [LibraryImport(Library, EntryPoint = "sodium_library_version_major")]
    private static partial int LibraryVersionMajor();

    [LibraryImport(Library, EntryPoint = "sodium_library_version_minor")]
    private static partial int LibraryVersionMinor();
}
