using Spectre.Console;

namespace ChatPay.Server.Hosting;

/// <summary>Lines of text above a bar that is being drawn.</summary>
internal static class TerminalLines
{
    /// <summary>
    /// Writes whole rows. The bar goes down without being wiped, so what a wrapped text left of a row would still show it.
    /// </summary>
    public static void WriteRows(this IAnsiConsole console, string text) =>
        console.Write(new Padder(new Text(text), new Padding(0)) { Expand = true });
}
