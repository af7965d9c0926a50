using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// Resumption keys of past epochs, the newest last, of as many as <see cref="MlsServices.ResumptionEpochs"/> says.
/// </summary>
internal sealed class ResumptionKeys : IDisposable
{
    private readonly List<(ulong Epoch, Secret Key)> _keys = [];

    public bool TryGet(ulong epoch, out ReadOnlySpan<byte> key)
    {
        foreach (var (kept, secret) in _keys)
        {
            if (kept == epoch)
            {
                key = secret.Span;
                return true;
            }
        }

        key = default;
        return false;
    }

    public void Add(ulong epoch, ReadOnlySpan<byte> key, int most)
    {
        _keys.Add((epoch, Secret.Copy(key)));
        while (_keys.Count > most)
        {
            _keys[0].Key.Dispose();
            _keys.RemoveAt(0);
        }
    }

    public void Write(TlsWriter writer)
    {
        var mark = writer.BeginVector();
        foreach (var (epoch, key) in _keys)
        {
            writer.WriteUInt64(epoch);
            writer.WriteOpaque(key.Span);
        }

        writer.EndVector(mark);
    }

    public static ResumptionKeys Read(ref TlsReader reader)
    {
        var keys = new ResumptionKeys();
        var scope = reader.EnterVector();
        while (reader.HasMore)
        {
            keys.Add(reader.ReadUInt64(), reader.ReadOpaqueSpan(), MlsLimits.ResumptionEpochs);
        }

        reader.LeaveVector(scope);
        return keys;
    }

    public void Dispose()
    {
        foreach (var (_, key) in _keys)
        {
            key.Dispose();
        }

        _keys.Clear();
    }
}
