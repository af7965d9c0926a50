using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>What a receipt says, that nothing of it can be changed, and why each forgery is refused.</summary>
public sealed class ReceiptTests
{
    private readonly ReceiptScene _scene = new();

    public static TheoryData<string> Forgeries { get; } = new(ReceiptScene.Forgeries.Keys);

    public static TheoryData<string> Lies { get; } = new(ReceiptScene.Lies.Keys);

    [Fact]
    public void An_honest_receipt_holds_and_its_encoding_is_the_documented_one()
    {
        var view = _scene.Sign(_scene.Receipt);
        Assert.Equal(ReceiptRejection.None, ReceiptChecks.Verify(view, _scene.Ledger.Verifier, out var receipt));
        Assert.Equal(_scene.Receipt.Transfer, receipt!.Transfer);
        Assert.Equal(
            (1234, "EUR", 2, CardKind.Transfer, TransferKind.Capture),
            (view.AmountMinor, view.Asset, view.Exponent, view.CardKind, view.Kind));
        var documented = ReceiptScene.Documented();
        Assert.Equal(documented["transfer"], Convert.ToHexStringLower(_scene.Receipt.Transfer.Encode()));
        Assert.Equal(documented["receipt"], Convert.ToHexStringLower(view.Receipt));
        Assert.Equal(documented["signature"], Convert.ToHexStringLower(view.Signature));
        Assert.Equal(documented["leaf"], Convert.ToHexStringLower(_scene.Receipt.Transfer.Leaf(view.Seal!.Salt)));
    }

    [Fact]
    public void Without_the_logs_proof_all_but_that_holds()
    {
        var view = _scene.Sign(_scene.Receipt) with { Seal = null };
        Assert.Equal(ReceiptRejection.NotSealed, ReceiptChecks.Verify(view, _scene.Ledger.Verifier, out var receipt));
        Assert.NotNull(receipt);
    }

    /// <summary>The server itself, with the ledger log's key, cannot say anything else than what happened.</summary>
    [Theory]
    [MemberData(nameof(Forgeries))]
    public void A_forgery_that_the_ledger_signs_is_refused_for_its_own_reason(string what)
    {
        var (forge, rejection) = ReceiptScene.Forgeries[what];
        var view = _scene.Sign(forge(_scene, _scene.Receipt));
        Assert.Equal(rejection, ReceiptChecks.Verify(view, _scene.Ledger.Verifier, out var receipt));
        Assert.Null(receipt);
    }

    /// <summary>Whoever passes a receipt on changes one thing beside what was signed.</summary>
    [Theory]
    [MemberData(nameof(Lies))]
    public void A_changed_member_is_refused(string what)
    {
        var (lie, rejection) = ReceiptScene.Lies[what];
        var view = _scene.Sign(_scene.Receipt);
        Assert.Equal(rejection, ReceiptChecks.Verify(lie(_scene, view), _scene.Ledger.Verifier, out _));
    }

    [Fact]
    public void A_changed_byte_anywhere_in_what_was_signed_is_refused()
    {
        var view = _scene.Sign(_scene.Receipt);
        for (var at = 0; at < view.Receipt.Length; at++)
        {
            foreach (var bit in new[] { 0x01, 0x80 })
            {
                var bytes = view.Receipt.ToArray();
                bytes[at] ^= (byte)bit;
                Refused(view with { Receipt = bytes });

                // Signed anew by somebody who has the words follow: then another key than the ledger's.
                if (PaymentReceipt.TryRead(bytes) is { } other)
                {
                    Assert.Equal(bytes, other.Encode());
                }
            }

            Refused(view with { Receipt = [.. view.Receipt[..at], .. view.Receipt[(at + 1)..]] });
            Refused(view with { Receipt = [.. view.Receipt[..at], 0, .. view.Receipt[at..]] });
            Refused(view with { Receipt = view.Receipt[..at] });
        }

        for (var at = 0; at < view.Signature.Length; at++)
        {
            var signature = view.Signature.ToArray();
            signature[at] ^= 1;
            Refused(view with { Signature = signature });
        }

        void Refused(ReceiptView spoilt)
        {
            Assert.NotEqual(ReceiptRejection.None, ReceiptChecks.Verify(spoilt, _scene.Ledger.Verifier, out var receipt));
            Assert.Null(receipt);
        }
    }

    /// <summary>As the server would make one up with its key: what matters, the payer's device signed otherwise.</summary>
    [Fact]
    public void No_byte_of_the_transfer_that_matters_can_be_changed_by_who_has_the_ledgers_key()
    {
        var honest = _scene.Receipt.Transfer.Encode();
        var free = 0;
        for (var at = 0; at < honest.Length; at++)
        {
            var bytes = honest.ToArray();
            bytes[at] ^= 1;
            if (SealedTransfer.TryRead(bytes) is not { } transfer)
            {
                continue;
            }

            var forged = _scene.Receipt with { Transfer = transfer };
            var sealedElsewhere = ReceiptChecks.Verify(
                _scene.Sign(forged) with { Seal = _scene.Seal(_scene.Receipt) }, _scene.Ledger.Verifier, out _);
            Assert.NotEqual(ReceiptRejection.None, sealedElsewhere);
            var resealed = ReceiptChecks.Verify(_scene.Sign(forged), _scene.Ledger.Verifier, out _);
            free += resealed == ReceiptRejection.None ? 1 : 0;
        }

        // What the payer did not sign: the id of the capture, who asked for it, when, and the hash of what was asked.
        Assert.Equal(16 + 16 + 8 + 32, free);
    }
}
