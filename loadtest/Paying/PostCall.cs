using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;

namespace ChatPay.LoadTest.Paying;

/// <summary>
/// A post of a transfer, written again and again, each time with ids, commitment, binding and signature of its own.
/// </summary>
internal sealed class PostCall
{
    private const int ExpiryDigits = 10;
    private readonly CardTerms _terms;
    private readonly ChatPerson _payer;
    private readonly Key _key;
    private readonly CardCall _call;
    private readonly byte[] _body;
    private readonly Places _places;

    /// <param name="terms">The card's id in them stands for any.</param>
    public PostCall(CardTerms terms, ChatPerson payer, Key key)
    {
        (_terms, _payer, _key) = (terms, payer, key);
        var sample = CardPosts.Create(
            terms, new(Guid.AllBitsSet), Guid.AllBitsSet, payer.Device, key, CardPosts.AuthorisationLifetime);
        _body = sample.Post!.Body;
        _call = new CardCall("post", sample);
        _places = new Places(
            _call.PlaceOf("\"card\":\""), _call.PlaceOf("\"idempotencyKey\":\""), _call.PlaceOf("\"detailCommit\":\""),
            _call.PlaceOf("\"clientId\":\""), _call.PlaceOf("\"body\":\""), _call.PlaceOf("\"expiresAt\":"),
            _call.PlaceOf("\"signature\":\""), _body.AsSpan().IndexOf(Guid.AllBitsSet.ToByteArray()));
    }

    public ReadOnlySpan<byte> Frame => _call.Frame;

    /// <param name="id">Of the card and its message.</param>
    public void Renew(ReadOnlySpan<byte> id, Guid nonce, DateTimeOffset now)
    {
        const int IdBytes = MessageKey.IdBytes;
        var card = new Guid(id, bigEndian: true);
        var terms = _terms with { Card = new(card) };
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(Limits.CardSaltBytes), "for the boat");
        var statement = new DebitStatement(
            terms, commit, CardActionKind.Post, 0, _payer.Account, terms.Money.Amount.Value, _payer.Device, nonce,
            (now + CardPosts.AuthorisationLifetime).ToUnixTimeSeconds());
        var authorisation = statement.Sign(_key);

        // In the body's clear data the card follows the message, and the commitment the card. Both ids are the same one.
        var bound = _body.AsSpan(_places.Bound);
        id.CopyTo(bound);
        id.CopyTo(bound[IdBytes..]);
        commit.CopyTo(bound[(2 * IdBytes)..]);
        _call.Put(_places.Card, card);
        _call.Put(_places.Nonce, nonce);
        _call.Put(_places.Commit, commit);
        _call.Put(_places.ClientId, card);
        _call.Put(_places.Body, _body);
        _call.Put(_places.ExpiresAt, authorisation.ExpiresAt, ExpiryDigits);
        _call.Put(_places.Signature, authorisation.Signature);
    }

    /// <summary>Where what differs from one to the next stands; the last one is in the body.</summary>
    private sealed record Places(
        int Card, int Nonce, int Commit, int ClientId, int Body, int ExpiresAt, int Signature, int Bound);
}
