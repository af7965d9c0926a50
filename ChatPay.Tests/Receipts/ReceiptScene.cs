using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Receipts;

/// <summary>
/// A transfer of 12.34 EUR that was accepted, as docs/PROTOCOL.md has it for an example, the ledger that signs receipts of it,
/// and everything that somebody could change.
/// </summary>
internal sealed class ReceiptScene
{
    private static readonly byte[] s_saltKey = [.. Enumerable.Repeat((byte)9, 32)];
    private static readonly Key s_device = Key.Import(
        SignatureAlgorithm.Ed25519, Enumerable.Repeat((byte)7, 32).ToArray(), KeyBlobFormat.RawPrivateKey);

    public static Key LedgerKey { get; } = Key.Import(
        SignatureAlgorithm.Ed25519, Enumerable.Repeat((byte)3, 32).ToArray(), KeyBlobFormat.RawPrivateKey);

    public ReceiptScene()
    {
        Ledger = new NoteSigner("chat.example.org/ledger", LedgerKey);
        var terms = Terms;
        var word = new DebitStatement(
            terms, DetailCommit, CardActionKind.Post, 0, terms.Payer, 1234, new(Id(5)), Id(6), 1800000000);
        Receipt = new PaymentReceipt(
            Ledger.Verifier.Name,
            new SealedTransfer(
                new(Id(7)), TransferKind.Capture, terms.PayerAccount, terms.PayeeAccount, terms.Money,
                TransferId.OfCardAction(terms.Payer, Id(6)), terms.Card, terms.Payee, null,
                DateTimeOffset.FromUnixTimeSeconds(1799999000), PayloadHash.From(Enumerable.Repeat((byte)8, 32).ToArray())),
            2, terms.Payer, terms.Payee, DetailCommit, terms.Encode(), WordOf(word));
    }

    public static IReadOnlyDictionary<string, (Func<ReceiptScene, PaymentReceipt, PaymentReceipt> Forge, ReceiptRejection Why)>
        Forgeries
    { get; } =
        new Dictionary<string, (Func<ReceiptScene, PaymentReceipt, PaymentReceipt>, ReceiptRejection)>(StringComparer.Ordinal)
        {
            ["another payee"] = (
                (_, r) => r with
                {
                    Payee = new(Id(9)),
                    Transfer = r.Transfer with { Credit = LedgerAccountId.Of(new(Id(9)), r.Transfer.Money.Asset) },
                },
                ReceiptRejection.TermsOther),
            ["a payee whose account is another's"] = ((_, r) => r with { Payee = new(Id(9)) }, ReceiptRejection.PartiesOther),
            ["another payer"] = (
                (_, r) => r with
                {
                    Payer = new(Id(9)),
                    Transfer = r.Transfer with { Debit = LedgerAccountId.Of(new(Id(9)), r.Transfer.Money.Asset) },
                },
                ReceiptRejection.TermsOther),
            ["a payer whose account is another's"] = ((_, r) => r with { Payer = new(Id(9)) }, ReceiptRejection.PartiesOther),
            ["more money"] = ((_, r) => WithAmount(r, 1235), ReceiptRejection.TermsOther),
            ["less money"] = ((_, r) => WithAmount(r, 1233), ReceiptRejection.TermsOther),
            ["another card"] = (
                (_, r) => r with { Transfer = r.Transfer with { Card = new(Id(9)) } }, ReceiptRejection.TermsOther),
            ["terms of another card"] = (
                (s, r) => WithTerms(r, s.Terms with { Card = new(Id(9)) }), ReceiptRejection.StatementOther),
            ["terms of another conversation"] = (
                (s, r) => WithTerms(r, s.Terms with { Conversation = new(Id(9)) }), ReceiptRejection.StatementOther),
            ["terms and transfer of more money"] = (
                (s, r) => WithTerms(
                    WithAmount(r, 5000), s.Terms with { Money = Money.Of(5000, s.Terms.Money.Asset) }),
                ReceiptRejection.StatementOther),
            ["other details"] = ((_, r) => r with { DetailCommit = new byte[32] }, ReceiptRejection.StatementOther),
            ["nobody's word"] = ((_, r) => r with { Word = null }, ReceiptRejection.Unauthorised),
            ["the word for another transfer"] = (
                (_, r) => r with { Transfer = r.Transfer with { Hold = new(Id(9)) } }, ReceiptRejection.StatementElsewhere),
            ["the word for less money"] = (
                (s, r) => r with { Word = WordOf(s.Statement with { AmountMinor = 1233 }) },
                ReceiptRejection.StatementExceeded),
            ["the word of another device's key"] = (
                (s, r) => r with { Word = r.Word! with { DeviceKey = TestMls.PublicKeyOf(LedgerKey) } },
                ReceiptRejection.DeviceSignatureInvalid),
            ["a word that nobody signed"] = (
                (s, r) => r with { Word = r.Word! with { Signature = new byte[64] } },
                ReceiptRejection.DeviceSignatureInvalid),
            ["a word that is none"] = (
                (s, r) => r with { Word = r.Word! with { Statement = s.Statement.Encode()[..^1] } },
                ReceiptRejection.Malformed),
            ["another ledger"] = ((_, r) => r with { Origin = "chat.example.org/ledger/2" }, ReceiptRejection.LedgerOther),
        };

    public static IReadOnlyDictionary<string, (Func<ReceiptScene, ReceiptView, ReceiptView> Lie, ReceiptRejection Why)>
        Lies
    { get; } =
        new Dictionary<string, (Func<ReceiptScene, ReceiptView, ReceiptView>, ReceiptRejection)>(StringComparer.Ordinal)
        {
            ["transfer"] = ((_, v) => v with { Transfer = Id(9) }, ReceiptRejection.WordsOther),
            ["kind"] = ((_, v) => v with { Kind = TransferKind.Refund }, ReceiptRejection.WordsOther),
            ["card"] = ((_, v) => v with { Card = new(Id(9)) }, ReceiptRejection.WordsOther),
            ["cardKind"] = ((_, v) => v with { CardKind = CardKind.Request }, ReceiptRejection.WordsOther),
            ["conversation"] = ((_, v) => v with { Conversation = new(Id(9)) }, ReceiptRejection.WordsOther),
            ["payer"] = ((_, v) => v with { Payer = new(Id(9)) }, ReceiptRejection.WordsOther),
            ["payee"] = ((_, v) => v with { Payee = new(Id(9)) }, ReceiptRejection.WordsOther),
            ["amountMinor"] = ((_, v) => v with { AmountMinor = 123400 }, ReceiptRejection.WordsOther),
            ["asset"] = ((_, v) => v with { Asset = "KWD" }, ReceiptRejection.WordsOther),
            ["exponent"] = ((_, v) => v with { Exponent = 0 }, ReceiptRejection.WordsOther),
            ["at"] = ((_, v) => v with { At = v.At.AddTicks(10) }, ReceiptRejection.WordsOther),
            ["detailCommit"] = ((_, v) => v with { DetailCommit = new byte[32] }, ReceiptRejection.WordsOther),
            ["authorisation"] = ((_, v) => v with { Authorisation = null }, ReceiptRejection.WordsOther),
            ["authorisation.device"] = (
                (_, v) => v with { Authorisation = v.Authorisation! with { Device = new(Id(9)) } }, ReceiptRejection.WordsOther),
            ["authorisation.deviceKey"] = (
                (_, v) => v with { Authorisation = v.Authorisation! with { DeviceKey = new byte[32] } },
                ReceiptRejection.WordsOther),
            ["authorisation.action"] = (
                (_, v) => v with { Authorisation = v.Authorisation! with { Action = CardActionKind.Pay } },
                ReceiptRejection.WordsOther),
            ["authorisation.amountMinor"] = (
                (_, v) => v with { Authorisation = v.Authorisation! with { AmountMinor = 1 } }, ReceiptRejection.WordsOther),
            ["authorisation.expiresAt"] = (
                (_, v) => v with { Authorisation = v.Authorisation! with { ExpiresAt = DateTimeOffset.UnixEpoch } },
                ReceiptRejection.WordsOther),
            ["origin"] = ((_, v) => v with { Origin = "chat.example.org/ledger/2" }, ReceiptRejection.WordsOther),
            ["receipt"] = ((_, v) => v with { Receipt = [] }, ReceiptRejection.Malformed),
            ["verifierKey"] = (
                (_, v) => v with { VerifierKey = new NoteSigner("chat.example.org/ledger", s_device).Verifier.ToString() },
                ReceiptRejection.LedgerOther),
            ["signature"] = ((_, v) => v with { Signature = new byte[64] }, ReceiptRejection.SignatureInvalid),
            ["seal"] = ((_, v) => v with { Seal = null }, ReceiptRejection.NotSealed),
            ["seal.salt"] = ((_, v) => v with { Seal = v.Seal! with { Salt = new byte[32] } }, ReceiptRejection.NotIncluded),
            ["seal.salt's size"] = (
                (_, v) => v with { Seal = v.Seal! with { Salt = v.Seal.Salt[1..] } }, ReceiptRejection.NotIncluded),
            ["seal.index"] = ((_, v) => v with { Seal = v.Seal! with { Index = 4 } }, ReceiptRejection.NotIncluded),
            ["seal.index below zero"] = ((_, v) => v with { Seal = v.Seal! with { Index = -1 } }, ReceiptRejection.NotIncluded),
            ["seal.proof"] = (
                (_, v) => v with { Seal = v.Seal! with { Proof = [.. v.Seal.Proof.Skip(1)] } }, ReceiptRejection.NotIncluded),
            ["seal.proof's hash"] = (
                (_, v) => v with { Seal = v.Seal! with { Proof = [new byte[32], .. v.Seal.Proof.Skip(1)] } },
                ReceiptRejection.NotIncluded),
            ["seal.checkpoint"] = (
                (_, v) => v with
                {
                    Seal = v.Seal! with { Checkpoint = v.Seal.Checkpoint.Replace("\n7\n", "\n8\n", StringComparison.Ordinal) },
                },
                ReceiptRejection.CheckpointInvalid),
            ["seal.checkpoint of another log"] = (
                (s, v) => v with
                {
                    Seal = v.Seal! with
                    {
                        Checkpoint = new Checkpoint("chat.example.org/keys", 7, Tree().Root())
                            .Sign(new NoteSigner("chat.example.org/keys", LedgerKey)).ToString(),
                    },
                },
                ReceiptRejection.CheckpointInvalid),
        };

    public NoteSigner Ledger { get; }

    public PaymentReceipt Receipt { get; }

    public CardTerms Terms { get; } = new(
        CardKind.Transfer, new(Id(1)), new(Id(2)), new(Id(3)), new(Id(4)), Money.Of(1234, AssetCode.Parse("EUR")), 86400);

    private DebitStatement Statement => new(
        Terms, DetailCommit, CardActionKind.Post, 0, Terms.Payer, 1234, new(Id(5)), Id(6), 1800000000);

    private byte[] DetailCommit => DetailCommitment.Of(
        Terms, Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), "Für Kaffee ☕");

    /// <summary>The example in docs/PROTOCOL.md, section Receipts: names and their bytes in hexadecimal.</summary>
    public static IReadOnlyDictionary<string, string> Documented()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "PROTOCOL.md"));
        var section = text[text.IndexOf("**Receipts.**", StringComparison.Ordinal)..];
        var example = section[(section.IndexOf("```\ntransfer ", StringComparison.Ordinal) + 4)..];
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var name = "";
        foreach (var line in example[..example.IndexOf("```", StringComparison.Ordinal)].Split('\n'))
        {
            var parts = line.Split(" = ");
            name = parts.Length == 2 ? parts[0].Trim() : name;
            values[name] = values.GetValueOrDefault(name, "") + parts[^1].Trim();
        }

        return values;
    }

    /// <summary>Signed by the ledger, and sealed as the fourth of seven transfers.</summary>
    public ReceiptView Sign(PaymentReceipt receipt)
    {
        var encoding = receipt.Encode();
        var signature = SignatureAlgorithm.Ed25519.Sign(LedgerKey, encoding);
        return receipt.Word is null || DebitWord.TryRead(receipt.Word.Statement) is not null
            ? receipt.Sign(Ledger.Verifier, LedgerKey, Seal(receipt))
            : new ReceiptView(
                Id(7), TransferKind.Capture, Terms.Card, Terms.Kind, Terms.Conversation, Terms.Payer, Terms.Payee, 1234, "EUR", 2,
                receipt.Transfer.At, DetailCommit, null, receipt.Origin, encoding, Ledger.Verifier.ToString(), signature);
    }

    public ReceiptSeal Seal(PaymentReceipt receipt)
    {
        var salt = SealedTransfer.SaltOf(s_saltKey, receipt.Transfer.Id);
        var hashes = new Dictionary<(int, long), byte[]>();
        var tree = Tree(receipt.Transfer.Leaf(salt), hashes);
        var proof = InclusionProof.Generate(3, tree.Size, (level, index, hash) =>
        {
            var isThere = hashes.TryGetValue((level, index), out var known);
            known?.CopyTo(hash);
            return isThere;
        });
        return new(
            salt, 3, proof!, new Checkpoint(Ledger.Verifier.Name, tree.Size, tree.Root()).Sign(Ledger).ToString());
    }

    private static MerkleFrontier Tree() => Tree(new byte[32], []);

    private static MerkleFrontier Tree(byte[] leaf, Dictionary<(int, long), byte[]> hashes)
    {
        var tree = new MerkleFrontier();
        for (var index = 0; index < 7; index++)
        {
            tree.Append(
                MerkleHash.Leaf(index == 3 ? leaf : [(byte)index]),
                (level, at, hash) => hashes.Add((level, at), hash.ToArray()));
        }

        return tree;
    }

    private static Guid Id(byte number) =>
        new([0x01, 0x90, 0xa0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number], bigEndian: true);

    private static PaymentReceipt WithAmount(PaymentReceipt receipt, long amountMinor) => receipt with
    {
        Transfer = receipt.Transfer with { Money = Money.Of(amountMinor, receipt.Transfer.Money.Asset) },
    };

    private static PaymentReceipt WithTerms(PaymentReceipt receipt, CardTerms terms) => receipt with
    {
        Terms = terms.Encode(),
        Transfer = receipt.Transfer with { Card = terms.Card },
    };

    private static ReceiptWord WordOf(DebitStatement statement) =>
        new(statement.Encode(), statement.Sign(s_device).Signature, TestMls.PublicKeyOf(s_device));
}
