using System.Security.Cryptography;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Ids all of whose bits are random: unlike the server's other ids they tell no time, and nobody can guess one.
/// </summary>
internal static class RandomId
{
    private const int UuidBytes = 16;

    public static Guid Create()
    {
        Span<byte> id = stackalloc byte[UuidBytes];
        RandomNumberGenerator.Fill(id);
        return new Guid(id, bigEndian: true);
    }
}
