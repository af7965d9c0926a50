using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Baselines;

/// <summary>
/// ts-mls under Node: a TypeScript module of <c>web/tests/interop</c> in a process of its own, which answers requests one
/// after the other, a JSON object a line. Bytes are strings that begin with <c>b64:</c>.
/// </summary>
internal sealed class NodeDriver : IAsyncDisposable
{
    private const string Folder = "web/tests/interop";
    private const string BytesMark = "b64:";
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new BytesConverter() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Process _process;
    private readonly Task<string> _errors;

    private NodeDriver(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Why ts-mls cannot be run here, with the command that mends it; null where it can.</summary>
    public static string? Missing() => Directory.Exists(PathOf("web/node_modules/ts-mls"))
        ? null
        : "The web client's packages, ts-mls among them, are not installed; run: npm ci --prefix web";

    /// <param name="module">A file of the folder without its extension.</param>
    /// <exception cref="StartupException">Node or ts-mls is missing.</exception>
    public static NodeDriver Start(string module)
    {
        if (Missing() is { } reason)
        {
            throw new StartupException(reason);
        }

        var start = new ProcessStartInfo("node", [PathOf(Folder + "/start.mjs"), module])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
            WorkingDirectory = PathOf("web"),
        };
        try
        {
            return new NodeDriver(Process.Start(start)!);
        }
        catch (Win32Exception failure)
        {
            throw new StartupException($"Node.js could not be run: {failure.Message}.", failure);
        }
    }

    /// <param name="request">An object with the member <c>op</c>; its members are written as they are named.</param>
    /// <returns>What came of it; null where nothing is said.</returns>
    /// <exception cref="NodeDriverException">The driver refused, or ended.</exception>
    public async Task<JsonElement> AskAsync(object request, CancellationToken cancellationToken)
    {
        var line = JsonSerializer.Serialize(request, s_json) + "\n";
        await _process.StandardInput.WriteAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        var reply = await _process.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new NodeDriverException("The driver ended: " + await _errors);
        var answer = JsonSerializer.Deserialize<JsonElement>(reply);
        return answer.TryGetProperty("error", out var error)
            ? throw new NodeDriverException(error.GetString() ?? "The driver refused.")
            : answer.GetProperty("result");
    }

    /// <summary>The bytes that a string of an answer stands for.</summary>
    public static byte[] BytesOf(JsonElement element) =>
        Convert.FromBase64String(element.GetString()![BytesMark.Length..]);

    public async ValueTask DisposeAsync()
    {
        // The end of its input is the driver's sign to end.
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(s_stopTimeout);
        }
        catch (TimeoutException)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static string PathOf(string path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ChatPay.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? AppContext.BaseDirectory, path);
    }

    private sealed class BytesConverter : JsonConverter<byte[]>
    {
        public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Convert.FromBase64String(reader.GetString()![BytesMark.Length..]);

        public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) =>
            writer.WriteStringValue(BytesMark + Convert.ToBase64String(value));
    }
}

/// <summary>What a driver says where it does not do what it was asked.</summary>
internal sealed class NodeDriverException(string message) : Exception(message);
