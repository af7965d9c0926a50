using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A sender's ratchet, RFC 9420 section 9.1: each generation's secret gives its key and nonce and the next generation's
/// secret, and is then gone.
/// </summary>
/// <remarks>
/// Keys of generations that were skipped are kept until their messages come, but only for the last
/// <see cref="MlsLimits.SkippedKeys"/> generations. Within that window a key that is missing was therefore used.
/// </remarks>
internal sealed class SecretRatchet : IDisposable
{
    private readonly MlsCipherSuite _suite;
    private readonly Secret _secret;
    private readonly SkippedMessageKeys _skipped;

    /// <summary>The generation that <see cref="_secret"/> belongs to; 2^32 when there is none left.</summary>
    private ulong _next;

    /// <summary>Takes ownership of the secret of generation 0.</summary>
    public SecretRatchet(MlsCipherSuite suite, Secret secret)
    {
        _suite = suite;
        _secret = secret;
        _skipped = new SkippedMessageKeys(suite.KeySize, suite.NonceSize);
    }

    /// <summary>The next key to send with; the ratchet moves on before it returns.</summary>
    /// <exception cref="InvalidOperationException">All generations are used.</exception>
    public uint Next(Span<byte> key, Span<byte> nonce)
    {
        if (_next > uint.MaxValue)
        {
            throw new InvalidOperationException("All message keys of this epoch are used; commit to begin another.");
        }

        var generation = (uint)_next;
        DeriveKey(_secret.Span, generation, key, nonce);
        Step();
        return generation;
    }

    /// <summary>The key of a generation, without any change.</summary>
    public bool TryKey(uint generation, Span<byte> key, Span<byte> nonce, out MlsRejection rejection)
    {
        if (generation < _next)
        {
            rejection = _skipped.TryGet(generation, key, nonce) ? MlsRejection.None
                : _next - generation > MlsLimits.SkippedKeys ? MlsRejection.GenerationTooOld
                : MlsRejection.GenerationUsed;
            return rejection == MlsRejection.None;
        }

        if (generation - _next > MlsLimits.GenerationJump)
        {
            rejection = MlsRejection.GenerationTooFar;
            return false;
        }

        Span<byte> secret = stackalloc byte[_suite.HashSize];
        _secret.Span.CopyTo(secret);
        for (var skipped = (uint)_next; skipped < generation; skipped++)
        {
            _suite.DeriveTreeSecret(secret, "secret", skipped, secret);
        }

        DeriveKey(secret, generation, key, nonce);
        CryptographicOperations.ZeroMemory(secret);
        rejection = MlsRejection.None;
        return true;
    }

    /// <summary>Deletes the key of a generation; the keys of generations skipped on the way to it are kept.</summary>
    /// <exception cref="InvalidOperationException">There is no such key.</exception>
    public void Consume(uint generation)
    {
        if (generation < _next)
        {
            if (!_skipped.Remove(generation))
            {
                throw new InvalidOperationException("A message key is consumed once.");
            }

            return;
        }

        if (generation - _next > MlsLimits.GenerationJump)
        {
            throw new InvalidOperationException("A message key this far ahead is not to be had.");
        }

        while (_next < generation)
        {
            if (generation - _next < MlsLimits.SkippedKeys)
            {
                var entry = _skipped.Add((uint)_next);
                DeriveKey(_secret.Span, (uint)_next, entry.Key, entry.Nonce);
            }

            Step();
        }

        Step();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static SecretRatchet Read(ref TlsReader reader, MlsCipherSuite suite)
    {
        var next = reader.ReadUInt64();
        var secret = new Secret(suite.HashSize);
        reader.ReadFixedSpan(suite.HashSize).CopyTo(secret.Span);
        var ratchet = new SecretRatchet(suite, secret) { _next = next };
        if (next > uint.MaxValue + 1UL)
        {
            reader.Fail(MlsRejection.StateInvalid);
        }

        ratchet._skipped.Read(ref reader, next);
        return ratchet;
    }

    public void Write(TlsWriter writer)
    {
        writer.WriteUInt64(_next);
        writer.WriteFixed(_secret.Span);
        _skipped.Write(writer);
    }

    public void Dispose()
    {
        _secret.Dispose();
        _skipped.Dispose();
    }

    private void DeriveKey(ReadOnlySpan<byte> secret, uint generation, Span<byte> key, Span<byte> nonce)
    {
        _suite.DeriveTreeSecret(secret, "key", generation, key);
        _suite.DeriveTreeSecret(secret, "nonce", generation, nonce);
    }

    /// <summary>Replaces the secret by the next generation's, and drops the skipped key that leaves the window.</summary>
    private void Step()
    {
        _suite.DeriveTreeSecret(_secret.Span, "secret", (uint)_next, _secret.Span);
        _next++;
        _skipped.Drop(_next);
    }
}
