using System.Globalization;

namespace ChatPay.Server.Vault;

/// <summary>
/// How far a server has come in a realm's news: in which history of the realm's database, and behind which transaction and
/// number. Written as three groups between hyphens, which only the realm reads.
/// </summary>
internal readonly record struct NewsCursor(Guid Lineage, ulong Xid, long Number)
{
    /// <summary>Longer than any that there is.</summary>
    public const int CharactersMost = 80;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Lineage:N}-{Xid}-{Number}");

    /// <returns>Null for none, and for what is none.</returns>
    public static NewsCursor? Read(string? text) =>
        text?.Split('-') is [var lineage, var xid, var number]
        && Guid.TryParseExact(lineage, "N", out var history)
        && ulong.TryParse(xid, NumberStyles.None, CultureInfo.InvariantCulture, out var transaction)
        && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var after)
            ? new NewsCursor(history, transaction, after) : null;
}
