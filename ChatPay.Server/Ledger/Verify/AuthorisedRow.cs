using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>An applied debit of a card, the card's terms, and what was signed for it where anything was.</summary>
/// <param name="Device">Whose key it is, as the database says, and whose that is.</param>
/// <param name="IsLogged">Whether the payer's chain has an entry that adds the device with this key.</param>
internal readonly record struct AuthorisedRow(
    UInt128 Transfer, UInt128 Debit, long AmountMinor, UInt128? Actor, CardTerms? Terms, byte[] DetailCommit,
    byte[]? Statement, byte[]? Signature, UInt128? Device, UInt128? DeviceAccount, byte[]? DeviceKey, bool IsLogged)
{
    /// <summary>Where an entry that adds a device has its type (byte 1), the device and the device's key: KeyLogEntry.</summary>
    public const string Columns =
        "t.id, t.debit_id, t.amount_minor, t.actor_id, c.id, c.kind, c.conversation_id, c.payer_id, c.payee_id, "
        + "c.amount_minor, c.asset, c.lifetime_seconds, c.plan::text, c.detail_commit, a.statement, a.signature, "
        + "d.id, d.account_id, d.signature_key, "
        + "coalesce(exists (select from key_entry e where e.account_id = d.account_id and get_byte(e.entry, 1) = 3 "
        + "and substring(e.entry from 59 for 16) = uuid_send(d.id) "
        + "and substring(e.entry from 75 for 32) = d.signature_key), false)";

    public static AuthorisedRow Parse(scoped ref CopyRow row)
    {
        var (transfer, debit, amount, actor) = (row.Id(), row.Id(), row.Int64(), row.OptionalId());
        var terms = ParseTerms(ref row);
        return new(
            transfer, debit, amount, actor, terms, row.Bytes().ToArray(), row.OptionalBytes(), row.OptionalBytes(),
            row.OptionalId(), row.OptionalId(), row.OptionalBytes(), row.Boolean());
    }

    /// <summary>Null where the row's asset cannot be one.</summary>
    private static CardTerms? ParseTerms(scoped ref CopyRow row)
    {
        var (card, kind, conversation) = (row.Id().ToGuid(), (CardKind)row.Int16(), row.Id().ToGuid());
        var (payer, payee, amount) = (row.OptionalId(), row.OptionalId(), row.Int64());
        var (asset, seconds, plan) = (row.Asset().ToCode(), row.Int32(), Cards.CardRow.ParsePlan(row.OptionalText()));
        return asset is { } code
            ? new(
                kind, new(card), new(conversation), new(payer?.ToGuid() ?? default), new(payee?.ToGuid() ?? default),
                Money.Of(amount, code), seconds, plan)
            : null;
    }
}

/// <summary>A row that is only an id.</summary>
internal readonly record struct IdRow(UInt128 Id)
{
    public static IdRow Parse(scoped ref CopyRow row) => new(row.Id());
}
